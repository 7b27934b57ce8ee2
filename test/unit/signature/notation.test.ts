/** Notation signatures that are accepted: those of notation-go with timestamps of OpenSSL, in each form. */
import type { SignatureManifest } from "../../../provider/signature/candidate";
import { isNotationSignature, verifyNotation } from "../../../provider/signature/notation";
import type { NotationPolicy } from "../../../provider/signature/notation-policy";
import { parseNotationPolicy } from "../../../provider/signature/notation-policy";
import { digestOf } from "../../support/fixtures";
import { integer, tlv } from "./der";
import { CA_EXTENSIONS, extension, issue, LEAF_EXTENSIONS, TSA_EXTENSIONS } from "./notation-certificates";
import { ARTIFACT_TYPE, candidateOf, IMAGE, signCose, signJws } from "./notation-envelopes";
import fixtures from "./notation-fixtures.json";
import { timestampOf } from "./notation-timestamps";

function policyOf(
  ca: string,
  tsa: readonly string[] = [],
  identity = "x509.subject: C=US, ST=WA, O=Wabbit Networks",
): NotationPolicy {
  const trustStore = { ca: [ca], ...(tsa.length > 0 && { tsa }) };
  const parsed = parseNotationPolicy("verify.notation", {
    trustStore,
    trustedIdentities: [identity],
    revocation: "skip",
  });
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}

const image = { ...fixtures.subject, digest: fixtures.subject.digest as typeof IMAGE.digest };
const YEARS_LATER = new Date("2035-01-01");
const signedBy = "C=US, ST=WA, L=Seattle, O=Wabbit Networks, OU=Release, CN=wabbit-networks.io";

/** A signature of the fixtures, as a candidate. */
function fixture(title: string, change: Partial<SignatureManifest> = {}) {
  const { mediaType, envelope } = fixtures.signatures[title as keyof typeof fixtures.signatures];
  const signed = { mediaType, bytes: Buffer.from(envelope, "base64") };
  return candidateOf(signed, { subject: { digest: image.digest }, ...change });
}

const titles = Object.keys(fixtures.signatures).filter((title) => !title.includes("authority"));
const timestamped = titles.filter((title) => title.includes("timestamped"));

test("the fixtures have each format with each kind of key, with and without a timestamp", () => {
  const keys = ["rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521"];
  const forms = titles.map((title) => title.replace(/,.*/, "")).sort();
  expect(forms).toEqual(keys.flatMap((key) => [`cose ${key}`, `jws ${key}`]).sort());
  expect(timestamped).toHaveLength(8);
});

test.each(titles)("accepts %s while the certificates are valid", async (title) => {
  const now = new Date(fixtures.signedAt);
  expect(await verifyNotation(image, fixture(title), policyOf(fixtures.ca), now)).toEqual({ signedBy });
});

test.each(timestamped)("accepts %s after the certificates have expired", async (title) => {
  const policy = policyOf(fixtures.ca, Object.values(fixtures.tsa));
  expect(await verifyNotation(image, fixture(title), policy, YEARS_LATER)).toEqual({ signedBy });
});

test.each(titles)("rejects %s after the certificates have expired, when timestamps do not count", async (title) => {
  const now = new Date(new Date(fixtures.notAfter).getTime() + 1000);
  const rejected = expect.stringContaining(`which expired at ${new Date(fixtures.notAfter).toISOString()}`);
  expect(await verifyNotation(image, fixture(title), policyOf(fixtures.ca), now)).toEqual({ rejected });
});

test.each(["jws", "cose"])("rejects the scheme of signing authorities in %s", async (format) => {
  const candidate = fixture(`${format} by a signing authority`);
  const rejected = 'has the signing scheme "notary.x509.signingAuthority"; only notary.x509 is supported';
  expect(await verifyNotation(image, candidate, policyOf(fixtures.ca), new Date(fixtures.signedAt))).toEqual({
    rejected,
  });
});

test("accepts the manifest of older versions, whose config has the type", async () => {
  const config = { mediaType: ARTIFACT_TYPE, digest: digestOf("c") };
  const { artifactType: _, ...manifest } = fixture("jws p256, timestamped by ec").manifest;
  const candidate = { ...fixture("jws p256, timestamped by ec"), manifest: { ...manifest, config } };
  const now = new Date(fixtures.signedAt);
  expect(await verifyNotation(image, candidate, policyOf(fixtures.ca), now)).toEqual({ signedBy });
  expect(isNotationSignature(candidate.manifest)).toBe(true);
  expect(isNotationSignature({ ...manifest, artifactType: "application/spdx+json", config })).toBe(false);
});

