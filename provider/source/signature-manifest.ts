/** Reads a manifest as verification needs it. */
import { isObject, parseJson } from "../json";
import { type Digest, isDigest } from "../reference/digest";
import type { Manifest } from "../registry/client";
import type { LayerDescriptor, SignatureManifest } from "../signature/candidate";

/** Reads the bytes of a manifest, whose digest is checked. What is not as specified is left out. */
export function readSignatureManifest({ descriptor, artifactType, subject, bytes }: Manifest): SignatureManifest {
  const json = parseJson(bytes.toString("utf8"));
  const body = isObject(json) ? json : {};
  const [config] = readDescriptors([body.config]);
  return {
    mediaType: descriptor.mediaType,
    ...(artifactType !== undefined && { artifactType }),
    ...(config && { config: { mediaType: config.mediaType, digest: config.digest } }),
    ...(subject !== undefined && { subject: { digest: subject } }),
    // `blobs` are those of the artifact manifest that the image specification had until its release 1.1.
    layers: readDescriptors(body.layers ?? body.blobs),
    annotations: readAnnotations(body.annotations),
  };
}

function readDescriptors(list: unknown): LayerDescriptor[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).flatMap(({ mediaType, digest, size, annotations }) =>
    isDigestText(digest)
      ? {
          mediaType: typeof mediaType === "string" ? mediaType : "",
          digest,
          // A layer is read up to a limit, whatever it is said to have.
          size: typeof size === "number" ? size : 0,
          annotations: readAnnotations(annotations),
        }
      : [],
  );
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === "string" && isDigest(value);
}

function readAnnotations(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
