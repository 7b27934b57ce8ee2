/** Verifies signatures that were made with a certificate of a Sigstore deployment instead of a key. */
import { X509Certificate } from "node:crypto";
import type { Bundle } from "@sigstore/bundle";
import type { TrustedRoot } from "@sigstore/protobuf-specs";
import { type CosignIdentity, matchesSubject } from "./cosign-identity";
import type { CertifiedSignature } from "./cosign-signature";
import { publicGoodRoot } from "./public-good-root";
import { Rejection } from "./rejection";
import { sigstoreProtobuf, sigstoreVerify } from "./sigstore";

const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";

/** Ours for the commonest sentences of `@sigstore/verify`. */
const REASONS: Readonly<Record<string, string>> = {
  "expected 1 timestamps, got 0": "has no proof of the time of signing: no transparency log entry and no timestamp",
  "expected 1 tlog entries, got 0": "has no transparency log entry",
  "expected 1 SCTs, got 0": "has a certificate without a signed certificate timestamp (SCT)",
};

/** Verifies the signature and returns who made it: the subject of the certificate, and its issuer. */
export async function verifyKeyless(signature: CertifiedSignature, identity: CosignIdentity): Promise<string> {
  const root =
    identity.trustedRoot === undefined
      ? await publicGoodRoot()
      : sigstoreProtobuf().TrustedRoot.fromJSON(identity.trustedRoot);
  const { subject, issuer } = verifiedOwner(signature, root);
  const signedBy = `${subject} (${issuer})`;
  // Not by the package's own policy: that accepts a subject in which the expression matches a part.
  if (issuer !== identity.issuer || !matchesSubject(identity, subject)) {
    throw new Rejection(`was made by ${signedBy}, who is not the required identity`);
  }
  return signedBy;
}

/** Verifies everything but the identity, and returns the owner of the certificate. */
function verifiedOwner({ bundle, artifact }: CertifiedSignature, root: TrustedRoot): CertificateOwner {
  const { Verifier, toSignedEntity, toTrustMaterial } = sigstoreVerify();
  const verifier = new Verifier(toTrustMaterial(root), {
    // A certificate is valid for minutes, so that the time of signing must be proven.
    timestampThreshold: 1,
    // A private deployment may have no logs; where there are some, they are required.
    tlogThreshold: root.tlogs.length > 0 ? 1 : 0,
    ctlogThreshold: root.ctlogs.length > 0 ? 1 : 0,
  });
  try {
    const { identity } = verifier.verify(toSignedEntity(bundle, artifact));
    return readOwner(certificateOf(bundle), identity?.subjectAlternativeName, identity?.extensions?.issuer);
  } catch (error) {
    throw new Rejection(explain(error));
  }
}

interface CertificateOwner {
  readonly subject: string;
  readonly issuer: string;
}

/** What the package does not check: https://github.com/sigstore/fulcio/blob/main/docs/certificate-specification.md */
function readOwner(certificate: Buffer, subject = "", issuer = ""): CertificateOwner {
  if (!new X509Certificate(certificate).keyUsage?.includes(CODE_SIGNING)) {
    throw new Error("the certificate is not for code signing");
  }
  // It decodes both without the eighth bit of each byte, so that other texts could look like them.
  if (subject === "" || issuer === "" || !certificate.includes(subject) || !certificate.includes(issuer)) {
    throw new Error("the certificate has no subject or no issuer in ASCII");
  }
  return { subject, issuer };
}

function certificateOf({ verificationMaterial: { content } }: Bundle): Buffer {
  if (content.$case === "certificate") return content.certificate.rawBytes;
  const [leaf] = content.$case === "x509CertificateChain" ? content.x509CertificateChain.certificates : [];
  if (leaf === undefined) throw new Error("the certificate is missing");
  return leaf.rawBytes;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return "failed verification";
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return REASONS[error.message] ?? `failed verification: ${error.message}${cause}`;
}
