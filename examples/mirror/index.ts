// Mirrors tags of several repositories. What comes, moves and leaves is shown by preview.
import * as pulumi from "@pulumi/pulumi";
import { ImportedRepository } from "pulumi-acr-import";

const registry = new pulumi.Config().get("registry") ?? "myregistry";

// Every release of three major versions, now and in the future.
const postgres = new ImportedRepository("postgres", {
  registry,
  source: "docker.io/library/postgres",
  semver: ">=16, <19",
  onSourceUnavailable: "keep",
});

// The newest five releases of one variant: group 1 of the pattern is the version. What a newer release displaces is untagged.
new ImportedRepository("nginx", {
  registry,
  source: "docker.io/library/nginx",
  extract: "(\\d+\\.\\d+\\.\\d+)-alpine",
  newest: 5,
  onDelete: "untag",
  onSourceUnavailable: "keep",
});

// By a pattern and under other names: v3.1.0 becomes monitoring/prometheus:3.1.0-mirror.
new ImportedRepository("prometheus", {
  registry,
  source: "docker.io/prom/prometheus",
  match: "v3\\..*",
  exclude: ".*-rc.*",
  targetRepository: "monitoring/prometheus",
  stripPrefix: "v",
  tagSuffix: "-mirror",
  onSourceUnavailable: "keep",
});

// References by digest, for what deploys them.
export const database = postgres.reference("17.2");
