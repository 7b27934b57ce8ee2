/** The argument verify.cosign. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import path from "node:path";
import { formatFailure } from "../../../provider/failure/failure";
import { parseCosignPolicy, policyKey } from "../../../provider/signature/cosign-policy";
import { cosignPolicy, fixtureRoot, ISSUER, readFixtureKey, SUBJECT } from "../../support/cosign-fixtures";
import { SigstoreDeployment } from "../../support/sigstore/deployment";

const key = readFixtureKey("cosign");
const other = readFixtureKey("other");
const identity = { issuer: ISSUER, subject: SUBJECT };

/** The first line of each problem, without its code. */
function problems(value: unknown): readonly string[] {
  const parsed = parseCosignPolicy("verify.cosign", value);
  const failures = "problems" in parsed ? parsed.problems : [];
  return failures.map((failure) => formatFailure(failure).split(" [INVALID_ARGUMENT]")[0] ?? "");
}

const pem = (
  type: "ec" | "rsa" | "rsa-pss" | "dsa" | "ed448",
  options: object,
  part: "publicKey" | "privateKey" = "publicKey",
) => {
  const pair = generateKeyPairSync(type as "ec", options as { namedCurve: string });
  return part === "publicKey"
    ? pair.publicKey.export({ format: "pem", type: "spki" }).toString()
    : pair.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
};

test.each<[string, unknown]>([
  ["a key", { key }],
  ["keys", { keys: [key, other] }],
  [
    "an RSA key in PKCS #1",
    { key: generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "pem", type: "pkcs1" }) },
  ],
  ["an identity", identity],
  ["an identity with a root as an object", { ...identity, trustedRoot: JSON.parse(fixtureRoot) }],
  ["an identity with a root as text", { ...identity, trustedRoot: fixtureRoot }],
  [
    "an identity of a deployment without logs",
    { ...identity, trustedRoot: { ...new SigstoreDeployment().trustedRoot, tlogs: [] } },
  ],
  ["a list", [{ key }, identity]],
  ["absent arguments beside a key", { key, keys: undefined, issuer: null }],
])("accepts %s", (_, value) => {
  expect(problems(value)).toEqual([]);
});

