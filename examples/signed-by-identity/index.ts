// Imports an image only if its release workflow has signed it with cosign, without a key ("keyless").
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

// For another Sigstore deployment than the public one: pulumi config set trustedRoot -- "$(cat trusted_root.json)"
const config = new pulumi.Config();
const trustedRoot = config.get("trustedRoot");

const app = new ImportedImage("app", {
  registry: config.get("registry") ?? "myregistry",
  source: "docker.io/owner/app:1.4",
  verify: {
    cosign: {
      issuer: "https://token.actions.githubusercontent.com",
      subject: "https://github\\.com/owner/app/\\.github/workflows/release\\.yml@refs/tags/v.*",
      ...(trustedRoot !== undefined && { trustedRoot }),
    },
  },
  // The signature comes along, so that the cluster can verify it, too.
  referrers: true,
});

export const image = app.reference;
export const { signature, signedBy } = app;
