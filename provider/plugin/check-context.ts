/** What `check` works with, and what each part of it results in. */
import type { Failure } from "../failure/failure";
import type { Digest } from "../reference/digest";
import type { Inputs, ProgramContext } from "../resource/state";

/** What `check` knows beside the arguments. */
export interface CheckContext extends ProgramContext {
  /** The recorded digest, where `ignoreChanges: ["sourceDigest"]` keeps it. */
  readonly keep?: Digest | undefined;
  /** `ignoreChanges: ["referrers"]` keeps what is recorded about referrers. */
  readonly keepReferrers?: boolean;
  /** `ImportedImage.get` reads the digest from the target. */
  readonly readsTarget?: boolean;
  /** The time of the check, in milliseconds since the epoch. */
  readonly now: number;
}

/** A part of the inputs, or why it is missing. A warning is a failure that the operation can do without. */
export interface Resolved<T> {
  readonly value: T;
  readonly failure?: Failure;
  readonly warning?: Failure;
}

/** What the source says, as far as it goes into the inputs. Empty while only the target can tell the digest. */
export type SourceDigests = Pick<Inputs, "sourceDigest" | "indexDigest" | "candidate">;

/** The recorded digests, without a candidate for their place. */
export function recordedDigests({ sourceDigest, indexDigest }: Partial<Inputs>): SourceDigests {
  return { ...(sourceDigest && { sourceDigest }), ...(indexDigest && { indexDigest }) };
}
