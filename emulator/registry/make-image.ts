/** Creates images and other artifacts in a store. */
import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { digestOf } from "./digest";
import { type Descriptor, isIndex, mediaTypes, type Platform, parsePlatform, printPlatform } from "./manifest";
import type { RegistryStore } from "./registry-store";
import { createTar } from "./tar";

/** `index` and `docker-list` hold one manifest per platform; the others are a single manifest. */
export type ImageKind =
  | "index"
  | "manifest"
  | "docker-list"
  | "docker"
  | "helm"
  | "artifact"
  /** The artifact manifest that the image specification had until its release 1.1. */
  | "artifact-manifest";

export interface ImageOptions {
  /** @default ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"], or its first for a single manifest */
  platforms?: readonly string[];
  /** Number of platform manifests in an index, to test limits; platforms repeat. */
  manifests?: number;
  /** @default "index" */
  kind?: ImageKind;
  /** Layers per platform. @default 1 */
  layers?: number;
  /** An attestation for each platform, as BuildKit adds them. @default true for "index" */
  attestations?: boolean;
  /** Type of an `artifact`. */
  artifactType?: string;
  annotations?: Record<string, string>;
}

export interface ImageDescription {
  digest: string;
  mediaType: string;
  platforms: string[];
}

interface Format {
  index: string;
  manifest: string;
  config: string;
  layer: string;
}

const oci: Format = {
  index: mediaTypes.index,
  manifest: mediaTypes.manifest,
  config: mediaTypes.config,
  layer: mediaTypes.layer,
};

const docker: Format = {
  index: mediaTypes.dockerList,
  manifest: mediaTypes.dockerManifest,
  config: mediaTypes.dockerConfig,
  layer: mediaTypes.dockerLayer,
};

const defaultPlatforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"];
const created = "2026-01-01T00:00:00Z";

/** Returns a text that no other content has. */
export type UniqueText = () => string;

/** Creates an image, with a tag if one is given. Its content is new unless `unique` returns the same texts as before. */
export function makeImage(
  store: RegistryStore,
  repository: string,
  tag: string | undefined,
  options: ImageOptions = {},
  unique: UniqueText = randomUUID,
): ImageDescription {
  const { kind = "index", annotations, artifactType = "application/vnd.example.artifact.v1" } = options;
  const put = (manifest: object, mediaType: string): Descriptor =>
    putManifest(store, repository, manifest, mediaType, tag);
  const { digest } = ((): Descriptor => {
    switch (kind) {
      case "index":
      case "docker-list":
        return put(buildIndex(store, repository, options, formatOf(kind), unique), formatOf(kind).index);
      case "manifest":
      case "docker":
        return put(
          buildManifest(store, repository, platformsOf(options, 1)[0], options, formatOf(kind), unique),
          formatOf(kind).manifest,
        );
      case "helm":
        return put(buildChart(store, repository, annotations, unique), mediaTypes.manifest);
      case "artifact":
        return put(buildArtifact(store, repository, { artifactType, annotations }, unique), mediaTypes.manifest);
      case "artifact-manifest": {
        const blobs = [putBlob(store, repository, uniqueBytes("artifact", unique), "application/octet-stream")];
        const manifest = { mediaType: mediaTypes.artifactManifest, artifactType, blobs, ...defined({ annotations }) };
        return put(manifest, mediaTypes.artifactManifest);
      }
    }
  })();
  const description = describeImage(store, repository, digest);
  if (description === undefined) throw new Error(`${repository}@${digest} was not stored`);
  return description;
}

/** Describes the image of a tag or digest; attestations do not count as platforms. */
export function describeImage(
  store: RegistryStore,
  repository: string,
  tagOrDigest: string,
): ImageDescription | undefined {
  const manifest = store.manifest(repository, tagOrDigest);
  if (manifest === undefined) return undefined;
  const { digest, mediaType, content } = manifest;
  const platforms = isIndex(mediaType)
    ? (content.manifests ?? []).flatMap(({ platform }) => platform ?? [])
    : [readConfig(store, repository, content.config)];
  return { digest, mediaType, platforms: platforms.filter((platform) => isPlatform(platform)).map(printPlatform) };
}

function isPlatform(platform: Partial<Platform>): platform is Platform {
  return platform.os !== undefined && platform.os !== "unknown";
}

function readConfig(store: RegistryStore, repository: string, config: Descriptor | undefined): Partial<Platform> {
  if (config?.mediaType !== mediaTypes.config && config?.mediaType !== mediaTypes.dockerConfig) return {};
  const { os, architecture, variant } = JSON.parse(store.blob(repository, config.digest)?.toString("utf8") ?? "{}");
  return { os, architecture, ...defined({ variant }) };
}

function formatOf(kind: ImageKind): Format {
  return kind === "docker" || kind === "docker-list" ? docker : oci;
}

