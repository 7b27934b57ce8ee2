// Imports an image, and hands it to a Helm chart as values.
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

const hello = new ImportedImage("hello", {
  registry,
  source: "docker.io/library/hello-world:latest",
});

// For charts with image.registry, image.repository and image.digest:
// pulumi stack output values --json | helm upgrade --install hello ./chart --values -
export const values = { image: hello.parts };

// For charts with one text: myregistry.azurecr.io/library/hello-world:latest@sha256:…
export const image = hello.taggedReference;
