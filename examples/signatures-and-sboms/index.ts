// Imports an image with the signatures, SBOMs and attestations that refer to it.
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

// Everything, also what refers to one platform only.
const app = new ImportedImage("app", {
  registry,
  source: "docker.io/owner/app:1.4",
  referrers: true,
});

// Signatures only: bundles of cosign 3, signatures of Notation, and cosign's tags.
const tool = new ImportedImage("tool", {
  registry,
  source: "docker.io/owner/tool:2",
  referrers: { artifactTypes: ["application/vnd.dev.sigstore.bundle*", "application/vnd.cncf.notary.signature"] },
});

export const images = pulumi.all([app.reference, tool.reference]);

// Lines such as "application/spdx+json sha256:…".
export const referrers = pulumi.all([app.referrers, tool.referrers]);
