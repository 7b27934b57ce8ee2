/** A signature by cosign, whichever form it was stored in. */
import type { Bundle } from "@sigstore/bundle";

export interface CosignSignature {
  /** The digests that it signs. */
  readonly digests: readonly string[];
  /** The bytes that the signature covers. */
  readonly signed: Buffer;
  readonly signature: Buffer;
  /** The same as Sigstore's packages verify it; missing when it was made without a certificate. */
  readonly certified?: () => CertifiedSignature;
}

/** A signature made with a certificate. */
export interface CertifiedSignature {
  readonly bundle: Bundle;
  /** What was signed, when the bundle does not contain it. */
  readonly artifact?: Buffer;
}
