/** Manifests: media types, descriptors, platforms. */
import { RegistryError } from "./registry-error";

export const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  artifactManifest: "application/vnd.oci.artifact.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  empty: "application/vnd.oci.empty.v1+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

const manifestTypes: ReadonlySet<string> = new Set([
  mediaTypes.index,
  mediaTypes.manifest,
  mediaTypes.artifactManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
]);

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
  "os.version"?: string;
}

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: Platform;
  artifactType?: string;
  annotations?: Record<string, string>;
  urls?: string[];
}

/** The members of manifests and indexes that a registry reads. */
export interface ManifestContent {
  mediaType?: string;
  artifactType?: string;
  config?: Descriptor;
  layers?: Descriptor[];
  blobs?: Descriptor[];
  manifests?: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
}

export function isIndex(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerList;
}

/** Parses `os/architecture[/variant]`. */
export function parsePlatform(text: string): Platform {
  const [os = "", architecture = "", variant] = text.split("/");
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

export function printPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

/** Parses a pushed manifest; throws MANIFEST_INVALID if it is not JSON or of an unknown or contradictory media type. */
export function parseManifest(bytes: Buffer, contentType: string): { mediaType: string; content: ManifestContent } {
  let content: ManifestContent;
  try {
    content = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalid("manifest is not JSON");
  }
  if (typeof content !== "object" || content === null) throw invalid("manifest is not a JSON object");
  const declared = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const mediaType = declared || content.mediaType || "";
  if (!manifestTypes.has(mediaType)) throw invalid(`unknown manifest media type "${mediaType}"`);
  if (content.mediaType !== undefined && content.mediaType !== mediaType)
    throw invalid(`mediaType "${content.mediaType}" differs from Content-Type "${mediaType}"`);
  return { mediaType, content };
}

/** Blobs that must be in the repository before the manifest; non-distributable layers need not be. */
export function requiredBlobs(content: ManifestContent): Descriptor[] {
  const layers = [...(content.layers ?? []), ...(content.blobs ?? [])];
  return [
    ...(content.config ? [content.config] : []),
    ...layers.filter((layer) => !isNondistributable(layer.mediaType)),
  ];
}

function isNondistributable(mediaType: string): boolean {
  return mediaType.includes(".nondistributable.") || mediaType.includes(".foreign.");
}

function invalid(reason: string): RegistryError {
  return new RegistryError(400, "MANIFEST_INVALID", reason);
}
