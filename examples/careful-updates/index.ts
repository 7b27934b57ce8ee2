// Imports images whose tags are not followed at once when they move.
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

// A tag that moves with every release: a new digest waits for three days. Run `pulumi up` daily.
const latest = new ImportedImage("latest", {
  registry,
  source: "docker.io/owner/app:latest",
  cooldown: "3d",
});

// A tag that must not move: another digest is an error.
const release = new ImportedImage("release", {
  registry,
  source: "docker.io/owner/app:1.4",
  onSourceMove: "fail",
});

export const images = pulumi.all([latest.reference, release.reference]);

// While a digest waits: "sha256:… since 2026-11-25T04:00Z".
export const waiting = latest.candidate;