test("accepts an image of which only the digest is known", async () => {
  const { digest } = image;
  const candidate = fixture("cose p384, with expiry");
  const now = new Date(fixtures.signedAt);
  expect(await verifyNotation({ digest }, candidate, policyOf(fixtures.ca), now)).toEqual({ signedBy });
});

describe("with certificates made here", () => {
  const root = issue("Root", { extensions: CA_EXTENSIONS });
  const intermediate = issue("Intermediate", { issuer: root, extensions: CA_EXTENSIONS });
  const leaf = issue("signer", { issuer: intermediate });
  const chain = [leaf, intermediate, root];
  const now = new Date("2026-12-01");
  const accepted = { signedBy: "C=US, ST=WA, O=Wabbit Networks, CN=signer" };

  test.each([signJws, signCose])("accepts what %p signs, which the forgeries start from", async (sign) => {
    expect(await verifyNotation(IMAGE, candidateOf(sign({ chain })), policyOf(root.pem), now)).toEqual(accepted);
  });

  test.each([
    ["the root", root],
    ["an intermediate certificate", intermediate],
  ])("accepts a trust store with %s", async (_, { pem }) => {
    expect(await verifyNotation(IMAGE, candidateOf(signJws({ chain })), policyOf(pem), now)).toEqual(accepted);
  });

  test("accepts a self-signed certificate that is itself trusted", async () => {
    const alone = issue("signer");
    expect(await verifyNotation(IMAGE, candidateOf(signJws({ chain: [alone] })), policyOf(alone.pem), now)).toEqual(
      accepted,
    );
  });

  test("accepts any signer below the CA when every identity is trusted", async () => {
    const stranger = issue("stranger", { issuer: root, name: [["O", "Stranger"]] });
    const candidate = candidateOf(signJws({ chain: [stranger, root] }));
    const policy = { ...policyOf(root.pem), trustedIdentities: "*" as const };
    expect(await verifyNotation(IMAGE, candidate, policy, now)).toEqual({ signedBy: "O=Stranger, CN=stranger" });
  });

  test("accepts certificates whose critical extensions it does not know, as the specification says", async () => {
    const unknown = extension.make("1.2.3.4", true, Buffer.from("0500", "hex"));
    const special = issue("signer", { issuer: root, extensions: [...LEAF_EXTENSIONS, unknown] });
    const candidate = candidateOf(signJws({ chain: [special, root] }));
    expect(await verifyNotation(IMAGE, candidate, policyOf(root.pem), now)).toEqual(accepted);
  });

  test("accepts headers and members that are neither known nor critical", async () => {
    const candidate = candidateOf(
      signJws({ chain, headers: { "com.example.note": "hello" }, unprotected: { "com.example.other": 1 } }),
    );
    expect(await verifyNotation(IMAGE, candidate, policyOf(root.pem), now)).toEqual(accepted);
  });

  test("escapes the signer's name, so that it can be printed and used as an identity", async () => {
    const odd = issue("a,b\u001b[31m\n", { issuer: root });
    const verdict = await verifyNotation(IMAGE, candidateOf(signJws({ chain: [odd, root] })), policyOf(root.pem), now);
    const name = "C=US, ST=WA, O=Wabbit Networks, CN=a\\,b\\1b[31m\\0a";
    expect(verdict).toEqual({ signedBy: name });
    const itself = policyOf(root.pem, [], `x509.subject: ${name}`);
    expect(await verifyNotation(IMAGE, candidateOf(signJws({ chain: [odd, root] })), itself, now)).toEqual(verdict);
  });

  test.each([
    ["PrintableString", (text: string) => tlv(0x13, Buffer.from(text))],
    ["TeletexString", (text: string) => tlv(0x14, Buffer.from(text))],
    ["BMPString", (text: string) => tlv(0x1e, Buffer.from(text, "utf16le").swap16())],
  ])("accepts a subject in %s", async (_, text) => {
    const candidate = candidateOf(signJws({ chain: [issue("signer", { issuer: root, text }), root] }));
    expect(await verifyNotation(IMAGE, candidate, policyOf(root.pem), now)).toEqual(accepted);
  });

  test("accepts certificates that were signed with RSASSA-PSS", async () => {
    const rsaRoot = issue("Root", { extensions: CA_EXTENSIONS, key: "rsa2048", pss: "sha256" });
    const candidate = candidateOf(signJws({ chain: [issue("signer", { issuer: rsaRoot, pss: "sha256" }), rsaRoot] }));
    expect(await verifyNotation(IMAGE, candidate, policyOf(rsaRoot.pem), now)).toEqual(accepted);
  });

  test.each([
    ["ECDSA", { key: "p256" }, {}],
    ["RSASSA-PKCS1-v1_5", { key: "rsa2048" }, {}],
    ["RSASSA-PSS", { key: "rsa2048" }, { pss: true }],
    ["SHA-512", { key: "p384" }, { imprintHash: "sha512", digestHash: "sha512" }],
  ] as const)("accepts a timestamp with %s", async (_, wish, stamping) => {
    const tsaRoot = issue("TSA Root", { extensions: CA_EXTENSIONS });
    const tsa = issue("TSA", { issuer: tsaRoot, extensions: TSA_EXTENSIONS, ...wish });
    const timestamp = (signature: Buffer) => timestampOf(signature, { tsa, ...stamping });
    const candidate = candidateOf(signCose({ chain, timestamp }));
    expect(await verifyNotation(IMAGE, candidate, policyOf(root.pem, [tsaRoot.pem]), YEARS_LATER)).toEqual(accepted);
  });

  test("finds the trusted root of an authority that two roots certify", async () => {
    const [oldRoot, newRoot] = [
      issue("Old", { extensions: CA_EXTENSIONS }),
      issue("New", { extensions: CA_EXTENSIONS }),
    ];
    const cross = issue("New", { issuer: oldRoot, keyOf: newRoot, extensions: CA_EXTENSIONS });
    const tsa = issue("TSA", { issuer: newRoot, extensions: TSA_EXTENSIONS });
    const timestamp = (signature: Buffer) => timestampOf(signature, { tsa, others: [newRoot, cross] });
    const candidate = candidateOf(signJws({ chain, timestamp }));
    for (const { pem } of [oldRoot, newRoot]) {
      expect(await verifyNotation(IMAGE, candidate, policyOf(root.pem, [pem]), YEARS_LATER)).toEqual(accepted);
    }
  });

  test("accepts a timestamp of an authority whose certificate has expired since", async () => {
    const tsaRoot = issue("TSA Root", { extensions: CA_EXTENSIONS });
    const tsa = issue("TSA", { issuer: tsaRoot, extensions: TSA_EXTENSIONS, to: "2026-12-31" });
    const timestamp = (signature: Buffer) => timestampOf(signature, { tsa, signingTime: "2026-11-01T00:00:05Z" });
    const candidate = candidateOf(signCose({ chain, timestamp }));
    expect(await verifyNotation(IMAGE, candidate, policyOf(root.pem, [tsaRoot.pem]), YEARS_LATER)).toEqual(accepted);
  });

  test("accepts a timestamp whose accuracy just stays within the certificate's validity", async () => {
    const short = [issue("signer", { issuer: root, to: "2026-11-01" }), root];
    const tsaRoot = issue("TSA Root", { extensions: CA_EXTENSIONS });
    const tsa = issue("TSA", { issuer: tsaRoot, extensions: TSA_EXTENSIONS });
    const accuracy = [integer(8), integer(999, 0x80), integer(1000, 0x81)];
    const timestamp = (signature: Buffer) => timestampOf(signature, { tsa, time: "2026-10-31T23:59:51Z", accuracy });
    const candidate = candidateOf(signJws({ chain: short, timestamp }));
    expect(await verifyNotation(IMAGE, candidate, policyOf(root.pem, [tsaRoot.pem]), now)).toEqual(accepted);
  });

  test("throws what reading the layer throws", async () => {
    const failing = { ...candidateOf(signJws({ chain })), blob: () => Promise.reject(new Error("HTTP 503")) };
    await expect(verifyNotation(IMAGE, failing, policyOf(root.pem), now)).rejects.toThrow("HTTP 503");
  });
});
