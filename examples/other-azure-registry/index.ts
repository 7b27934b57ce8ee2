import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

// pulumi config set source /subscriptions/…/registries/mysourceregistry
const config = new pulumi.Config();
const registry = config.get("registry") ?? "myregistry";
const source = config.require("source");

// Promoted from one registry to another: the same digest under the same name.
const promoted = new ImportedImage("promoted", {
  registry,
  source: { registry: source, image: "aci-helloworld:latest" },
});

// A copy without a tag, for those who deploy by digest anyway.
const untagged = new ImportedImage("untagged", {
  registry,
  source: { registry: source, image: "aci-helloworld:latest" },
  untaggedTargetRepositories: ["mirror/aci-helloworld"],
});

export const images = pulumi.all([promoted.reference, untagged.reference]);
