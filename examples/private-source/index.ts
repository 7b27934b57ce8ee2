// Imports an image from a private registry under two tags, which `pulumi destroy` removes again.
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

// pulumi config set username …
// pulumi config set --secret token …
const config = new pulumi.Config();

const tensorflow = new ImportedImage("tensorflow", {
  registry: config.get("registry") ?? "myregistry",
  source: {
    image: "docker.io/tensorflow/tensorflow:latest-gpu",
    credentials: { username: config.require("username"), password: config.requireSecret("token") },
  },
  targetTags: ["tensorflow:latest-gpu", "tensorflow:stable"],
  onDelete: "untag",
});

export const image = tensorflow.reference;
