/** Decides whether an image carries the signatures that a policy asks for. */
import { ImportError } from "../failure/failure";
import type { Digest } from "../reference/digest";
import type { SignatureCandidate, SignatureManifest, Verdict } from "./candidate";
import { isCosignManifest, verifyCosign } from "./cosign";
import type { FoundSignatures, UnreadCandidate } from "./found-signatures";
import { isNotationSignature, verifyNotation } from "./notation";
import { type AcceptedSignature, requireSignature } from "./require-signature";
import type { VerifyPolicy } from "./verify-policy";

export { parseVerifyPolicy } from "./verify-policy";

/** The signatures that count, as outputs of the resource: one, or one of each tool. */
export interface AcceptedSignatures {
  readonly signature: string;
  readonly signedBy: string;
}

/**
 * Requires a signature of each tool that the policy names.
 *
 * @param image - For messages.
 * @param digest - What must be signed.
 * @throws ImportError SIGNATURE_MISSING, SIGNATURE_REJECTED or SIGNATURE_UNREADABLE.
 */
export async function requireSignatures(
  image: string,
  digest: Digest,
  { cosign, notation }: VerifyPolicy,
  { candidates, searched: { referrers, cosignTag } }: FoundSignatures,
  now: Date,
): Promise<AcceptedSignatures> {
  const accepted: AcceptedSignature[] = [];
  if (cosign) {
    const verify = ifRead((candidate) => verifyCosign(digest, candidate, cosign));
    const signatures = candidates.filter(mayBe(isCosignManifest));
    accepted.push(await requireSignature(image, "cosign", signatures, [referrers, cosignTag], verify));
  }
  if (notation) {
    const verify = ifRead((candidate) => verifyNotation({ digest }, candidate, notation, now));
    const signatures = candidates.filter(mayBe(isNotationSignature));
    accepted.push(await requireSignature(image, "Notation", signatures, [referrers], verify));
  }
  return {
    signature: accepted.map(({ signature }) => signature).join(" and "),
    signedBy: accepted.map(({ signedBy }) => signedBy).join(" and "),
  };
}

type Candidate = SignatureCandidate | UnreadCandidate;

function mayBe(isOfTool: (manifest: SignatureManifest) => boolean): (candidate: Candidate) => boolean {
  return (candidate) => "failure" in candidate || isOfTool(candidate.manifest);
}

function ifRead(
  verify: (candidate: SignatureCandidate) => Promise<Verdict>,
): (candidate: Candidate) => Promise<Verdict> {
  return async (candidate) => {
    if ("failure" in candidate) throw new ImportError(candidate.failure);
    return verify(candidate);
  };
}
