/** Forged signatures in a Sigstore bundle, by identity. */
import type { Digest } from "../../../provider/reference/digest";
import { IMAGE, ISSUER, SUBJECT } from "../../support/cosign-fixtures";
import type { NewCandidate } from "../../support/signature-candidate";
import { CertificateAuthority, minutesAfter, newKeys } from "../../support/sigstore/certificate-authority";
import {
  type BundleJson,
  bundleByCertificate,
  bundleReferrer,
  type Proof,
  statementFor,
} from "../../support/sigstore/cosign-signer";
import { type CertificateRequest, SigstoreDeployment } from "../../support/sigstore/deployment";
import { base64, type Forgery, pemOf, verify } from "../../support/sigstore/forgery";
import type { LogEntry } from "../../support/sigstore/transparency-log";

const OTHER = `sha256:${"5".repeat(64)}` as Digest;
const NOW = new Date("2026-03-04T05:06:07Z");
const LATER = minutesAfter(NOW, 60);

const keys = newKeys();
const deployment = new SigstoreDeployment();
const otherDeployment = new SigstoreDeployment();
const byKey = { key: pemOf(keys) };
const byIdentity = {
  issuer: ISSUER,
  subject: "https://github\\.com/octo/app/\\.github/workflows/release\\.yml@refs/tags/v\\d+",
  trustedRoot: deployment.trustedRoot,
};
const statement = statementFor(IMAGE);

const envelopeOf = (bundle: BundleJson) => {
  if (bundle.dsseEnvelope === undefined) throw new Error("no envelope");
  return bundle.dsseEnvelope;
};

const request = (options: Partial<CertificateRequest> = {}): CertificateRequest => ({
  issuer: ISSUER,
  subject: SUBJECT,
  notBefore: NOW,
  ...options,
});
const signerOf = (options: Partial<CertificateRequest> = {}) => deployment.certify(request(options));

interface IdentityBundle {
  readonly certificate?: Partial<CertificateRequest>;
  readonly text?: string;
  readonly at?: Date;
  readonly proof?: Proof;
  readonly change?: (bundle: BundleJson) => unknown;
}

/** A referrer with a bundle by a certificate. */
function identityBundle({
  certificate = {},
  text = statement,
  at = NOW,
  proof = "log",
  change,
}: IdentityBundle): NewCandidate {
  const bundle = bundleByCertificate(deployment, signerOf(certificate), text, at, proof);
  change?.(bundle);
  return bundleReferrer(IMAGE, bundle);
}

function entryOf({ verificationMaterial: { tlogEntries: [entry] = [] } }: BundleJson): LogEntry {
  if (entry === undefined) throw new Error("no log entry");
  return entry;
}

function timestampOf(bundle: BundleJson, timestamp: Buffer): void {
  bundle.verificationMaterial.timestampVerificationData = {
    rfc3161Timestamps: [{ signedTimestamp: base64(timestamp) }],
  };
}

const signatureOf = (bundle: BundleJson) => Buffer.from(envelopeOf(bundle).signatures[0]?.sig ?? "", "base64");
const another = () => bundleByCertificate(deployment, signerOf(), statementFor(OTHER), NOW);
const checkpointOf = (bundle: BundleJson) => entryOf(bundle).inclusionProof.checkpoint;

/** A certificate that its owner has issued with a certificate of the authority. */
function subordinateBundle(): NewCandidate {
  const signer = signerOf();
  const impostor = new CertificateAuthority(deployment.authority.name, NOW, signer.keys);
  const der = impostor.issue(keys.publicKey.export({ format: "der", type: "spki" }), {
    ...request(),
    log: deployment.certificateLog,
  });
  const owner = { keys, certificate: { der, pem: "" } };
  return bundleReferrer(IMAGE, bundleByCertificate(deployment, owner, statement, NOW));
}

const NOT_REQUIRED = /^was made by .*, who is not the required identity$/;

