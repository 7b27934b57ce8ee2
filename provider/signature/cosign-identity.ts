/** Identities that sign without a key of their own, with a short-lived certificate of a Sigstore deployment. */
import { InvalidReference } from "../reference/invalid-reference";
import { compilePattern } from "../reference/pattern";
import type { TrustedRootJson } from "./trusted-root";

/** Who must have signed. */
export interface CosignIdentity {
  /** URL of the OpenID Connect issuer that has authenticated the signer, exactly. */
  readonly issuer: string;
  /** RE2 that the whole subject must match. */
  readonly subject: string;
  /** By default the root of the public-good deployment, https://docs.sigstore.dev/about/security/. */
  readonly trustedRoot?: TrustedRootJson;
}

/** Subjects that have nothing in common: what matches them all matches everything. */
const UNRELATED_SUBJECTS = ["a", "someone@example.com", "https://example.org/owner/app/.github/workflows/x.yml@refs/x"];

/** @throws InvalidReference with the reason. */
export function parseIssuer(text: string): string {
  // None of these characters stands in a URL, most of them stand in patterns.
  if (!/^https:\/\/[^\s*\\^|[\]{}<>"`]+$/.test(text)) {
    throw new InvalidReference(
      "must be the exact URL of an OpenID Connect issuer, such as https://token.actions.githubusercontent.com",
    );
  }
  return text;
}

/** @throws InvalidReference with the reason. */
export function parseSubject(text: string): string {
  if (text === "") throw new InvalidReference("must not be empty");
  const pattern = compilePattern(text);
  if (UNRELATED_SUBJECTS.every((subject) => pattern.matches(subject))) {
    throw new InvalidReference(
      "must not match every subject",
      "Name at least the owner: https://github\\.com/owner/.*",
    );
  }
  return text;
}

/** Whether the subject of a certificate is the one that is required: as a whole, so that no prefix of it suffices. */
export function matchesSubject({ subject }: CosignIdentity, actual: string): boolean {
  return compilePattern(subject).matches(actual);
}
