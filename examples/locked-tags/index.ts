// Imports an image, and locks its tags against changes and deletion.
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

// A release: nobody moves or deletes its tag.
const release = new ImportedImage("release", {
  registry,
  source: "docker.io/library/hello-world:latest",
  targetTags: ["hello-world:1.0"],
  lock: true,
});

// Only deletion is prevented; `pulumi destroy` takes the lock off and removes the tag.
const latest = new ImportedImage("latest", {
  registry,
  source: "docker.io/library/hello-world:latest",
  targetTags: ["hello-world:latest"],
  lock: { delete: true },
  onDelete: "untag",
});

export const images = pulumi.all([release.reference, latest.reference]);
