/** Reads manifests, indexes and lists of referrers. */
import { createHash } from "node:crypto";
import { isObject, parseJson } from "../json";
import { type Digest, isDigest } from "../reference/digest";
import { isSamePlatform } from "../reference/platform";

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface ManifestDescriptor {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size?: number;
}

/** A manifest within an index. */
export interface IndexEntry extends ManifestDescriptor {
  /** `os/architecture[/variant]`; entries that are not images, such as attestations, have none. */
  readonly platform?: string;
}

/** A manifest, its digest checked against its bytes. */
export interface Manifest {
  readonly descriptor: ManifestDescriptor;
  readonly bytes: Buffer;
  /** The manifests of an index; empty for a single image or artifact. */
  readonly entries: readonly IndexEntry[];
  /** The platforms of an index, in its order, each once. */
  readonly platforms: readonly string[];
  /** The configuration of a single image, which contains its platform. */
  readonly config?: Digest;
  /** What kind of artifact it is: its artifact type, or else the media type of its configuration. */
  readonly artifactType?: string;
  /** The manifest that it refers to: what a signature signs. */
  readonly subject?: Digest;
}

/** A manifest that refers to another one, as a list describes it: a signature, an SBOM, an attestation. */
export interface Referrer extends ManifestDescriptor {
  /** What the list says, which may be missing or wrong: for messages only. */
  readonly artifactType?: string;
}

export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

const INDEX_TYPES = [OCI_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"] as const;

const CONFIG_TYPES: readonly unknown[] = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
];

/** For the `Accept` header. Without the OCI types some registries respond with 404 for a tag that exists. */
export const MANIFEST_TYPES = [
  ...INDEX_TYPES,
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  // Artifacts had a manifest of their own before the image specification 1.1; registries keep them.
  "application/vnd.oci.artifact.manifest.v1+json",
].join(", ");

/** Whether a media type is that of an index. */
export function isIndexType(mediaType: unknown): boolean {
  return (INDEX_TYPES as readonly unknown[]).includes(mediaType);
}

/** The media type of a `Content-Type` header, if it can be a manifest's. */
export function manifestType(contentType: string | undefined): string | undefined {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return /^application\/([a-z0-9.-]+\+)?(json|prettyjws)$/.test(type) ? type : undefined;
}

/** The digest of bytes, by the algorithm of `like` or sha256. */
export function digestOf(bytes: Buffer, like?: Digest): Digest {
  const algorithm = like?.startsWith("sha512:") ? "sha512" : "sha256";
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}` as Digest;
}

/** Reads the body of a manifest; a string is the reason why it is none. */
export function readManifest(bytes: Buffer, contentType: string | undefined, digest: Digest): Manifest | string {
  const type = manifestType(contentType);
  const body = parseJson(bytes.toString("utf8"));
  const isManifest = isObject(body) && (type !== undefined || body.schemaVersion === 2);
  if (!isManifest) return type === undefined ? mediaTypeProblem(contentType) : "the manifest is not valid JSON";

  // The manifest itself is more specific than a type such as application/json.
  const declared = typeof body.mediaType === "string" ? manifestType(body.mediaType) : undefined;
  const mediaType = type !== undefined && type !== "application/json" ? type : (declared ?? "application/json");
  const entries = readDescriptors(body.manifests).map(({ platform, ...descriptor }) => {
    const name = platformName(platform);
    return { ...descriptor, ...(name !== undefined && { platform: name }) };
  });
  const platforms = new Set(entries.flatMap(({ platform }) => platform ?? []));
  const [config] = readDescriptors([body.config]);
  const [subject] = readDescriptors([body.subject]);
  // https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
  const artifactType = textOf(body.artifactType) ?? textOf(config?.mediaType);
  return {
    descriptor: { digest, mediaType, size: bytes.length },
    bytes,
    entries,
    platforms: [...platforms],
    ...(config && CONFIG_TYPES.includes(config.mediaType) && { config: config.digest }),
    ...(artifactType !== undefined && { artifactType }),
    ...(subject && { subject: subject.digest }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function mediaTypeProblem(contentType: string | undefined): string {
  return contentType === undefined
    ? "the manifest has no media type"
    : `the media type ${contentType} is not a manifest's`;
}

/** The platform in the configuration of an image. */
export function readPlatform(config: Buffer): string | undefined {
  return platformName(parseJson(config.toString("utf8")));
}

/** The entry of an index for a platform such as `linux/arm64/v8`, the first one when several differ in finer points only. */
export function entryFor({ entries }: Manifest, wanted: string): IndexEntry | undefined {
  return entries.find(({ platform }) => platform !== undefined && isSamePlatform(platform, wanted));
}

/** Reads an index of referrers; `undefined` when the bytes are none. */
export function readReferrers(bytes: Buffer): Referrer[] | undefined {
  const body = parseJson(bytes.toString("utf8"));
  if (!isObject(body) || !Array.isArray(body.manifests)) return undefined;
  return readDescriptors(body.manifests).map(({ digest, mediaType, size, artifactType }) => {
    const type = textOf(artifactType);
    return {
      digest,
      mediaType,
      ...(size !== undefined && { size }),
      ...(type !== undefined && { artifactType: type }),
    };
  });
}

interface Descriptor extends ManifestDescriptor {
  readonly platform?: unknown;
  readonly artifactType?: unknown;
}

function readDescriptors(list: unknown): Descriptor[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).flatMap(({ digest, mediaType, size, platform, artifactType }) =>
    typeof digest === "string" && isDigest(digest)
      ? {
          digest,
          mediaType: typeof mediaType === "string" ? mediaType : "",
          ...(typeof size === "number" && { size }),
          platform,
          artifactType,
        }
      : [],
  );
}

function platformName(platform: unknown): string | undefined {
  if (!isObject(platform)) return undefined;
  const { os, architecture, variant } = platform;
  if (!isPlatformPart(os) || !isPlatformPart(architecture) || os === "unknown" || architecture === "unknown") {
    return undefined;
  }
  return [os, architecture, ...(isPlatformPart(variant) ? [variant] : [])].join("/");
}

/** A platform is stored in the state and printed, so that its parts must be short words. */
function isPlatformPart(part: unknown): part is string {
  return typeof part === "string" && /^[\w.-]{1,64}$/.test(part);
}
