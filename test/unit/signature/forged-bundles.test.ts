/** Forged signatures in a Sigstore bundle, by key. */
import type { Digest } from "../../../provider/reference/digest";
import { IMAGE, ISSUER, SUBJECT } from "../../support/cosign-fixtures";
import type { NewCandidate } from "../../support/signature-candidate";
import { newKeys } from "../../support/sigstore/certificate-authority";
import {
  BUNDLE,
  type BundleJson,
  bundleByKey,
  bundleReferrer,
  preAuthEncoding,
  signBytes,
  statementFor,
} from "../../support/sigstore/cosign-signer";
import { SigstoreDeployment } from "../../support/sigstore/deployment";
import { base64, type Forgery, pemOf, replaced, verify } from "../../support/sigstore/forgery";

const OTHER = `sha256:${"5".repeat(64)}` as Digest;

const keys = newKeys();
const others = newKeys();
const byKey = { key: pemOf(keys) };
const byIdentity = { issuer: ISSUER, subject: SUBJECT, trustedRoot: new SigstoreDeployment().trustedRoot };
const statement = statementFor(IMAGE);

/** A referrer with a bundle by our key, after a change of its JSON. */
function keyBundle(
  text: string,
  change: (bundle: BundleJson) => unknown = () => undefined,
  signer = keys,
): NewCandidate {
  const bundle = bundleByKey(signer, text);
  change(bundle);
  return bundleReferrer(IMAGE, bundle);
}

const envelopeOf = (bundle: BundleJson) => {
  if (bundle.dsseEnvelope === undefined) throw new Error("no envelope");
  return bundle.dsseEnvelope;
};

/** A statement of another payload type, correctly signed as such. */
function bundleOfType(payloadType: string): NewCandidate {
  return keyBundle(statement, (bundle) => {
    const signature = signBytes(keys, preAuthEncoding(statement, payloadType));
    Object.assign(envelopeOf(bundle), { payloadType, signatures: [{ sig: base64(signature) }] });
  });
}

const withSubject = (subject: unknown) => keyBundle(JSON.stringify({ ...JSON.parse(statement), subject }));
const hex = IMAGE.slice("sha256:".length);
const bundleText = JSON.stringify(bundleByKey(keys, statement));

