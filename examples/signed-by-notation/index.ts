// Imports an image only if it is signed with Notation.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

const app = new ImportedImage("app", {
  registry,
  source: "docker.io/owner/app:1.4",
  verify: {
    notation: {
      // The certificate of the authority that certifies the publisher, in a file beside this program. Signatures with short-lived
      // certificates carry a timestamp: then trustStore.tsa has the root certificate of the timestamp authority.
      trustStore: { ca: [readFileSync("ca.pem", "utf8")] },
      trustedIdentities: ["x509.subject: C=US, ST=WA, O=Wabbit Networks"],
      revocation: "skip",
    },
  },
  // The signature comes along, so that the cluster can verify it, too.
  referrers: true,
});

export const image = app.reference;
export const { signature, signedBy } = app;
