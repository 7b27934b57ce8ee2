/** What a registry holds that may be a signature of an image. */
import type { Digest } from "../reference/digest";

export interface LayerDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}
/** A parsed manifest, as far as signatures need it. */
export interface SignatureManifest {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config?: { readonly mediaType: string; readonly digest: Digest };
  readonly subject?: { readonly digest: Digest };
  readonly layers: readonly LayerDescriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}
/** A manifest that may hold signatures of an image: a referrer, or what one of cosign's tags points to. */
export interface SignatureCandidate {
  /** Digest of the manifest, checked against its bytes. */
  readonly digest: Digest;
  readonly manifest: SignatureManifest;
  /** Reads a layer and checks its digest. Throws when it is larger than `maxBytes`. */
  readonly blob: (layer: LayerDescriptor, maxBytes: number) => Promise<Buffer>;
}
/** The outcome for one candidate. A reason is a predicate. */
export type Verdict = { readonly signedBy: string } | { readonly rejected: string };
