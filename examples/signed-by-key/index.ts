// Imports an image only if it is signed with a key of cosign.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

const app = new ImportedImage("app", {
  registry,
  source: "docker.io/owner/app:1.4",
  // The publisher's public key, in a file beside this program.
  verify: { cosign: { key: readFileSync("cosign.pub", "utf8") } },
  // The signature comes along, so that the cluster can verify it, too.
  referrers: true,
});

export const image = app.reference;
export const { signature, signedBy } = app;
