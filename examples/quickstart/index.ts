// Imports one public image.
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

const hello = new ImportedImage("hello", {
  registry,
  source: "docker.io/library/hello-world:latest",
});

export const image = hello.reference;
