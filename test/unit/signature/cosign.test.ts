/** Signatures by cosign that count: every form that cosign 2 and 3 write. */
import { createHash, generateKeyPairSync } from "node:crypto";
import type { Digest } from "../../../provider/reference/digest";
import { isCosignManifest, verifyCosign } from "../../../provider/signature/cosign";
import {
  cosignPolicy,
  type FixtureName,
  fixtureRoot,
  IMAGE,
  ISSUER,
  PLATFORM_IMAGE,
  readFixture,
  readFixtureKey,
  SUBJECT,
} from "../../support/cosign-fixtures";
import { type NewCandidate, newCandidate } from "../../support/signature-candidate";
import { type Keys, newKeys } from "../../support/sigstore/certificate-authority";
import {
  annotationsByCertificate,
  bundleByCertificate,
  bundleByKey,
  bundleReferrer,
  type Proof,
  payloadFor,
  SIGNATURE_ARTIFACT,
  signatureTag,
  simpleSigning,
  statementFor,
} from "../../support/sigstore/cosign-signer";
import { type CertificateRequest, SigstoreDeployment } from "../../support/sigstore/deployment";

const NOW = new Date("2026-03-04T05:06:07Z");
const deployment = new SigstoreDeployment();
const { trustedRoot } = deployment;
const withoutLogs = { ...trustedRoot, tlogs: [], ctlogs: [] };

const pemOf = ({ publicKey }: Keys) => publicKey.export({ format: "pem", type: "spki" }).toString();
const fingerprintOf = ({ publicKey }: Keys) =>
  `sha256:${createHash("sha256")
    .update(publicKey.export({ format: "der", type: "spki" }))
    .digest("hex")}`;
const signerOf = (options: Partial<CertificateRequest> = {}) =>
  deployment.certify({ issuer: ISSUER, subject: SUBJECT, notBefore: NOW, ...options });
const verify = (made: NewCandidate, policy: unknown, image: Digest = IMAGE) =>
  verifyCosign(image, newCandidate(made), cosignPolicy(policy));

describe("a signature that cosign has made", () => {
  test.each<[FixtureName, Digest]>([
    ["bundle-by-key", IMAGE],
    ["bundle-of-a-platform", PLATFORM_IMAGE],
    ["simple-signing-by-key", IMAGE],
  ])("%s counts by its key", async (name, image) => {
    // The hint that cosign writes into its bundles.
    const fingerprint = Buffer.from("sD4nQMT8F9HfS5HN5aPyGo1Ez4lDv9nkzsrt3rQp/9A=", "base64").toString("hex");
    const verdict = await verifyCosign(image, readFixture(name), cosignPolicy({ key: readFixtureKey("cosign") }));
    expect(verdict).toEqual({ signedBy: `sha256:${fingerprint}` });
  });

  test.each<FixtureName>(["bundle-by-identity", "simple-signing-by-identity"])(
    "%s counts by its identity",
    async (name) => {
      const policy = cosignPolicy({ issuer: ISSUER, subject: SUBJECT, trustedRoot: fixtureRoot });
      expect(await verifyCosign(IMAGE, readFixture(name), policy)).toEqual({ signedBy: `${SUBJECT} (${ISSUER})` });
    },
  );

  test.each([
    ["bundle-by-p384", "p384"],
    ["simple-signing-by-p521", "p521"],
    ["simple-signing-as-referrer", "rsa2048"],
  ] as const)("%s counts by the key %s", async (name, key) => {
    const verdict = await verifyCosign(IMAGE, readFixture(name), cosignPolicy({ key: readFixtureKey(key) }));
    expect(verdict).toHaveProperty("signedBy");
  });

  // cosign verify does not accept it either.
  test("bundle-by-ed25519ph does not count", async () => {
    const policy = cosignPolicy({ key: readFixtureKey("ed25519") });
    expect(await verifyCosign(IMAGE, readFixture("bundle-by-ed25519ph"), policy)).toHaveProperty("rejected");
  });
});

