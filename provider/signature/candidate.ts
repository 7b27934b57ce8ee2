/** What may be a signature of an image, and what verifying it led to: the same for cosign and Notation. */
import type { Digest } from "../reference/digest";

/** A manifest that may hold signatures of an image: a referrer, or what one of cosign's tags points to. */
export interface SignatureCandidate {
  /** Digest of the manifest, checked against its bytes. */
  readonly digest: Digest;
  readonly manifest: SignatureManifest;
  /** Reads a layer; its digest is checked. Throws an `ImportError` when it is larger than `maxBytes`. */
  readonly blob: (layer: LayerDescriptor, maxBytes: number) => Promise<Buffer>;
}

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md */
export interface SignatureManifest {
  readonly mediaType: string;
  readonly artifactType?: string;
  /** Missing for the artifact manifest that the image specification had until its release 1.1. */
  readonly config?: { readonly mediaType: string; readonly digest: Digest };
  /** Missing for cosign's tags. */
  readonly subject?: { readonly digest: Digest };
  readonly layers: readonly LayerDescriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface LayerDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The outcome for one candidate; the reason is a predicate: "signs sha256:…, not this image". */
export type Verdict = { readonly signedBy: string } | { readonly rejected: string };
