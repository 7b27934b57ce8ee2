/** The signature envelope: what JWS and COSE have in common, and its rules. */

import { quoted, Rejection } from "../rejection";
import { type Certificate, parseCertificate } from "./certificate";
import { MAX_CERTIFICATES } from "./chain";
import { type Algorithm, describeKey, isSignature, signingKey } from "./key";

/** An envelope as its format's module reads it. Nothing in it is verified. */
export interface Envelope {
  /** As in JWS, whatever the format; `undefined` for an algorithm that the Notary Project does not permit. */
  readonly algorithm: Algorithm | undefined;
  readonly contentType: unknown;
  /** Names of the headers that a verifier must understand. */
  readonly critical: readonly string[];
  /** The other protected headers; times as Date. */
  readonly headers: ReadonlyMap<string, unknown>;
  readonly payload: Buffer;
  /** What the signature was made of. */
  readonly signedBytes: Buffer;
  readonly signature: Buffer;
  /** From the leaf to the root, in DER. */
  readonly certificates: readonly Buffer[];
  readonly timestamp: Buffer | undefined;
}

/** https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md#signed-attributes */
export const HEADER = {
  signingScheme: "io.cncf.notary.signingScheme",
  signingTime: "io.cncf.notary.signingTime",
  authenticSigningTime: "io.cncf.notary.authenticSigningTime",
  expiry: "io.cncf.notary.expiry",
  timestamp: "io.cncf.notary.timestampSignature",
} as const;
export const TIME_HEADERS: readonly string[] = [HEADER.signingTime, HEADER.authenticSigningTime, HEADER.expiry];

const PAYLOAD_TYPE = "application/vnd.cncf.notary.payload.v1+json";
const SIGNING_SCHEME = "notary.x509";

/** Verifies the signature with the key of the first certificate, and returns all of them. */
export function verifySignature(envelope: Envelope): readonly [Certificate, ...Certificate[]] {
  const { certificates, algorithm, signedBytes, signature } = envelope;
  if (certificates.length > MAX_CERTIFICATES) throw new Rejection(`has more than ${MAX_CERTIFICATES} certificates`);
  const [leaf, ...issuers] = certificates.map(parseCertificate);
  if (leaf === undefined) throw new Rejection("has no certificate");

  const key = signingKey(leaf.key);
  if (key === undefined) throw new Rejection(`is signed with an unsupported key (${describeKey(leaf.key)})`);
  // The key decides, so that nobody can choose a weaker algorithm than the signer.
  if (algorithm !== key.algorithm) {
    throw new Rejection(`names another algorithm (${algorithm ?? "unsupported"}) than its key has (${key.algorithm})`);
  }
  if (!isSignature(signedBytes, signature, leaf.key, key.hash)) {
    throw new Rejection("has a signature that does not belong to its content");
  }
  return [leaf, ...issuers];
}

/** Checks the protected headers, and returns the time from which on the signature must not be accepted. */
export function checkHeaders({ contentType, critical, headers }: Envelope): Date | undefined {
  if (contentType !== PAYLOAD_TYPE) throw new Rejection(`has the content type ${quoted(contentType)}`);
  const scheme = headers.get(HEADER.signingScheme);
  if (scheme !== SIGNING_SCHEME) {
    throw new Rejection(`has the signing scheme ${quoted(scheme)}; only ${SIGNING_SCHEME} is supported`);
  }
  const signingTime = headers.get(HEADER.signingTime);
  const expiry = headers.get(HEADER.expiry);
  if (!(signingTime instanceof Date)) throw new Rejection("has no signing time");
  if (headers.has(HEADER.authenticSigningTime)) {
    throw new Rejection(`has an authentic signing time, which the signing scheme ${SIGNING_SCHEME} does not permit`);
  }

  const known: string[] = [HEADER.signingScheme, ...(expiry === undefined ? [] : [HEADER.expiry])];
  const unknown = critical.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Rejection(`has the critical header ${quoted(unknown)}, which is not supported`);
  const uncritical = known.find((name) => !critical.includes(name));
  if (uncritical !== undefined) throw new Rejection(`has the header ${uncritical}, which is not marked critical`);

  if (expiry === undefined) return undefined;
  if (!(expiry instanceof Date) || expiry <= signingTime) throw new Rejection("expires before it was made");
  return expiry;
}
