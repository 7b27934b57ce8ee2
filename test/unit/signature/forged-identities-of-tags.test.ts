/** Forged signatures in cosign's first form, by identity. */
import type { Digest } from "../../../provider/reference/digest";
import { IMAGE, ISSUER, SUBJECT } from "../../support/cosign-fixtures";
import type { NewCandidate } from "../../support/signature-candidate";
import { minutesAfter, newKeys } from "../../support/sigstore/certificate-authority";
import {
  annotationsByCertificate,
  logAnnotation,
  payloadFor,
  signatureTag,
  signBytes,
} from "../../support/sigstore/cosign-signer";
import { type CertificateRequest, SigstoreDeployment } from "../../support/sigstore/deployment";
import { base64, type Forgery, pemOf, verify } from "../../support/sigstore/forgery";

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
const others = newKeys();
const payload = payloadFor(IMAGE);
const SIGNATURE = "dev.cosignproject.cosign/signature";
const NOT_REQUIRED = /^was made by .*, who is not the required identity$/;

const request = (options: Partial<CertificateRequest> = {}): CertificateRequest => ({
  issuer: ISSUER,
  subject: SUBJECT,
  notBefore: NOW,
  ...options,
});
const signerOf = (options: Partial<CertificateRequest> = {}) => deployment.certify(request(options));

interface IdentityTag {
  readonly certificate?: Partial<CertificateRequest>;
  readonly text?: string;
  readonly at?: Date;
}

/** A layer of cosign's tag by a certificate. */
function identityTag(
  change: (annotations: Record<string, string>) => unknown,
  { text = payload, at = NOW, certificate = {} }: IdentityTag = {},
): NewCandidate {
  const annotations = annotationsByCertificate(deployment, signerOf(certificate), text, at);
  change(annotations);
  return signatureTag({ payload: text, annotations });
}

const CERTIFICATE = "dev.sigstore.cosign/certificate";
const LOG_ENTRY = "dev.sigstore.cosign/bundle";
const unchanged = () => undefined;

/** Annotations of another signature of the same payload. */
const anothers = () => annotationsByCertificate(deployment, signerOf(), payload, NOW);

function changeEntry(annotations: Record<string, string>, change: (entry: Record<string, unknown>) => unknown): void {
  const entry = JSON.parse(annotations[LOG_ENTRY] ?? "") as { Payload: Record<string, unknown> };
  change(entry.Payload);
  annotations[LOG_ENTRY] = JSON.stringify(entry);
}

const forgeries: readonly Forgery[] = [
  ["another image", identityTag(unchanged, { text: payloadFor(OTHER) }), byIdentity, /^signs sha256:5+/],
  ["another subject", identityTag(unchanged, { certificate: { subject: `${SUBJECT}x` } }), byIdentity, NOT_REQUIRED],
  [
    "another issuer",
    identityTag(unchanged, { certificate: { issuer: "https://gitlab.com" } }),
    byIdentity,
    NOT_REQUIRED,
  ],
  ["a certificate that had expired", identityTag(unchanged, { at: LATER }), byIdentity, /not valid or expired/],
  [
    "a certificate without an SCT",
    identityTag(unchanged, { certificate: { log: "none" } }),
    byIdentity,
    /without a signed certificate/,
  ],
  ["no certificate", identityTag((annotations) => delete annotations[CERTIFICATE]), byIdentity, /^was made with a key/],
  [
    "a certificate that cannot be decoded",
    identityTag((annotations) => (annotations[CERTIFICATE] = "-----BEGIN CERTIFICATE-----")),
    byIdentity,
    /certificate that cannot be decoded/,
  ],
  [
    "the certificate of somebody else",
    identityTag((annotations) => Object.assign(annotations, { [CERTIFICATE]: anothers()[CERTIFICATE] })),
    byIdentity,
    /signature verification failed/,
  ],
  [
    "our certificate with the signature of another key",
    identityTag((annotations) => (annotations[SIGNATURE] = base64(signBytes(others, payload)))),
    byIdentity,
    /signature mismatch/,
  ],
  [
    "no log entry",
    identityTag((annotations) => delete annotations[LOG_ENTRY]),
    byIdentity,
    /^has no proof of the time/,
  ],
  [
    "the log entry of another signature",
    identityTag((annotations) => Object.assign(annotations, { [LOG_ENTRY]: anothers()[LOG_ENTRY] })),
    byIdentity,
    /signature mismatch/,
  ],
  [
    "a log entry of another payload",
    identityTag((annotations) => {
      const signature = Buffer.from(annotations[SIGNATURE] ?? "", "base64");
      const entry = deployment.log.logHash(Buffer.from("x"), { signature, verifier: { pem: "", der: signature } }, NOW);
      annotations[LOG_ENTRY] = logAnnotation(entry);
    }),
    byIdentity,
    /digest mismatch/,
  ],
  [
    "a promise for another time",
    identityTag((annotations) =>
      changeEntry(annotations, (entry) => (entry.integratedTime = NOW.getTime() / 1000 + 1)),
    ),
    byIdentity,
    /inclusion promise could not be verified/,
  ],
  [
    "a promise for another place",
    identityTag((annotations) => changeEntry(annotations, (entry) => (entry.logIndex = 8))),
    byIdentity,
    /inclusion promise could not be verified/,
  ],
  [
    "a time that is not a number",
    identityTag((annotations) => changeEntry(annotations, (entry) => (entry.integratedTime = "soon"))),
    byIdentity,
    /failed verification/,
  ],
  [
    "a log that is not trusted",
    identityTag((annotations) => changeEntry(annotations, (entry) => (entry.logID = "00"))),
    byIdentity,
    /inclusion promise could not be verified/,
  ],
  [
    "a log entry that is not JSON",
    identityTag((annotations) => (annotations[LOG_ENTRY] += "}")),
    byIdentity,
    /log entry that cannot be decoded/,
  ],
  [
    "a log entry with another body",
    identityTag((annotations) => changeEntry(annotations, (entry) => (entry.body = base64("{}")))),
    byIdentity,
    /failed verification|malformed/,
  ],
  [
    "a timestamp that cannot be decoded",
    identityTag((annotations) => (annotations["dev.sigstore.cosign/rfc3161timestamp"] = "{}")),
    byIdentity,
    /timestamp that cannot be decoded/,
  ],
  [
    "a chain of an authority of one's own",
    signatureTag({
      payload,
      annotations: {
        ...annotationsByCertificate(deployment, otherDeployment.certify(request()), payload, NOW),
        "dev.sigstore.cosign/chain": `-----BEGIN CERTIFICATE-----\n${base64(otherDeployment.authority.certificate)}\n-----END CERTIFICATE-----`,
      },
    }),
    byIdentity,
    /certificate chain/,
  ],
  [
    "a certificate, where a key is required",
    identityTag(unchanged),
    byKey,
    /^was made with a certificate, not with a key$/,
  ],
];

test.each(forgeries)("%s does not count", async (_what, made, policy, reason) => {
  expect(await verify(made, policy)).toEqual({ rejected: expect.stringMatching(reason) });
});
