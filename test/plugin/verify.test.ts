/** `verify`: nothing is imported without a signature that counts. */
import path from "node:path";
import type { Digest } from "../../provider/reference/digest";
import { fixtureRoot, readFixtureKey } from "../support/cosign-fixtures";
import { useEmulator } from "../support/emulator";
import { pushSignature, signatureTagOf } from "../support/push-signature";
import { type Keys, newKeys } from "../support/sigstore/certificate-authority";
import {
  bundleByKey,
  bundleReferrer,
  signatureTag,
  simpleSigning,
  statementFor,
} from "../support/sigstore/cosign-signer";
import { CA_EXTENSIONS, issue } from "../unit/signature/notation-certificates";
import { ARTIFACT_TYPE, signJws } from "../unit/signature/notation-envelopes";
import { clientRequests, freshStack, importCount, publish, type Stack, targetDigest } from "./stack";

const emulator = useEmulator();
const keys = newKeys();
const pem = ({ publicKey }: Keys) => publicKey.export({ format: "pem", type: "spki" }) as string;
const byKey = { cosign: { key: pem(keys) } };

let stack: Stack;
let repository: string;
let first: string;
let image: { source: string; targetTags: string[]; verify: object };

beforeEach(async () => {
  ({ stack, repository, first } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`], verify: byKey };
});
afterEach(() => emulator.control.faults());

const none = { errors: {} };
const up = (changes: object = {}) => stack.up({ image: { ...image, ...changes } });
const held = () => targetDigest(emulator, `${repository}:1`);
const recorded = () => stack.resource().outputs;

/** Signs a digest as cosign 3 does, and returns the digest of the signature. */
const sign = (digest: string, by = keys) =>
  pushSignature(emulator, repository, bundleReferrer(digest as Digest, bundleByKey(by, statementFor(digest))));

/** The paths of the client's requests to Docker Hub's registry. */
const reads = () =>
  emulator.server.log
    .select(new URLSearchParams({ from: "client", host: "registry-1.docker.io" }))
    .map(({ method, path: where }) => `${method} ${where.replace(`/v2/${repository}/`, "")}`);

test("a signed image is imported, and a second up sends no request", async () => {
  const signature = sign(first);
  expect(await up()).toEqual({ ...none, steps: { image: "create" } });
  expect(held()).toBe(first);
  const evidence = { signature, signedBy: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) };
  expect(recorded()).toMatchObject(evidence);
  expect(stack.resource().inputs).toMatchObject(evidence);

  await stack.stopPlugin();
  emulator.server.log.clear();
  expect(await up()).toEqual({ ...none, steps: { image: "same" } });
  expect(clientRequests(emulator)).toEqual([]);
});

test("an unsigned image fails the check, which names where a signature could be; nothing is imported", async () => {
  emulator.server.log.clear();
  const { errors } = await up();
  expect(errors.image).toBe(
    [
      `verify: source: docker.io/${repository}@${first} has no cosign signature (searched its referrers, the tag ${signatureTagOf(first)}) [SIGNATURE_MISSING]`,
      "  Hint: If the image was copied into this registry, copy its signatures, too",
      "  Hint: To import it without a signature, remove verify.cosign",
    ].join("\n"),
  );
  expect(importCount(emulator)).toBe(0);
  expect(stack.state.size).toBe(0);
});

test("a signature by another key, or of another image, fails the check with its reason", async () => {
  const other = sign(first, newKeys());
  const statement = statementFor(publish(emulator, `${repository}:other`));
  const stolen = pushSignature(emulator, repository, bundleReferrer(first as Digest, bundleByKey(keys, statement)));
  const { errors } = await up();
  expect(errors.image).toMatch(/^verify: source: .* has no valid cosign signature: .*\[SIGNATURE_REJECTED\]/);
  expect(errors.image).toContain(`${other} was not made with the key sha256:`);
  expect(errors.image).toContain(`${stolen} signs sha256:`);
  expect(held()).toBeUndefined();
});

test.each([
  ["the list of referrers is throttled", { path: "/referrers/", status: 429, headers: { "Retry-After": "3600" } }],
  ["the list of referrers is denied", { path: "/referrers/", status: 403 }],
  ["a referrer cannot be read", { path: "/manifests/sha256:(?!FIRST)", method: "GET", status: 403 }],
  ["a layer cannot be read", { path: "/blobs/", status: 403 }],
])("%s: the image is not called unsigned", async (_, fault) => {
  sign(first);
  await emulator.control.faults({
    host: "registry-1.docker.io",
    from: "client",
    ...fault,
    path: fault.path.replace("FIRST", first.slice("sha256:".length)),
  });
  const { errors } = await up();
  expect(errors.image).toMatch(/^verify: source: .*\[SIGNATURE_UNREADABLE\]/);
  expect(held()).toBeUndefined();
});

test("another policy for the same digest is verified and recorded, and imports nothing", async () => {
  const [next, none] = [newKeys(), newKeys()];
  sign(first);
  const signature = sign(first, next);
  await up();
  emulator.server.log.clear();
  expect((await up({ verify: { cosign: { key: pem(none) } } })).errors.image).toContain("[SIGNATURE_REJECTED]");
  emulator.server.log.clear();
  expect(await up({ verify: { cosign: { key: pem(next) } } })).toEqual({ errors: {}, steps: { image: "update" } });
  expect(recorded()).toMatchObject({ signature, sourceDigest: first });
  expect(importCount(emulator)).toBe(0);
  expect(reads()).toContain(`GET referrers/${first}`);

  const { verify: _verify, ...unverified } = image;
  expect((await stack.up({ image: unverified })).steps).toEqual({ image: "update" });
  for (const output of ["verified", "signature", "signedBy"]) expect(recorded()).not.toHaveProperty(output);
});

test("a tag that moved to an unsigned digest is not imported, and is when the digest is signed", async () => {
  sign(first);
  await up();
  const second = publish(emulator, `${repository}:1`);
  const before = stack.resource();
  expect((await up()).errors.image).toContain("[SIGNATURE_MISSING]");
  expect([stack.resource(), held()]).toEqual([before, first]);
  const signature = sign(second);
  expect((await up()).errors).toEqual({});
  expect(held()).toBe(second);
  expect(recorded()).toMatchObject({ signature });
});

test("cosign's tag is found, also on a registry without the referrers API", async () => {
  const signature = pushSignature(
    emulator,
    repository,
    signatureTag(simpleSigning(keys, first)),
    signatureTagOf(first),
  );
  await emulator.control.faults({ host: "registry-1.docker.io", from: "client", path: "/referrers/", status: 404 });
  expect((await up()).errors).toEqual({});
  expect(recorded()).toMatchObject({ signature });
  // The process remembers that this host has no referrers API.
  await stack.stopPlugin();
});

test("signatures that cosign itself has made, of an index; with platform, that of the index counts", async () => {
  const layout = path.join(__dirname, "../fixtures/oci-layouts/cosign-bundles");
  const { 1: digest } = await emulator.control.pushLayout(`docker.io/${repository}`, layout);
  const verify = { cosign: [{ key: pem(newKeys()) }, { key: readFixtureKey("cosign") }] };
  expect((await up({ verify, platform: "linux/arm64" })).errors).toEqual({});
  expect(recorded()).toMatchObject({ indexDigest: digest, platforms: ["linux/arm64/v8"] });
  // Of the policy and of the index.
  expect(recorded().verified).toMatch(new RegExp(`^\\S{43} ${digest}$`));
  emulator.server.log.clear();
  expect((await up({ verify, platform: "linux/arm64" })).steps).toEqual({ image: "same" });
  expect(clientRequests(emulator)).toEqual([]);
});

describe("with Notation", () => {
  const validity = { from: "2020-01-01", to: "2090-01-01" };
  const ca = issue("authority", { ...validity, extensions: CA_EXTENSIONS });
  const leaf = issue("signer", { ...validity, issuer: ca });
  const notation = {
    trustStore: { ca: [ca.pem] },
    trustedIdentities: ["x509.subject: C=US, ST=WA, O=Wabbit Networks"],
    revocation: "skip",
  };

  /** Signs a digest as Notation does, and returns the digest of the signature. */
  function notarize(digest: string): string {
    const stored = emulator.server.images.publicStores.get("docker.io")?.manifest(repository, digest);
    const targetArtifact = { mediaType: stored?.mediaType, digest, size: stored?.bytes.length };
    const { mediaType, bytes } = signJws({ chain: [leaf, ca], payload: { targetArtifact } });
    const layers = [{ mediaType, content: bytes }];
    return pushSignature(emulator, repository, { subject: digest as Digest, configType: ARTIFACT_TYPE, layers });
  }

  test("a signature counts, and cosign's tag is not asked for", async () => {
    const signature = notarize(first);
    emulator.server.log.clear();
    expect((await up({ verify: { notation } })).errors).toEqual({});
    expect(recorded()).toMatchObject({ signature, signedBy: "C=US, ST=WA, O=Wabbit Networks, CN=signer" });
    expect(reads().filter((read) => read.includes(".sig"))).toEqual([]);
  });

  test("with cosign beside it, both must have signed", async () => {
    const verify = { ...byKey, notation };
    const bundle = sign(first);
    expect((await up({ verify })).errors.image).toContain("has no Notation signature");
    const signature = notarize(first);
    expect((await up({ verify })).errors).toEqual({});
    expect(recorded()).toMatchObject({ signature: `${bundle} and ${signature}` });
  });
});

test("what waits is verified when it is imported, not before", async () => {
  sign(first);
  const cooldown = "3d";
  await up({ cooldown });
  publish(emulator, `${repository}:1`);
  emulator.server.log.clear();
  expect(await up({ cooldown })).toEqual({ ...none, steps: { image: "update" } });
  expect(clientRequests(emulator)).toEqual([]);
  expect((await up({ cooldown: "0" })).errors.image).toContain("[SIGNATURE_MISSING]");
  expect(held()).toBe(first);
});

test("onSourceUnavailable: keep keeps a digest that was verified by this policy, and no other", async () => {
  sign(first);
  await up();
  const failure = { code: "SOURCE_UNAVAILABLE", side: "source", object: "docker.io", reason: "is unavailable" };
  await emulator.control.faults({ host: "registry-1.docker.io", from: "client", status: 403 });
  const check = async (changes: object) => {
    const news = stack.inputs("image", { ...image, onSourceUnavailable: "keep", ...changes });
    const { lookup } = news.__program as { lookup: { source: string } };
    const __program = { lookup: { source: lookup.source, failure } };
    return (await stack.plugin()).check({ ...news, __program }, stack.resource().inputs);
  };
  expect(await check({})).toMatchObject({ failures: [], inputs: { sourceDigest: first } });
  const { failures } = await check({ verify: { cosign: { key: pem(newKeys()) } } });
  expect(failures).toEqual([{ property: "", reason: expect.stringContaining("[SIGNATURE_UNREADABLE]") }]);
});

test("every problem with the policy is reported together with those of other arguments, without a request", async () => {
  emulator.server.log.clear();
  const { errors } = await up({
    onDelete: "all",
    verify: { cosign: { issuer: "github" }, notation: { trustedIdentities: ["*"] }, other: {} },
  });
  const paths = errors.image?.split("\n").map((line) => line.split(": ")[0]);
  expect(paths?.filter((line) => !line?.startsWith("  "))).toEqual([
    "onDelete",
    "verify.other",
    "verify.cosign.issuer",
    "verify.cosign.subject",
    "verify.notation.trustStore",
    "verify.notation.revocation",
  ]);
  expect(clientRequests(emulator)).toEqual([]);
  expect((await up({ verify: {} })).errors.image).toContain("verify: must have cosign, notation, or both");
});

test("a keyless policy with a given trusted root is verified without a network", async () => {
  const layout = path.join(__dirname, "../fixtures/oci-layouts/cosign-tag");
  await emulator.control.pushLayout(`docker.io/${repository}`, layout);
  const issuer = "https://token.actions.githubusercontent.com";
  const cosign = { issuer, subject: "https://github\\.com/octo/app/.*", trustedRoot: fixtureRoot };
  emulator.server.log.clear();
  // This signature was made by a key.
  expect((await up({ verify: { cosign } })).errors.image).toContain("was made with a key, not with a certificate");
  expect(clientRequests(emulator).filter((request) => !/docker\.(io|com)/.test(request))).toEqual([]);
});
