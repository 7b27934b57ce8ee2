/** A company that signs, its CA, its timestamp authority, and strangers. */
import type { SignatureCandidate } from "../../../provider/signature/candidate";
import { type SignedImage, verifyNotation } from "../../../provider/signature/notation";
import { type NotationPolicy, parseNotationPolicy } from "../../../provider/signature/notation-policy";
import { CA_EXTENSIONS, issue, TSA_EXTENSIONS } from "./notation-certificates";
import { candidateOf, IMAGE, type Signed } from "./notation-envelopes";

export const NOW = new Date("2026-12-01T00:00:00Z");

export const root = issue("Root", { extensions: CA_EXTENSIONS });
export const intermediate = issue("Intermediate", { issuer: root, extensions: CA_EXTENSIONS });
export const leaf = issue("signer", { issuer: intermediate });
export const chain = [leaf, intermediate, root];
export const otherRoot = issue("Other Root", { extensions: CA_EXTENSIONS });

export const tsaRoot = issue("TSA Root", { extensions: CA_EXTENSIONS });
export const tsa = issue("TSA", { issuer: tsaRoot, extensions: TSA_EXTENSIONS });

export interface PolicyChoice {
  readonly ca?: readonly string[];
  readonly tsa?: readonly string[];
  readonly identities?: readonly string[];
}

/** By default: the root, no timestamps, and the company. */
export function policyOf({
  ca = [root.pem],
  tsa,
  identities = ["x509.subject: C=US, ST=WA, O=Wabbit Networks"],
}: PolicyChoice): NotationPolicy {
  const args = { trustStore: { ca, ...(tsa && { tsa }) }, trustedIdentities: identities, revocation: "skip" };
  const parsed = parseNotationPolicy("verify.notation", args);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}

/** What a forger presents, and the reason for which it is rejected. */
export interface Forgery {
  readonly signed: Signed | SignatureCandidate;
  readonly reason: RegExp;
  readonly policy?: PolicyChoice;
  readonly image?: SignedImage;
  readonly now?: string;
}

export type Forgeries = Readonly<Record<string, () => Forgery>>;

/** One test for each forgery. */
export function rejectsEach(forgeries: Forgeries): void {
  test.each(Object.entries(forgeries))("%s", async (_, make) => {
    const { signed, reason, policy = {}, image = IMAGE, now } = make();
    const candidate = "bytes" in signed ? candidateOf(signed) : signed;
    const verdict = await verifyNotation(image, candidate, policyOf(policy), now === undefined ? NOW : new Date(now));
    expect(verdict).toEqual({ rejected: expect.stringMatching(reason) });
  });
}