function platformsOf(
  { platforms = defaultPlatforms, manifests }: ImageOptions,
  atLeast: number,
): [Platform, ...Platform[]] {
  const count = Math.max(manifests ?? platforms.length, atLeast);
  const names = Array.from({ length: count }, (_, position) => platforms[position % platforms.length] ?? "linux/amd64");
  const [first = parsePlatform("linux/amd64"), ...others] = names.map((name) => windowsVersion(parsePlatform(name)));
  return [first, ...others];
}

function windowsVersion(platform: Platform): Platform {
  return platform.os === "windows" ? { ...platform, "os.version": "10.0.17763.7678" } : platform;
}

function buildIndex(
  store: RegistryStore,
  repository: string,
  options: ImageOptions,
  format: Format,
  unique: UniqueText,
): object {
  const { attestations = format === oci, annotations } = options;
  const images = platformsOf(options, 0).map((platform) => ({
    ...putManifest(
      store,
      repository,
      buildManifest(store, repository, platform, options, format, unique),
      format.manifest,
    ),
    platform,
  }));
  const attested = attestations ? images.map((image) => putAttestation(store, repository, image)) : [];
  return {
    schemaVersion: 2,
    mediaType: format.index,
    manifests: [...images, ...attested],
    ...defined({ annotations }),
  };
}

function buildManifest(
  store: RegistryStore,
  repository: string,
  platform: Platform,
  { layers: count = 1, annotations }: ImageOptions,
  format: Format,
  unique: UniqueText,
): object {
  const archives = Array.from({ length: count }, () =>
    createTar("content.txt", uniqueBytes(printPlatform(platform), unique)),
  );
  const layers = archives.map((archive) => putBlob(store, repository, gzipSync(archive), format.layer));
  const config = putConfig(store, repository, platform, archives, format.config);
  return {
    schemaVersion: 2,
    mediaType: format.manifest,
    config,
    layers,
    ...(format === oci ? defined({ annotations }) : {}),
  };
}

function putConfig(
  store: RegistryStore,
  repository: string,
  platform: Platform,
  uncompressed: readonly Buffer[],
  mediaType: string,
): Descriptor {
  const config = {
    created,
    ...platform,
    config: { Cmd: ["/content.txt"] },
    rootfs: { type: "layers", diff_ids: uncompressed.map((layer) => digestOf(layer)) },
    history: uncompressed.map(() => ({ created, created_by: "COPY content.txt /" })),
  };
  return putBlob(store, repository, toJson(config), mediaType);
}

/**
 * BuildKit's provenance: an image manifest for `unknown/unknown` that names its image in annotations. Its config lists no
 * layers, since tools that validate images do not count statements as layers.
 */
function putAttestation(store: RegistryStore, repository: string, image: Descriptor): Descriptor {
  const predicateType = "https://slsa.dev/provenance/v1";
  const statement = toJson({
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType,
    subject: [{ digest: image.digest }],
  });
  const platform = { architecture: "unknown", os: "unknown" };
  const layer = {
    ...putBlob(store, repository, statement, "application/vnd.in-toto+json"),
    annotations: { "in-toto.io/predicate-type": predicateType },
  };
  const config = putConfig(store, repository, platform, [], mediaTypes.config);
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] };
  return {
    ...putManifest(store, repository, manifest, mediaTypes.manifest),
    annotations: {
      "vnd.docker.reference.digest": image.digest,
      "vnd.docker.reference.type": "attestation-manifest",
    },
    platform,
  };
}

function buildChart(
  store: RegistryStore,
  repository: string,
  annotations: Record<string, string> | undefined,
  unique: UniqueText,
): object {
  const chart = { name: repository.split("/").at(-1), version: "1.0.0", apiVersion: "v2" };
  const archive = gzipSync(createTar(`${chart.name}/Chart.yaml`, uniqueBytes(toJson(chart).toString("utf8"), unique)));
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: putBlob(store, repository, toJson(chart), "application/vnd.cncf.helm.config.v1+json"),
    layers: [putBlob(store, repository, archive, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")],
    ...defined({ annotations }),
  };
}

/** An artifact with one blob, and a subject if one is given. */
export function buildArtifact(
  store: RegistryStore,
  repository: string,
  {
    artifactType,
    subject,
    annotations,
  }: { artifactType: string; subject?: Descriptor; annotations?: Record<string, string> | undefined },
  unique: UniqueText,
): object {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: putBlob(store, repository, Buffer.from("{}"), mediaTypes.empty),
    layers: [putBlob(store, repository, uniqueBytes(artifactType, unique), "application/octet-stream")],
    ...defined({ subject, annotations }),
  };
}

export function putBlob(store: RegistryStore, repository: string, bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: store.putBlob(repository, bytes), size: bytes.length };
}

export function putManifest(
  store: RegistryStore,
  repository: string,
  manifest: object,
  mediaType: string,
  tag?: string,
): Descriptor {
  const { digest, bytes } = store.putManifest(repository, toJson(manifest), mediaType, tag);
  return { mediaType, digest, size: bytes.length };
}

function uniqueBytes(text: string, unique: UniqueText): Buffer {
  return Buffer.from(`${text}\n${unique()}\n`);
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The fields that are not undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