describe("a signature by key", () => {
  const rsa = (modulusLength: number): Keys => generateKeyPairSync("rsa", { modulusLength });
  const ec = (namedCurve: string): Keys => generateKeyPairSync("ec", { namedCurve });
  const kinds: [string, Keys, string | null][] = [
    ["P-256", ec("prime256v1"), "sha256"],
    ["P-384", ec("secp384r1"), "sha384"],
    ["P-384 with SHA-256", ec("secp384r1"), "sha256"],
    ["P-521", ec("secp521r1"), "sha512"],
    ["P-521 with SHA-256", ec("secp521r1"), "sha256"],
    ["RSA 2048", rsa(2048), "sha256"],
    ["RSA 3072", rsa(3072), "sha256"],
    ["Ed25519", generateKeyPairSync("ed25519"), null],
  ];

  test.each(kinds)("counts in a bundle: %s", async (_, keys, hash) => {
    const bundle = bundleReferrer(IMAGE, bundleByKey(keys, statementFor(IMAGE), hash));
    expect(await verify(bundle, { key: pemOf(keys) })).toEqual({ signedBy: fingerprintOf(keys) });
  });

  test.each(kinds)("counts under cosign's tag: %s", async (_, keys, hash) => {
    const tag = signatureTag(simpleSigning(keys, IMAGE, hash));
    expect(await verify(tag, { key: pemOf(keys) })).toEqual({ signedBy: fingerprintOf(keys) });
  });

  test("counts by any of several keys", async () => {
    const keys = newKeys();
    const tag = signatureTag(simpleSigning(keys, IMAGE));
    expect(await verify(tag, { keys: [readFixtureKey("other"), pemOf(keys)] })).toEqual({
      signedBy: fingerprintOf(keys),
    });
    expect(await verify(tag, [{ key: readFixtureKey("other") }, { key: pemOf(keys) }])).toEqual({
      signedBy: fingerprintOf(keys),
    });
    const identity = { issuer: ISSUER, subject: SUBJECT, trustedRoot };
    expect(await verify(tag, [identity, { key: pemOf(keys) }])).toEqual({ signedBy: fingerprintOf(keys) });
  });

  test("counts for an image whose digest is SHA-512", async () => {
    const keys = newKeys();
    const image = `sha512:${"ab".repeat(64)}` as Digest;
    const key = pemOf(keys);
    expect(await verify(signatureTag(simpleSigning(keys, image)), { key }, image)).toHaveProperty("signedBy");
    const bundle = bundleReferrer(image, bundleByKey(keys, statementFor(image)));
    expect(await verify(bundle, { key }, image)).toHaveProperty("signedBy");
  });

  test.each([
    ["of in-toto 0.1", (statement: string) => statement.replace("Statement/v1", "Statement/v0.1")],
    ["that names other images, too", (statement: string) => statement.replace("[", '[{"digest":{"sha256":"00"}},')],
    ["with white space", (statement: string) => JSON.stringify(JSON.parse(statement), null, 2)],
  ])("counts with a statement %s", async (_, change) => {
    const keys = newKeys();
    const bundle = bundleReferrer(IMAGE, bundleByKey(keys, change(statementFor(IMAGE))));
    expect(await verify(bundle, { key: pemOf(keys) })).toHaveProperty("signedBy");
  });

  test("counts in a bundle with the older spelling of its type", async () => {
    const keys = newKeys();
    const mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.3";
    const bundle = bundleReferrer(IMAGE, { ...bundleByKey(keys, statementFor(IMAGE)), mediaType });
    expect(await verify(bundle, { key: pemOf(keys) })).toHaveProperty("signedBy");
  });

  test("counts although the log entry is one that nobody has verified", async () => {
    const keys = newKeys();
    const bundle = bundleByKey(keys, statementFor(IMAGE));
    const { certificate } = signerOf();
    const logged = { signature: Buffer.from("another"), verifier: certificate };
    bundle.verificationMaterial.tlogEntries = [deployment.log.logEnvelope(Buffer.from("{}"), logged, NOW)];
    expect(await verify(bundleReferrer(IMAGE, bundle), { key: pemOf(keys) })).toHaveProperty("signedBy");
  });
});