test.each<[string, unknown, string]>([
  ["no object", "key", "verify.cosign: must be an object with key, keys, or issuer and subject"],
  ["nothing", {}, "verify.cosign: must have key, keys, or issuer and subject"],
  ["an empty list", [], "verify.cosign: must contain at least one signer"],
  ["a list in a list", [[{ key }]], "verify.cosign[0]: must be an object with key, keys, or issuer and subject"],
  [
    "an unknown argument",
    { key, rekor: "x" },
    "verify.cosign.rekor: is not a known argument; expected one of key, keys, issuer, subject, trustedRoot",
  ],
  ["a key and keys", { key, keys: [key] }, "verify.cosign: must have only one of key, keys, or issuer and subject"],
  [
    "a key and a root",
    { key, trustedRoot: fixtureRoot },
    "verify.cosign: must have only one of key, keys, or issuer and subject",
  ],
  ["an empty list of keys", { keys: [] }, "verify.cosign.keys: must be a list of at least one public key"],
  ["keys that are no list", { keys: key }, "verify.cosign.keys: must be a list of at least one public key"],
  ["a key that is no text", { keys: [key, 1] }, "verify.cosign.keys[1]: must be a string"],
  ["a key that is missing in a list", { keys: [null] }, "verify.cosign.keys[0]: must be a string"],
  [
    "the path of a key",
    { key: "cosign.pub" },
    "verify.cosign.key: must be a public key in PEM (-----BEGIN PUBLIC KEY-----)",
  ],
  [
    "the address of a key",
    { key: "azurekms://vault/key" },
    "verify.cosign.key: must be a public key in PEM (-----BEGIN PUBLIC KEY-----)",
  ],
  [
    "a private key",
    { key: pem("ec", { namedCurve: "prime256v1" }, "privateKey") },
    "verify.cosign.key: must be a public key, not a private one",
  ],
  [
    "an encrypted private key",
    { key: "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----" },
    "verify.cosign.key: must be a public key, not a private one",
  ],
  [
    "a certificate",
    { key: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
    "verify.cosign.key: must be a public key in PEM (-----BEGIN PUBLIC KEY-----), not CERTIFICATE",
  ],
  ["two keys in one text", { key: key + other }, "verify.cosign.key: must be one key"],
  [
    "a key cut short",
    { key: key.replace("MFkw", "") },
    "verify.cosign.key: is not a valid public key: its content cannot be decoded",
  ],
  [
    "RSA under another label",
    { key: readFixtureKey("rsa2048").replaceAll("PUBLIC KEY", "RSA PUBLIC KEY") },
    "verify.cosign.key: is not a valid public key: its content cannot be decoded",
  ],
  [
    "a short RSA key",
    { key: pem("rsa", { modulusLength: 1024 }) },
    "verify.cosign.key: must have at least 2048 bits, not 1024",
  ],
  [
    "secp256k1",
    { key: pem("ec", { namedCurve: "secp256k1" }) },
    "verify.cosign.key: must be an ECDSA (P-256, P-384, P-521), RSA or Ed25519 key, not secp256k1",
  ],
  [
    "RSA-PSS",
    { key: pem("rsa-pss", { modulusLength: 2048 }) },
    "verify.cosign.key: must be an ECDSA (P-256, P-384, P-521), RSA or Ed25519 key, not rsa-pss",
  ],
  [
    "Ed448",
    { key: pem("ed448", {}) },
    "verify.cosign.key: must be an ECDSA (P-256, P-384, P-521), RSA or Ed25519 key, not ed448",
  ],
  ["no subject", { issuer: ISSUER }, "verify.cosign.subject: is required: issuer and subject go together"],
  ["no issuer", { subject: SUBJECT }, "verify.cosign.issuer: is required: issuer and subject go together"],
  [
    "a root alone, its issuer",
    { trustedRoot: fixtureRoot, subject: SUBJECT },
    "verify.cosign.issuer: is required: issuer and subject go together",
  ],
  ...[
    "*",
    ".*",
    "https://*",
    "https://.*\\.example\\.com",
    "token.actions.githubusercontent.com",
    "http://example.com",
    " https://example.com",
    "https://a|https://b",
    "https://[a-z]",
    "",
  ].map((issuer): [string, unknown, string] => [
    `the issuer ${JSON.stringify(issuer)}`,
    { issuer, subject: SUBJECT },
    `verify.cosign.issuer: must be the exact URL of an OpenID Connect issuer, such as ${ISSUER}`,
  ]),
  ...[".*", ".+", "^.*$", "(?s).*", "[^ ]*", "(a|.)*", ".{1,}"].map((subject): [string, unknown, string] => [
    `the subject ${subject}`,
    { issuer: ISSUER, subject },
    "verify.cosign.subject: must not match every subject",
  ]),
  ["an empty subject", { issuer: ISSUER, subject: "" }, "verify.cosign.subject: must not be empty"],
  [
    "an open bracket",
    { issuer: ISSUER, subject: "(" },
    "verify.cosign.subject: is not a valid RE2: missing closing ): `(`",
  ],
  [
    "a back-reference",
    { issuer: ISSUER, subject: "(a)\\1" },
    "verify.cosign.subject: is not a valid RE2: invalid escape sequence: `\\1`",
  ],
  ["a root that is not JSON", { ...identity, trustedRoot: "{" }, "verify.cosign.trustedRoot: is not valid JSON"],
  [
    "a root that is a list",
    { ...identity, trustedRoot: [] },
    "verify.cosign.trustedRoot: must be the content of a trusted_root.json, as text or as an object",
  ],
  [
    "a root without authorities",
    { ...identity, trustedRoot: {} },
    "verify.cosign.trustedRoot: must have certificateAuthorities",
  ],
  [
    "a root that proves no time",
    { ...identity, trustedRoot: { ...JSON.parse(fixtureRoot), tlogs: [], timestampAuthorities: [] } },
    "verify.cosign.trustedRoot: must have tlogs or timestampAuthorities: one of them tells the time of a signature",
  ],
  [
    "a root with an empty chain",
    { ...identity, trustedRoot: { ...JSON.parse(fixtureRoot), certificateAuthorities: [{}] } },
    "verify.cosign.trustedRoot: must have a valid certChain for each certificate and timestamp authority",
  ],
  [
    "a root with a log of no key",
    { ...identity, trustedRoot: { ...JSON.parse(fixtureRoot), ctlogs: [{ publicKey: { rawBytes: "AAAA" } }] } },
    "verify.cosign.trustedRoot: must have a valid publicKey for each log",
  ],
])("rejects %s", (_, value, problem) => {
  expect(problems(value)).toEqual([problem]);
});

test("reports all problems at once", () => {
  expect(problems([{ keys: ["a", "b"] }, { issuer: "*", subject: "(", trustedRoot: "{" }, {}])).toEqual([
    "verify.cosign[0].keys[0]: must be a public key in PEM (-----BEGIN PUBLIC KEY-----)",
    "verify.cosign[0].keys[1]: must be a public key in PEM (-----BEGIN PUBLIC KEY-----)",
    expect.stringMatching(/^verify\.cosign\[1\]\.issuer: /),
    expect.stringMatching(/^verify\.cosign\[1\]\.subject: /),
    expect.stringMatching(/^verify\.cosign\[1\]\.trustedRoot: /),
    "verify.cosign[2]: must have key, keys, or issuer and subject",
  ]);
});

test("no problem repeats a key, which may be private", () => {
  const secret = pem("ec", { namedCurve: "prime256v1" }, "privateKey");
  const parsed = parseCosignPolicy("verify.cosign", [{ key: secret }, { key: secret.replaceAll("PRIVATE ", "") }]);
  const line = secret.split("\n")[1] ?? "";
  expect(JSON.stringify(parsed)).not.toContain(line.slice(0, 16));
});

describe("the key of a policy", () => {
  const keyOf = (value: unknown) => policyKey(cosignPolicy(value));

  test.each<[string, unknown, unknown]>([
    ["white space in a PEM", { key }, { key: `\n  ${key.trim().replaceAll("\n", "\r\n  ")}\r\n` }],
    [
      "one line instead of several",
      { key },
      {
        key: key
          .trim()
          .replaceAll("\n", "")
          .replaceAll(/(-----[A-Z ]+-----)/g, "\n$1\n"),
      },
    ],
    ["a list of one key", { key }, { keys: [key] }],
    ["the order of keys", { keys: [key, other] }, { keys: [other, key] }],
    ["a key named twice", { keys: [key, other] }, [{ key: other }, { keys: [key, other] }]],
    [
      "a root as text",
      { ...identity, trustedRoot: fixtureRoot },
      { ...identity, trustedRoot: JSON.parse(fixtureRoot) },
    ],
    [
      "the order of members of a root",
      { ...identity, trustedRoot: JSON.parse(fixtureRoot) },
      { ...identity, trustedRoot: Object.fromEntries(Object.entries(JSON.parse(fixtureRoot)).reverse()) },
    ],
  ])("does not depend on %s", (_, one, same) => {
    expect(keyOf(same)).toBe(keyOf(one));
  });

  test.each<[string, unknown, unknown]>([
    ["the key", { key }, { key: other }],
    ["a further key", { key }, { keys: [key, other] }],
    ["the issuer", identity, { ...identity, issuer: "https://gitlab.com" }],
    ["the subject", identity, { ...identity, subject: "https://github\\.com/octo/.*" }],
    ["the root", identity, { ...identity, trustedRoot: fixtureRoot }],
    [
      "another root",
      { ...identity, trustedRoot: fixtureRoot },
      { ...identity, trustedRoot: new SigstoreDeployment().trustedRoot },
    ],
  ])("depends on %s", (_, one, another) => {
    expect(keyOf(another)).not.toBe(keyOf(one));
  });

  test("is short, and the same in every run", () => {
    expect(keyOf([{ key }, identity])).toBe("sha256:cb68ed951e369ce4dc77efe5c1d07b7132f458fd416dd617f7858d10ee71aa7d");
  });
});

test("Sigstore's packages are not loaded to parse a policy, and RE2 only for an identity", () => {
  const module = path.resolve(__dirname, "../../../provider/signature/cosign-policy.ts");
  const script = `
    const { parseCosignPolicy } = require(${JSON.stringify(module)});
    require(${JSON.stringify(path.resolve(__dirname, "../../../provider/signature/cosign.ts"))});
    const loaded = () => Object.keys(require.cache).filter((file) => /node_modules.(@sigstore|re2js)/.test(file)).length;
    const found = [loaded()];
    parseCosignPolicy("verify.cosign", { key: ${JSON.stringify(key)} });
    found.push(loaded());
    parseCosignPolicy("verify.cosign", ${JSON.stringify({ ...identity, trustedRoot: fixtureRoot })});
    found.push(loaded());
    console.log(JSON.stringify(found));`;
  const output = execFileSync(process.execPath, ["--import", "tsx", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual([0, 0, 1]);
});
