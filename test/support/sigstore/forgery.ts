/** What tests of forged signatures share: each forgery differs in one thing from a signature that counts. */
import type { Verdict } from "../../../provider/signature/candidate";
import { verifyCosign } from "../../../provider/signature/cosign";
import { cosignPolicy, IMAGE } from "../cosign-fixtures";
import { type NewCandidate, newCandidate } from "../signature-candidate";
import type { Keys } from "./certificate-authority";

/** What is forged, the policy that it must not satisfy, and a part of the reason. */
export type Forgery = readonly [what: string, made: NewCandidate, policy: unknown, reason: RegExp];

export const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString("base64");
export const pemOf = ({ publicKey }: Keys) => publicKey.export({ format: "pem", type: "spki" }).toString();

/** The verdict about a candidate for {@link IMAGE}. */
export function verify(made: NewCandidate, policy: unknown): Promise<Verdict> {
  return verifyCosign(IMAGE, newCandidate(made), cosignPolicy(policy));
}

/** Text with the first occurrence of something replaced; it must be there. */
export function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`${from} is not in ${text}`);
  return text.replace(from, () => to);
}
