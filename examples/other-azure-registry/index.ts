// Imports an image from another Azure registry, with a tag and without one.
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

// pulumi config set source /subscriptions/…/registries/mysourceregistry
const config = new pulumi.Config();
const registry = config.get("registry") ?? "myregistry";
const source = config.require("source");

// The same name and digest in both registries.
const promoted = new ImportedImage("promoted", {
  registry,
  source: { registry: source, image: "aci-helloworld:latest" },
});

// A copy without a tag, for deployments by digest.
const untagged = new ImportedImage("untagged", {
  registry,
  source: { registry: source, image: "aci-helloworld:latest" },
  untaggedTargetRepositories: ["mirror/aci-helloworld"],
});

export const images = pulumi.all([promoted.reference, untagged.reference]);
