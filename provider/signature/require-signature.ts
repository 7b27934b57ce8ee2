/** Decides from all candidates whether an image is signed. */
import { type Failure, failureOf, ImportError } from "../failure/failure";
import { type SignatureTool, signatureFailure } from "../failure/signature";
import type { Digest } from "../reference/digest";
import type { SignatureCandidate, Verdict } from "./candidate";

/** The signature that counts, as outputs of the resource. */
export interface AcceptedSignature {
  readonly signature: Digest;
  readonly signedBy: string;
}

/**
 * Returns the first signature that counts; the candidates after it are not read.
 *
 * @param searched - Where candidates were searched, for the message.
 * @throws ImportError SIGNATURE_MISSING, SIGNATURE_REJECTED, or SIGNATURE_UNREADABLE when none counts and one of them could
 *   not be read: it might have been the one.
 */
export async function requireSignature<Candidate extends Pick<SignatureCandidate, "digest">>(
  image: string,
  tool: SignatureTool,
  candidates: readonly Candidate[],
  searched: readonly string[],
  verify: (candidate: Candidate) => Promise<Verdict>,
): Promise<AcceptedSignature> {
  const rejected: { readonly digest: Digest; readonly rejected: string }[] = [];
  let unreadable: Failure | undefined;
  for (const candidate of candidates) {
    try {
      const verdict = await verify(candidate);
      if ("signedBy" in verdict) return { signature: candidate.digest, signedBy: verdict.signedBy };
      rejected.push({ digest: candidate.digest, rejected: verdict.rejected });
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      unreadable ??= failure;
    }
  }
  if (unreadable !== undefined) throw new ImportError(signatureFailure.unreadable(image, tool, unreadable));
  if (rejected.length > 0) throw new ImportError(signatureFailure.rejected(image, tool, rejected));
  throw new ImportError(signatureFailure.missing(image, tool, searched));
}
