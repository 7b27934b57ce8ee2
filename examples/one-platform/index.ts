// Imports one platform of an image for several, for nodes that run no other.
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

const hello = new ImportedImage("hello", {
  registry,
  source: "docker.io/library/hello-world:latest",
  platform: "linux/arm64",
  targetTags: ["hello-world:latest-arm64"],
});

export const image = hello.reference;

// What the tag at the source stands for: all platforms.
export const index = hello.indexDigest;
