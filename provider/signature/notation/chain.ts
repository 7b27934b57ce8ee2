/**
 * Chains of certificates, from a leaf to a root.
 * https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md#certificate-requirements
 */

import { quoted, Rejection } from "../rejection";
import { type Certificate, isIssuedBy, isSelfSigned, nameOf } from "./certificate";
import { describeKey, isStrongKey } from "./key";

/** More certificates than any CA needs; a bound for the work that a signature can cause. */
export const MAX_CERTIFICATES = 10;

/** What a leaf may be for, and what a rejected chain is called. */
export type Purpose = "code signing" | "timestamping";
const CHAIN_OF: Readonly<Record<Purpose, string>> = {
  "code signing": "a certificate chain",
  timestamping: "a timestamp with a certificate chain",
};

const ANY_PURPOSE = "2.5.29.37.0";
const TIMESTAMPING = "1.3.6.1.5.5.7.3.8";
const NOT_FOR_CODE = {
  [ANY_PURPOSE]: "anyExtendedKeyUsage",
  "1.3.6.1.5.5.7.3.1": "serverAuth",
  "1.3.6.1.5.5.7.3.2": "clientAuth",
  "1.3.6.1.5.5.7.3.4": "emailProtection",
  [TIMESTAMPING]: "timeStamping",
  "1.3.6.1.5.5.7.3.9": "OCSPSigning",
};

/** Checks a complete chain: each certificate is issued by the next one, the last one by itself, and may be where it is. */
export function checkChain(chain: readonly Certificate[], purpose: Purpose): void {
  chain.forEach((certificate, index) => {
    const issuer = chain[index + 1] ?? certificate;
    const problem =
      issuanceProblem(certificate, issuer) ??
      (index === 0 ? leafProblem(certificate, purpose) : caProblem(certificate, purpose, index - 1));
    if (problem === undefined) return;
    throw new Rejection(`has ${CHAIN_OF[purpose]} in which ${quoted(nameOf(certificate))} ${problem}`);
  });
}

/** A reason is a predicate of the certificate; `undefined` when all is well. */
type Problem = string | undefined;

function issuanceProblem(certificate: Certificate, issuer: Certificate): Problem {
  const isLast = issuer === certificate;
  if (certificate.signatureHash === undefined) return "is not signed with SHA-256, SHA-384 or SHA-512";
  if (!isStrongKey(certificate.key)) return `has an unsupported key (${describeKey(certificate.key)})`;
  if (!isLast && isSelfSigned(certificate)) return "is self-signed but not the last";
  if (isIssuedBy(certificate, issuer)) return undefined;
  return isLast ? "is the last but not self-signed" : "is not issued by the next certificate";
}

/** @param below - The number of CA certificates between this one and the leaf. */
function caProblem(
  { basicConstraints, keyUsage, extendedKeyUsage }: Certificate,
  purpose: Purpose,
  below: number,
): Problem {
  if (!basicConstraints?.isCa) return "is not a CA certificate";
  if (!basicConstraints.critical) return "has basic constraints that are not critical";
  const { pathLength } = basicConstraints;
  if (pathLength !== undefined && pathLength < below) return `may have at most ${pathLength} CA certificates below it`;
  if (!keyUsage?.usages.includes("keyCertSign")) return "lacks the key usage keyCertSign";
  // For timestamping it should be critical, and real authorities follow; but it need not be.
  if (purpose === "code signing" && !keyUsage.critical) return "has a key usage that is not critical";
  const purposes = extendedKeyUsage?.purposes ?? [ANY_PURPOSE];
  const isFit = purpose === "code signing" || [ANY_PURPOSE, TIMESTAMPING].some((one) => purposes.includes(one));
  return isFit ? undefined : "must not issue certificates for timestamping";
}

function leafProblem({ basicConstraints, keyUsage, extendedKeyUsage }: Certificate, purpose: Purpose): Problem {
  if (basicConstraints?.isCa) return "signs although it is a CA certificate";
  if (!keyUsage?.usages.includes("digitalSignature")) return "lacks the key usage digitalSignature";
  if (purpose === "code signing" && !keyUsage.critical) return "has a key usage that is not critical";
  const other = keyUsage.usages.filter((usage) => usage !== "digitalSignature" && usage !== "nonRepudiation");
  if (other.length > 0) return `must not have the key usage ${other.join(", ")}`;

  if (purpose === "code signing") {
    const wrong = Object.entries(NOT_FOR_CODE).find(([oid]) => extendedKeyUsage?.purposes.includes(oid));
    return wrong && `must not have the extended key usage ${wrong[1]}`;
  }
  // https://www.rfc-editor.org/rfc/rfc3161#section-2.3
  const isOnlyTimestamping = extendedKeyUsage?.purposes.join() === TIMESTAMPING;
  if (!isOnlyTimestamping) return "must have the extended key usage timeStamping, and no other";
  return extendedKeyUsage.critical ? undefined : "has an extended key usage that is not critical";
}

/**
 * Finds the chain from a leaf to a trusted root among certificates in any order; `undefined` when there is none. Only the
 * first issuer that fits is followed, so that the work is bounded.
 */
export function findChain(
  leaf: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
): readonly Certificate[] | undefined {
  const chain = [leaf];
  for (let last: Certificate | undefined = leaf; last !== undefined; ) {
    const certificate: Certificate = last;
    if (roots.some(({ der }) => der.equals(certificate.der))) return chain;
    const intermediates = others.filter((other) => !chain.includes(other) && !isSelfSigned(other));
    last = [...roots, ...intermediates].find((issuer) => isIssuedBy(certificate, issuer));
    if (last) chain.push(last);
  }
  return undefined;
}

/** The first certificate that is not valid during the whole period. */
export function invalidDuring(chain: readonly Certificate[], from: Date, to: Date): Certificate | undefined {
  return chain.find(({ notBefore, notAfter }) => !(notBefore <= from && to <= notAfter));
}
