/** What was found in a registry that may be signatures of an image. */
import type { Failure } from "../failure/failure";
import type { Digest } from "../reference/digest";
import type { SignatureCandidate } from "./candidate";

export interface FoundSignatures {
  readonly candidates: readonly (SignatureCandidate | UnreadCandidate)[];
  /** Where was searched, for messages. */
  readonly searched: { readonly referrers: string; readonly cosignTag: string };
}

/** A manifest that could not be read: it might be the signature. */
export interface UnreadCandidate {
  readonly digest: Digest;
  readonly failure: Failure;
}