describe("a signature by identity", () => {
  const policy = { issuer: ISSUER, subject: "https://github\\.com/octo/app/.*@refs/tags/v\\d+", trustedRoot };
  const signedBy = `${SUBJECT} (${ISSUER})`;

  test.each<Proof>(["log", "tiles", "tiles, by hash"])("counts in a bundle, with a proof by %s", async (proof) => {
    const bundle = bundleByCertificate(deployment, signerOf(), statementFor(IMAGE), NOW, proof);
    expect(await verify(bundleReferrer(IMAGE, bundle), policy)).toEqual({ signedBy });
  });

  test("counts with a timestamp alone, where the trusted root has no log", async () => {
    const signer = signerOf({ log: "none" });
    const bundle = bundleByCertificate(deployment, signer, statementFor(IMAGE), NOW, "timestamp");
    expect(await verify(bundleReferrer(IMAGE, bundle), { ...policy, trustedRoot: withoutLogs })).toEqual({ signedBy });
  });

  test("counts under cosign's tag", async () => {
    const payload = payloadFor(IMAGE);
    const annotations = annotationsByCertificate(deployment, signerOf(), payload, NOW);
    expect(await verify(signatureTag({ payload, annotations }), policy)).toEqual({ signedBy });
  });

  test("counts under cosign's tag with a timestamp", async () => {
    const payload = payloadFor(IMAGE);
    const { "dev.sigstore.cosign/bundle": _, ...annotations } = annotationsByCertificate(
      deployment,
      signerOf({ log: "none" }),
      payload,
      NOW,
    );
    const signature = Buffer.from(annotations["dev.cosignproject.cosign/signature"] ?? "", "base64");
    const timestamp = deployment.timestamps.timestamp(signature, NOW).toString("base64");
    annotations["dev.sigstore.cosign/rfc3161timestamp"] = JSON.stringify({ SignedRFC3161Timestamp: timestamp });
    const root = { ...policy, trustedRoot: withoutLogs };
    expect(await verify(signatureTag({ payload, annotations }), root)).toEqual({ signedBy });
  });

  test("counts as a referrer in cosign's first form", async () => {
    const payload = payloadFor(IMAGE);
    const annotations = annotationsByCertificate(deployment, signerOf(), payload, NOW);
    const referrer = { ...signatureTag({ payload, annotations }), subject: IMAGE, configType: SIGNATURE_ARTIFACT };
    expect(await verify(referrer, policy)).toEqual({ signedBy });
  });

  test("counts for an email address, and with the older extension for the issuer", async () => {
    const signer = signerOf({ subject: "someone@example.com", oldIssuerExtension: true });
    const bundle = bundleByCertificate(deployment, signer, statementFor(IMAGE), NOW);
    const wanted = { ...policy, subject: "someone@example\\.com" };
    expect(await verify(bundleReferrer(IMAGE, bundle), wanted)).toEqual({
      signedBy: `someone@example.com (${ISSUER})`,
    });
  });

  test("counts for a subject with control characters, which never reach a terminal", async () => {
    const signer = signerOf({ subject: "https://github.com/octo/app\u001b[31m\u0007" });
    const bundle = bundleByCertificate(deployment, signer, statementFor(IMAGE), NOW);
    const wanted = { ...policy, subject: "https://github\\.com/octo/app[^/]*" };
    expect(await verify(bundleReferrer(IMAGE, bundle), wanted)).toEqual({
      signedBy: `https://github.com/octo/app\ufffd[31m\ufffd (${ISSUER})`,
    });
  });

  test("counts with a trusted root as text", async () => {
    const bundle = bundleByCertificate(deployment, signerOf(), statementFor(IMAGE), NOW);
    const wanted = { ...policy, trustedRoot: JSON.stringify(trustedRoot) };
    expect(await verify(bundleReferrer(IMAGE, bundle), wanted)).toEqual({ signedBy });
  });
});

describe("of several signatures", () => {
  const keys = newKeys();
  const policy = { key: pemOf(keys) };
  const good = () => simpleSigning(keys, IMAGE);
  const bad = () => simpleSigning(newKeys(), IMAGE);

  test("one that counts is enough", async () => {
    expect(await verify(signatureTag(bad(), good(), bad()), policy)).toEqual({ signedBy: fingerprintOf(keys) });
  });

  test("the newest twenty are read, and layers with one digest once", async () => {
    const signatures = Array.from({ length: 30 }, bad);
    const candidate = newCandidate(signatureTag(...signatures, good(), ...signatures.slice(0, 19)));
    expect(await verifyCosign(IMAGE, candidate, cosignPolicy(policy))).toHaveProperty("signedBy");
    expect(candidate.reads).toHaveLength(1);
  });
});

test.each<[string, NewCandidate, boolean]>([
  ["cosign's tag", signatureTag(simpleSigning(newKeys(), IMAGE)), true],
  ["a bundle", bundleReferrer(IMAGE, bundleByKey(newKeys(), statementFor(IMAGE))), true],
  ["a referrer of cosign's type without layers", { configType: SIGNATURE_ARTIFACT, layers: [] }, true],
  ["an SBOM", { artifactType: "application/spdx+json", layers: [{ mediaType: "text/spdx", content: "x" }] }, false],
  [
    "a Notation signature",
    {
      artifactType: "application/vnd.cncf.notary.signature",
      layers: [{ mediaType: "application/jose+json", content: "{}" }],
    },
    false,
  ],
  [
    "an attestation of cosign 2",
    { layers: [{ mediaType: "application/vnd.dsse.envelope.v1+json", content: "{}" }] },
    false,
  ],
  ["an image", { layers: [] }, false],
])("%s is a candidate or not", (_, made, expected) => {
  expect(isCosignManifest(newCandidate(made).manifest)).toBe(expected);
});
