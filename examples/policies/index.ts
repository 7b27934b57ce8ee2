// A policy pack: only images pinned by digest run, and only signed images are imported.
import { PolicyPack } from "@pulumi/policy";
import { pinnedImages } from "./pinned-images";
import { signedImports } from "./signed-imports";

new PolicyPack("images", { policies: [pinnedImages, signedImports] });
