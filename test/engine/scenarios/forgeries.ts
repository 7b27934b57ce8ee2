/** Signatures that must not count, one or more of each kind. What can be forged in detail is in test/unit/signature. */
import type { Digest } from "../../../provider/reference/digest";
import { ISSUER, SUBJECT } from "../../support/cosign-fixtures";
import { digestOf } from "../../support/fixtures";
import type { NewCandidate } from "../../support/signature-candidate";
import { minutesAfter, newKeys } from "../../support/sigstore/certificate-authority";
import {
  type BundleJson,
  bundleByCertificate,
  bundleByKey,
  bundleReferrer,
  payloadFor,
  SIGNATURE_ARTIFACT,
  signatureTag,
  simpleSigning,
  statementFor,
} from "../../support/sigstore/cosign-signer";
import { type CertificateRequest, SigstoreDeployment } from "../../support/sigstore/deployment";
import { base64, pemOf } from "../../support/sigstore/forgery";
import { CA_EXTENSIONS, issue, TSA_EXTENSIONS } from "../../unit/signature/notation-certificates";
import { ARTIFACT_TYPE, type Signing, signCose, signJws } from "../../unit/signature/notation-envelopes";
import { timestampOf } from "../../unit/signature/notation-timestamps";

/** A signature and the reason why it does not count. */
export interface Forgery {
  readonly made: NewCandidate;
  readonly reason: string;
  /** Pushed under cosign's tag; without it, as a referrer. */
  readonly tagged?: true;
}

export interface Forgeries {
  /** The policy that none satisfies. */
  readonly verify: object;
  /** What the message begins with. */
  readonly tool: "cosign" | "Notation";
  readonly forge: (image: Digest) => readonly Forgery[];
}

const OTHER = digestOf("5");
const keys = newKeys();
const others = newKeys();

function withPayload(bundle: BundleJson, payload: string): BundleJson {
  if (bundle.dsseEnvelope === undefined) throw new Error("no envelope");
  return { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload: base64(payload) } };
}

/** With a key: bundles, simple signing as a referrer of OCI 1.1, and behind cosign's tag. */
export const byKey: Forgeries = {
  verify: { cosign: { key: pemOf(keys) } },
  tool: "cosign",
  forge: (image) => {
    const bundle = (made: BundleJson) => bundleReferrer(image, made);
    const referrer = (signature: ReturnType<typeof simpleSigning>): NewCandidate => ({
      ...signatureTag(signature),
      subject: image,
      configType: SIGNATURE_ARTIFACT,
    });
    const { annotations } = simpleSigning(keys, OTHER);
    return [
      { made: bundle(bundleByKey(others, statementFor(image))), reason: "was not made with the key sha256:" },
      { made: bundle(bundleByKey(keys, statementFor(OTHER))), reason: `signs ${OTHER}, not this image` },
      {
        made: bundle(withPayload(bundleByKey(keys, statementFor(OTHER)), statementFor(image))),
        reason: "was not made with the key sha256:",
      },
      {
        made: bundle(bundleByKey(keys, statementFor(image, "https://slsa.dev/provenance/v1"))),
        reason: "is an attestation (https://slsa.dev/provenance/v1), not a signature",
      },
      { made: referrer(simpleSigning(others, image)), reason: "was not made with the key sha256:" },
      { made: referrer(simpleSigning(keys, OTHER)), reason: `signs ${OTHER}, not this image` },
      {
        made: signatureTag({ payload: payloadFor(image), annotations }),
        reason: "was not made with the key sha256:",
        tagged: true,
      },
    ];
  },
};

const deployment = new SigstoreDeployment();
const stranger = new SigstoreDeployment();
const SIGNED = new Date("2026-03-04T05:06:07Z");
const request: CertificateRequest = { issuer: ISSUER, subject: SUBJECT, notBefore: SIGNED };