const forgeries: readonly Forgery[] = [
  ["a statement about another image", keyBundle(statementFor(OTHER)), byKey, /^signs sha256:5+, not this image$/],
  [
    "a bundle by another key with the hint of ours",
    keyBundle(statement, ({ verificationMaterial }) => (verificationMaterial.publicKey = { hint: "b" }), others),
    byKey,
    /^was not made with the key/,
  ],
  [
    "another statement under our signature",
    keyBundle(statementFor(OTHER), (bundle) => (envelopeOf(bundle).payload = base64(statement))),
    byKey,
    /^was not made with the key/,
  ],
  [
    "a signature of the bare statement",
    keyBundle(statement, (bundle) => (envelopeOf(bundle).signatures = [{ sig: base64(signBytes(keys, statement)) }])),
    byKey,
    /^was not made with the key/,
  ],
  ["a payload of another type", bundleOfType("application/json"), byKey, /contains no in-toto statement/],
  [
    "a payload type changed afterwards",
    keyBundle(statement, (bundle) => (envelopeOf(bundle).payloadType += " ")),
    byKey,
    /contains no in-toto statement/,
  ],
  [
    "provenance",
    keyBundle(statementFor(IMAGE, "https://slsa.dev/provenance/v1")),
    byKey,
    /^is an attestation \(https:\/\/slsa\.dev\/provenance\/v1\), not a signature$/,
  ],
  [
    "a predicate type that begins as ours",
    keyBundle(statementFor(IMAGE, "https://sigstore.dev/cosign/sign/v1x")),
    byKey,
    /^is an attestation/,
  ],
  [
    "a statement of another type",
    keyBundle(replaced(statement, "Statement/v1", "Link/v1")),
    byKey,
    /no in-toto statement/,
  ],
  [
    "a statement that repeats its subject",
    keyBundle(replaced(statement, "{", '{"subject":[],')),
    byKey,
    /no in-toto statement/,
  ],
  [
    "a statement that repeats its predicate type",
    keyBundle(replaced(statement, "{", '{"predicateType":"https://slsa.dev/provenance/v1",')),
    byKey,
    /no in-toto statement/,
  ],
  ["a statement about nothing", withSubject([]), byKey, /^signs nothing, not this image$/],
  ["a subject that is not a list", withSubject({ digest: { sha256: hex } }), byKey, /^signs nothing/],
  ["our digest under another algorithm", withSubject([{ digest: { sha512: hex } }]), byKey, /^signs sha512:/],
  [
    "our digest as the name of a subject",
    withSubject([{ name: IMAGE, digest: { sha256: "00" } }]),
    byKey,
    /^signs sha256:00/,
  ],
  ["our digest in a list", withSubject([{ digest: [IMAGE] }]), byKey, /^signs nothing/],
  ["our digest in upper case", withSubject([{ digest: { sha256: hex.toUpperCase() } }]), byKey, /^signs /],
  [
    "an envelope with a second signature",
    keyBundle(statement, (bundle) => envelopeOf(bundle).signatures.push({ sig: base64(signBytes(others, "x")) })),
    byKey,
    /^is malformed/,
  ],
  [
    "an envelope without a signature",
    keyBundle(statement, (bundle) => (envelopeOf(bundle).signatures = [])),
    byKey,
    /malformed/,
  ],
  [
    "an envelope with an empty signature",
    keyBundle(statement, (bundle) => (envelopeOf(bundle).signatures = [{ sig: "" }])),
    byKey,
    /malformed/,
  ],
  [
    "a signature that is not base64",
    keyBundle(statement, (bundle) => (envelopeOf(bundle).signatures = [{ sig: "%%%%" }])),
    byKey,
    /malformed/,
  ],
  [
    "a payload that is not base64",
    keyBundle(statement, (bundle) => (envelopeOf(bundle).payload = "%%%%")),
    byKey,
    /malformed/,
  ],
  [
    "a message signature instead of a statement",
    bundleReferrer(IMAGE, {
      mediaType: BUNDLE,
      verificationMaterial: { publicKey: { hint: "" } },
      messageSignature: {
        messageDigest: { algorithm: "SHA2_256", digest: Buffer.from(hex, "hex").toString("base64") },
        signature: base64(signBytes(keys, Buffer.from(hex, "hex"))),
      },
    }),
    byKey,
    /^has a bundle without a statement$/,
  ],
  ["a bundle that is not JSON", bundleReferrer(IMAGE, `${bundleText},`), byKey, /not valid JSON/],
  ["a bundle that is a list", bundleReferrer(IMAGE, `[${bundleText}]`), byKey, /not valid JSON/],
  [
    "a bundle that repeats its payload",
    bundleReferrer(IMAGE, replaced(bundleText, '"payload"', `"payload":"${base64(statementFor(OTHER))}","payload"`)),
    byKey,
    /repeats a key/,
  ],
  [
    "a bundle of version 0.1",
    keyBundle(statement, (bundle) => (bundle.mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1")),
    byKey,
    /^has a bundle of the type/,
  ],
  [
    "a bundle of a version to come",
    keyBundle(statement, (bundle) => (bundle.mediaType = "application/vnd.dev.sigstore.bundle.v9.9+json")),
    byKey,
    /^has a bundle of the type/,
  ],
  [
    "a bundle without a key",
    keyBundle(statement, (bundle) => (bundle.verificationMaterial = {})),
    byKey,
    /^is malformed/,
  ],
  ["a bundle of a mebibyte", bundleReferrer(IMAGE, `${bundleText}${" ".repeat(1024 * 1024)}`), byKey, /too large$/],
  ["a bundle that refers to another image", { ...keyBundle(statement), subject: OTHER }, byKey, /^refers to sha256:5+/],
  ["a bundle by key, where an identity is required", keyBundle(statement), byIdentity, /^was made with a key/],
];

test.each(forgeries)("%s does not count", async (_what, made, policy, reason) => {
  expect(await verify(made, policy)).toEqual({ rejected: expect.stringMatching(reason) });
});