const forgeries: readonly Forgery[] = [
  [
    "another subject",
    identityBundle({ certificate: { subject: SUBJECT.replace("octo", "evil") } }),
    byIdentity,
    NOT_REQUIRED,
  ],
  [
    "a subject that continues ours",
    identityBundle({ certificate: { subject: `${SUBJECT}.evil` } }),
    byIdentity,
    NOT_REQUIRED,
  ],
  [
    "a subject that ends with ours",
    identityBundle({ certificate: { subject: `https://evil.example/?${SUBJECT}` } }),
    byIdentity,
    NOT_REQUIRED,
  ],
  [
    "a subject in two lines, the first ours",
    identityBundle({ certificate: { subject: `${SUBJECT}\nevil` } }),
    byIdentity,
    NOT_REQUIRED,
  ],
  [
    "a subject that an alternative matches in part",
    identityBundle({ certificate: { subject: "https://github.com/octo/app-evil" } }),
    { ...byIdentity, subject: "https://github\\.com/octo/app|https://github\\.com/octo/lib" },
    NOT_REQUIRED,
  ],
  ["another issuer", identityBundle({ certificate: { issuer: "https://gitlab.com" } }), byIdentity, NOT_REQUIRED],
  [
    "an issuer that continues ours",
    identityBundle({ certificate: { issuer: `${ISSUER}.evil` } }),
    byIdentity,
    NOT_REQUIRED,
  ],
  ["an issuer with a slash", identityBundle({ certificate: { issuer: `${ISSUER}/` } }), byIdentity, NOT_REQUIRED],
  [
    "an issuer that is ours without the eighth bit of its bytes",
    identityBundle({ certificate: { issuer: ISSUER.replace("s://", "\u{fabef}") } }),
    byIdentity,
    /no issuer in ASCII/,
  ],
  [
    "a subject that is ours without the eighth bit of its bytes",
    identityBundle({ certificate: { subject: SUBJECT.replace("s://", "\u{fabef}") } }),
    byIdentity,
    /no subject or no issuer in ASCII/,
  ],
  ["a certificate without a subject", identityBundle({ certificate: { subject: "" } }), byIdentity, /no subject/],
  ["a statement about another image", identityBundle({ text: statementFor(OTHER) }), byIdentity, /^signs sha256:5+/],
  [
    "an SBOM",
    identityBundle({ text: statementFor(IMAGE, "https://spdx.dev/Document") }),
    byIdentity,
    /^is an attestation/,
  ],
  [
    "a certificate that had expired",
    identityBundle({ at: LATER }),
    byIdentity,
    /certificate chain \(certificate is not valid or expired/,
  ],
  [
    "a certificate that was not valid yet",
    identityBundle({ at: minutesAfter(NOW, -1) }),
    byIdentity,
    /not valid or expired/,
  ],
  [
    "no proof of the time",
    identityBundle({ change: ({ verificationMaterial }) => (verificationMaterial.tlogEntries = []) }),
    byIdentity,
    /^has no proof of the time of signing/,
  ],
  [
    "a timestamp without a log entry",
    identityBundle({ proof: "timestamp" }),
    byIdentity,
    /^has no transparency log entry$/,
  ],
  [
    "an entry of the log's second version without a timestamp",
    identityBundle({
      proof: "tiles",
      change: ({ verificationMaterial }) =>
        (verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [] }),
    }),
    byIdentity,
    /^has no proof of the time of signing/,
  ],
  [
    "a time that the log's second version claims",
    identityBundle({
      proof: "tiles",
      change: (bundle) => {
        entryOf(bundle).integratedTime = String(NOW.getTime() / 1000);
        bundle.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [] };
      },
    }),
    byIdentity,
    /^has no proof of the time of signing/,
  ],
  [
    "authorities that are not trusted",
    identityBundle({}),
    { ...byIdentity, trustedRoot: otherDeployment.trustedRoot },
    /certificate chain/,
  ],
  [
    "a certificate by another authority",
    bundleReferrer(IMAGE, bundleByCertificate(deployment, otherDeployment.certify(request()), statement, NOW)),
    byIdentity,
    /certificate chain/,
  ],
  ["a certificate that its signer has issued", subordinateBundle(), byIdentity, /certificate chain/],
  [
    "a log entry of another log",
    bundleReferrer(IMAGE, bundleByCertificate(otherDeployment, signerOf(), statement, NOW)),
    byIdentity,
    /inclusion promise could not be verified/,
  ],
  [
    "a log entry of another signature",
    identityBundle({ change: (bundle) => (bundle.verificationMaterial.tlogEntries = [entryOf(another())]) }),
    byIdentity,
    /tlog entry signature mismatch/,
  ],
  [
    "an entry of the log's second version of another statement",
    identityBundle({
      proof: "tiles",
      change: (bundle) => {
        const logged = { signature: signatureOf(bundle), verifier: signerOf().certificate };
        bundle.verificationMaterial.tlogEntries = [deployment.log.logEnvelopeV2(Buffer.from("{}"), logged)];
      },
    }),
    byIdentity,
    /payload hash mismatch/,
  ],
  [
    "two equal log entries",
    identityBundle({ change: (bundle) => bundle.verificationMaterial.tlogEntries?.push(entryOf(bundle)) }),
    byIdentity,
    /duplicate/,
  ],
  [
    "a log entry without promise and proof",
    identityBundle({
      proof: "tiles",
      change: (bundle) => {
        const { inclusionProof: _, ...entry } = entryOf(bundle);
        bundle.verificationMaterial.tlogEntries = [entry as LogEntry];
      },
    }),
    byIdentity,
    /malformed/,
  ],
  [
    "a promise for another time",
    identityBundle({ at: LATER, change: (bundle) => (entryOf(bundle).integratedTime = String(NOW.getTime() / 1000)) }),
    byIdentity,
    /inclusion promise could not be verified/,
  ],
  [
    "a proof with another sibling",
    identityBundle({ change: (bundle) => (entryOf(bundle).inclusionProof.hashes = [base64(Buffer.alloc(32))]) }),
    byIdentity,
    /root hash does not match/,
  ],
  [
    "a checkpoint of another root",
    identityBundle({
      change: (bundle) => {
        const [name, size, , ...rest] = checkpointOf(bundle).envelope.split("\n");
        checkpointOf(bundle).envelope = [name, size, base64(Buffer.alloc(32)), ...rest].join("\n");
      },
    }),
    byIdentity,
    /invalid checkpoint signature/,
  ],
  [
    "a checkpoint of another log",
    identityBundle({
      change: (bundle) => {
        const foreign = bundleByCertificate(otherDeployment, signerOf(), statement, NOW);
        entryOf(bundle).inclusionProof = entryOf(foreign).inclusionProof;
      },
    }),
    byIdentity,
    /invalid checkpoint signature/,
  ],
  [
    "a certificate without an SCT",
    identityBundle({ certificate: { log: "none" } }),
    byIdentity,
    /without a signed certificate timestamp/,
  ],
  ["an SCT of another log", identityBundle({ certificate: { log: newKeys() } }), byIdentity, /SCT verification failed/],
  [
    "a certificate for another purpose",
    identityBundle({ certificate: { extendedKeyUsage: "1.3.6.1.5.5.7.3.8" } }),
    byIdentity,
    /the certificate is not for code signing/,
  ],
  [
    "the certificate of somebody else",
    identityBundle({
      change: ({ verificationMaterial }) =>
        (verificationMaterial.certificate = { rawBytes: base64(signerOf().certificate.der) }),
    }),
    byIdentity,
    /signature verification failed/,
  ],
  [
    "a certificate that cannot be decoded",
    identityBundle({
      change: ({ verificationMaterial }) => (verificationMaterial.certificate = { rawBytes: base64("x") }),
    }),
    byIdentity,
    /failed verification/,
  ],
  [
    "a timestamp of another signature",
    identityBundle({
      proof: "tiles",
      change: (bundle) => timestampOf(bundle, deployment.timestamps.timestamp(Buffer.from("x"), NOW)),
    }),
    byIdentity,
    /timestamp could not be verified/,
  ],
  [
    "a timestamp of another authority",
    identityBundle({
      proof: "tiles",
      change: (bundle) => timestampOf(bundle, otherDeployment.timestamps.timestamp(signatureOf(bundle), NOW)),
    }),
    byIdentity,
    /timestamp could not be verified/,
  ],
  [
    "a timestamp after the certificate",
    identityBundle({ proof: "tiles", at: LATER }),
    byIdentity,
    /not valid or expired/,
  ],
  [
    "a timestamp that cannot be decoded",
    identityBundle({ proof: "tiles", change: (bundle) => timestampOf(bundle, Buffer.from("x")) }),
    byIdentity,
    /failed verification/,
  ],
  [
    "a certificate, where a key is required",
    identityBundle({}),
    byKey,
    /^was made with a certificate, not with a key$/,
  ],
];

test.each(forgeries)("%s does not count", async (_what, made, policy, reason) => {
  expect(await verify(made, policy)).toEqual({ rejected: expect.stringMatching(reason) });
});
