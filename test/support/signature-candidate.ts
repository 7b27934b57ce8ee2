/** Makes and reads manifests that may hold signatures. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { ImportError } from "../../provider/failure/failure";
import { registryFailure } from "../../provider/failure/registry";
import type { Digest } from "../../provider/reference/digest";
import type { LayerDescriptor, SignatureCandidate, SignatureManifest } from "../../provider/signature/candidate";

export interface NewLayer {
  readonly mediaType: string;
  readonly content: Buffer | string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface NewCandidate {
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly configType?: string;
  readonly layers: readonly NewLayer[];
}

export const digestOfBytes = (bytes: Buffer | string) =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;

/** A candidate whose layers are in memory; `reads` counts how often one is read. */
export function newCandidate(made: NewCandidate): SignatureCandidate & { readonly reads: readonly Digest[] } {
  const layers = made.layers.map(({ mediaType, content, annotations = {} }) => ({
    mediaType,
    digest: digestOfBytes(content),
    size: Buffer.byteLength(content),
    annotations,
  }));
  const manifest = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    ...(made.artifactType !== undefined && { artifactType: made.artifactType }),
    config: {
      mediaType: made.configType ?? "application/vnd.oci.image.config.v1+json",
      digest: digestOfBytes("{}"),
    },
    ...(made.subject !== undefined && { subject: { digest: made.subject } }),
    layers,
    annotations: {},
  };
  const contents = new Map(made.layers.map(({ content }) => [digestOfBytes(content), Buffer.from(content)]));
  return candidateOf(digestOfBytes(JSON.stringify(manifest)), manifest, (digest) => contents.get(digest));
}

/** A manifest that a real tool has written, from the blobs of an OCI image layout. */
export function readCandidate(folder: string, digest: string): SignatureCandidate {
  const blob = (wanted: string) => readFileSync(path.join(folder, wanted.replace("sha256:", "")));
  const stored = JSON.parse(blob(digest).toString("utf8")) as Partial<SignatureManifest> &
    Pick<SignatureManifest, "mediaType" | "config">;
  const layers = (stored.layers ?? []).map((layer) => ({ ...layer, annotations: layer.annotations ?? {} }));
  return candidateOf(digest as Digest, { ...stored, layers, annotations: stored.annotations ?? {} }, blob);
}

function candidateOf(
  digest: Digest,
  manifest: SignatureManifest,
  contentOf: (digest: Digest) => Buffer | undefined,
): SignatureCandidate & { readonly reads: readonly Digest[] } {
  const reads: Digest[] = [];
  const blob = async ({ digest, size }: LayerDescriptor, maxBytes: number) => {
    reads.push(digest);
    const content = contentOf(digest);
    if (content === undefined || size > maxBytes || digestOfBytes(content) !== digest) {
      throw new ImportError(registryFailure.notFound("source", digest));
    }
    return content;
  };
  return { digest, manifest, blob, reads };
}