/** Keyless, against a root that is given. */
export const byIdentity: Forgeries = {
  verify: { cosign: { issuer: ISSUER, subject: SUBJECT, trustedRoot: deployment.trustedRoot } },
  tool: "cosign",
  forge: (image) => {
    const bundle = (
      options: Partial<CertificateRequest> = {},
      { signed = image, at = SIGNED, log = deployment, authority = deployment } = {},
    ) => bundleByCertificate(log, authority.certify({ ...request, ...options }), statementFor(signed), at);
    const unlogged = bundle();
    unlogged.verificationMaterial.tlogEntries = [];
    const made: readonly (readonly [BundleJson, string])[] = [
      [bundle({ subject: SUBJECT.replace("octo", "evil") }), "was made by "],
      [bundle({ issuer: "https://gitlab.com" }), "was made by "],
      [bundle({}, { signed: OTHER }), `signs ${OTHER}, not this image`],
      [bundle({}, { at: minutesAfter(SIGNED, 60) }), "failed verification: "],
      [bundle({}, { authority: stranger }), "failed verification: "],
      [bundle({}, { log: stranger }), "failed verification: "],
      [unlogged, "has no proof of the time of signing"],
      [bundle({ log: "none" }), "has a certificate without a signed certificate timestamp"],
      [bundleByKey(keys, statementFor(image)), "was made with a key, not with a certificate"],
    ];
    return made.map(([one, reason]) => ({ made: bundleReferrer(image, one), reason }));
  },
};

const always = { from: "2020-01-01", to: "2090-01-01" };
const root = issue("Root", { ...always, extensions: CA_EXTENSIONS });
const otherRoot = issue("Other Root", { ...always, extensions: CA_EXTENSIONS });
const tsaRoot = issue("TSA Root", { ...always, extensions: CA_EXTENSIONS });
const stampWith = (issuer: typeof root) => {
  const tsa = issue("TSA", { ...always, issuer, extensions: TSA_EXTENSIONS });
  return (signature: Buffer) => timestampOf(signature, { tsa, time: "2026-11-01T00:00:05Z" });
};
const timestamp = stampWith(tsaRoot);
const chainOf = (wish: Parameters<typeof issue>[1] = {}, ca = root) => [
  issue("signer", { ...always, issuer: ca, ...wish }),
  ca,
];

/** Notation, in both of its formats. */
export const byNotation: Forgeries = {
  verify: {
    notation: {
      trustStore: { ca: [root.pem], tsa: [tsaRoot.pem] },
      trustedIdentities: ["x509.subject: C=US, ST=WA, O=Wabbit Networks"],
      revocation: "skip",
    },
  },
  tool: "Notation",
  forge: (image) => {
    const payload = (digest: Digest) => ({ targetArtifact: { digest, mediaType: "application/json", size: 1 } });
    const good = { chain: chainOf(), payload: payload(image), timestamp };
    const signings: readonly (readonly [Signing, string])[] = [
      [{ ...good, chain: chainOf({}, otherRoot) }, "is signed by "],
      [
        { ...good, chain: chainOf({ name: [["O", "Stranger"]] }) },
        'is signed by "O=Stranger, CN=signer", which is not among trustedIdentities',
      ],
      [{ ...good, payload: payload(OTHER) }, `is for an image with the digest "${OTHER}`],
      [{ ...good, key: otherRoot.key }, "has a signature that does not belong to its content"],
      [{ chain: good.chain, payload: good.payload }, "has no timestamp, which trustStore.tsa requires"],
      [{ ...good, timestamp: stampWith(otherRoot) }, "has a timestamp by "],
      [{ ...good, chain: chainOf({ to: "2026-10-01" }) }, "was timestamped at 2026-11-01T00:00:05.000Z with "],
    ];
    return [signJws, signCose].flatMap((sign) =>
      signings.map(([signing, reason]) => {
        const { mediaType, bytes } = sign(signing);
        const layers = [{ mediaType, content: bytes }];
        return { made: { subject: image, artifactType: ARTIFACT_TYPE, layers }, reason };
      }),
    );
  },
};
