/** Signatures that cosign has made, after a change, by another signer or unreadable. */
import { ImportError } from "../../../provider/failure/failure";
import { registryFailure } from "../../../provider/failure/registry";
import type { SignatureCandidate } from "../../../provider/signature/candidate";
import { verifyCosign } from "../../../provider/signature/cosign";
import {
  cosignPolicy,
  type FixtureName,
  fixtureRoot,
  IMAGE,
  ISSUER,
  readFixture,
  readFixtureKey,
  SUBJECT,
  storedFixture,
} from "../../support/cosign-fixtures";
import { type NewCandidate, newCandidate } from "../../support/signature-candidate";
import { SigstoreDeployment } from "../../support/sigstore/deployment";

const byKey = cosignPolicy({ key: readFixtureKey("cosign") });
const identity = { issuer: ISSUER, subject: SUBJECT, trustedRoot: fixtureRoot };
const byIdentity = cosignPolicy(identity);
const otherRoot = new SigstoreDeployment().trustedRoot;

test.each<[FixtureName, string, unknown, RegExp]>([
  ["bundle-by-key", "another key", { key: readFixtureKey("other") }, /^was not made with the key sha256:/],
  ["simple-signing-by-key", "another key", { key: readFixtureKey("other") }, /^was not made with the key sha256:/],
  [
    "attestation-by-key",
    "the key of the attestation",
    { key: readFixtureKey("rsa4096") },
    /^is an attestation \(https:/,
  ],
  [
    "bundle-by-identity",
    "another issuer",
    { ...identity, issuer: "https://gitlab.com" },
    /^was made by .* not the required/,
  ],
  [
    "bundle-by-identity",
    "another subject",
    { ...identity, subject: SUBJECT.slice(0, -1) },
    /not the required identity$/,
  ],
  ["bundle-by-identity", "another root", { ...identity, trustedRoot: otherRoot }, /Failed to verify certificate chain/],
  [
    "simple-signing-by-identity",
    "another root",
    { ...identity, trustedRoot: otherRoot },
    /Failed to verify certificate/,
  ],
])("%s does not count with %s", async (name, _, policy, reason) => {
  const verdict = await verifyCosign(IMAGE, readFixture(name), cosignPolicy(policy));
  expect(verdict).toEqual({ rejected: expect.stringMatching(reason) });
});

/** JSON with each of its texts and numbers changed in turn. */
function changes(value: unknown, path = ""): [path: string, changed: unknown][] {
  if (typeof value === "number") return [[path, value + 1]];
  if (typeof value === "string") {
    const middle = Math.floor(value.length / 2);
    const other = /[A-Za-z]/.test(value[middle] ?? "") ? "1" : "A";
    return [
      [
        path,
        /^\d+$/.test(value) ? String(Number(value) + 1) : value.slice(0, middle) + other + value.slice(middle + 1),
      ],
    ];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    changes(member, `${path}/${name}`).map(([where, changed]): [string, unknown] => [
      where,
      Object.assign(Array.isArray(value) ? [...value] : { ...value }, { [name]: changed }),
    ]),
  );
}

const accepted = async (made: NewCandidate, policy = byIdentity) =>
  "signedBy" in (await verifyCosign(IMAGE, newCandidate(made), policy));

test("every field of a bundle is signed, but those that its checkpoint repeats", async () => {
  const stored = await storedFixture("bundle-by-identity");
  const bundle = JSON.parse(String(stored.layers[0]?.content));
  expect(await accepted(stored)).toBe(true);
  const ignored: string[] = [];
  for (const [path, changed] of changes(bundle)) {
    const layers = stored.layers.map((layer) => ({ ...layer, content: JSON.stringify(changed) }));
    if (await accepted({ ...stored, layers })) ignored.push(path);
  }
  const proof = "/verificationMaterial/tlogEntries/0/inclusionProof";
  expect(ignored).toEqual([`${proof}/rootHash`, `${proof}/treeSize`]);
});

test("every field of the annotations of cosign's tag is signed, but the chain", async () => {
  const stored = await storedFixture("simple-signing-by-identity");
  const { "dev.sigstore.cosign/bundle": entry = "", ...annotations } = stored.layers[0]?.annotations ?? {};
  const changed = [
    ...changes(annotations).map(
      ([path, one]) => [path, { ...(one as object), "dev.sigstore.cosign/bundle": entry }] as const,
    ),
    ...changes(JSON.parse(entry)).map(
      ([path, one]) => [path, { ...annotations, "dev.sigstore.cosign/bundle": JSON.stringify(one) }] as const,
    ),
  ];
  const ignored: string[] = [];
  for (const [path, one] of changed) {
    const layers = stored.layers.map((layer) => ({ ...layer, annotations: one as Record<string, string> }));
    if (await accepted({ ...stored, layers })) ignored.push(path);
  }
  expect(changed).toHaveLength(8);
  expect(ignored).toEqual(["/dev.sigstore.cosign/chain"]);
});

describe("a layer that cannot be read", () => {
  const failure = new ImportError(registryFailure.throttled("source", "ghcr.io"));
  const unreadable = async () => {
    throw failure;
  };

  test("is no verdict", async () => {
    const candidate: SignatureCandidate = { ...readFixture("bundle-by-key"), blob: unreadable };
    await expect(verifyCosign(IMAGE, candidate, byKey)).rejects.toBe(failure);
  });

  test("does not matter beside a signature that counts", async () => {
    const { manifest, blob, digest } = readFixture("simple-signing-by-key");
    const [good] = manifest.layers;
    const missing = good && { ...good, digest: digest };
    const candidate: SignatureCandidate = {
      digest,
      manifest: { ...manifest, layers: [...manifest.layers, ...(missing ? [missing] : [])] },
      blob: (layer, maxBytes) => (layer.digest === digest ? unreadable() : blob(layer, maxBytes)),
    };
    expect(await verifyCosign(IMAGE, candidate, byKey)).toHaveProperty("signedBy");
  });
});
