/** When an image is verified, and what is recorded. */
import type { Failure } from "../../../provider/failure/failure";
import { registryFailure } from "../../../provider/failure/registry";
import type { SourceDigests } from "../../../provider/plugin/check-context";
import { verifyProblems, verifySource } from "../../../provider/plugin/verify";
import type { Digest } from "../../../provider/reference/digest";
import { parseSource } from "../../../provider/resource/source";
import type { Arguments, Inputs } from "../../../provider/resource/state";
import { UNKNOWN } from "../../../provider/resource/unknown";
import type { SignatureCandidate } from "../../../provider/signature/candidate";
import { IMAGE, readFixture, readFixtureKey } from "../../support/cosign-fixtures";
import { digestOf } from "../../support/fixtures";

const key = readFixtureKey("cosign");
const byKey = { cosign: { key } };
const bundle = readFixture("bundle-by-key");

interface Case {
  readonly verify?: Arguments["verify"];
  readonly digests?: SourceDigests;
  readonly old?: Partial<Inputs>;
  readonly found?: readonly SignatureCandidate[] | Failure;
}

/** What is recorded, or the code of the failure, and what was searched. */
async function verify({ verify = byKey, digests = { sourceDigest: IMAGE }, old = {}, found = [bundle] }: Case = {}) {
  const searched: string[] = [];
  const findSignatures = async (_source: unknown, digest: Digest, tags: boolean) => {
    searched.push(`${digest}${tags ? " and its tag" : ""}`);
    if ("code" in found) return { failure: found };
    return { candidates: found, searched: { referrers: "its referrers", cosignTag: "its tag" } };
  };
  const args = { registry: "r", source: "node:22", verify };
  const { value, failure } = await verifySource(args, parseSource("node:22"), digests, old, 0, { findSignatures });
  return { ...value, ...(failure && { failure: failure.code }), searched };
}

const evidence = { signature: bundle.digest, signedBy: expect.stringMatching(/^sha256:/) };

test("what was verified is recorded for the policy and the digest", async () => {
  expect(await verify()).toEqual({
    ...evidence,
    verified: expect.stringMatching(new RegExp(`^\\S{43} ${IMAGE}$`)),
    searched: [`${IMAGE} and its tag`],
  });
});

describe("after that", () => {
  let old: Partial<Inputs>;
  beforeAll(async () => {
    const { searched: _searched, ...record } = await verify();
    old = record as Partial<Inputs>;
  });

  test.each<[string, Arguments["verify"]]>([
    ["the same policy", byKey],
    ["the same with null for what is left out", { notation: null, cosign: { keys: null, key } }],
  ])("%s for the same digest is not verified again", async (_, policy) => {
    expect(await verify({ verify: policy, old })).toEqual({ ...old, searched: [] });
    expect(verifyProblems(policy, old)).toEqual([]);
  });

  test("another digest is verified, and fails without a signature", async () => {
    const digests = { sourceDigest: digestOf("2") };
    expect(await verify({ digests, old })).toMatchObject({ failure: "SIGNATURE_REJECTED" });
    expect(await verify({ digests, old, found: [] })).toMatchObject({ failure: "SIGNATURE_MISSING" });
  });

  test("another policy is verified", async () => {
    const policy = { cosign: { keys: [key, readFixtureKey("other")] } };
    const { verified, searched } = await verify({ verify: policy, old });
    expect(searched).toHaveLength(1);
    expect(verified).not.toBe(old.verified);
  });

  test.each<Partial<Inputs>>([{ signature: "" }, { signedBy: "" }])(
    "a record without %j does not count",
    async (lost) => {
      expect((await verify({ old: { ...old, ...lost } })).searched).toHaveLength(1);
    },
  );
});

test("with platform, the index is verified", async () => {
  const digests = { sourceDigest: digestOf("2"), indexDigest: IMAGE };
  expect(await verify({ digests })).toMatchObject(evidence);
  expect(await verify({ digests: { sourceDigest: IMAGE, indexDigest: digestOf("2") } })).toMatchObject({
    failure: "SIGNATURE_REJECTED",
  });
});

test("a registry that does not respond is a failure", async () => {
  const found = registryFailure.throttled("source", "docker.io");
  expect(await verify({ found })).toMatchObject({ failure: "SIGNATURE_UNREADABLE" });
});

test.each<[string, Case]>([
  ["the policy", { verify: { cosign: { key: UNKNOWN } } }],
  ["the digest", { digests: { sourceDigest: UNKNOWN as Digest } }],
  ["the platform", { digests: { sourceDigest: UNKNOWN as Digest, indexDigest: IMAGE } }],
])("%s that is unknown in a preview leaves the evidence unknown", async (_, given) => {
  const unknown = { verified: UNKNOWN, signature: UNKNOWN, signedBy: UNKNOWN, searched: [] };
  expect(await verify(given)).toEqual(unknown);
});

test("nothing is verified without a policy, or without a digest", async () => {
  expect(await verify({ digests: {} })).toEqual({ searched: [] });
  expect((await verify({ verify: null as never })).searched).toEqual([]);
});

test.each<[string, unknown, string[]]>([
  ["no object", "cosign", ["verify"]],
  ["neither tool", {}, ["verify"]],
  ["another tool", { cosign: { key }, docker: {} }, ["verify.docker"]],
  [
    "wrong policies",
    { cosign: {}, notation: { trustedIdentities: ["*"], revocation: "skip" } },
    ["verify.cosign", "verify.notation.trustStore"],
  ],
  ["a right one", byKey, []],
  ["an unknown one", { cosign: UNKNOWN }, []],
  ["none", undefined, []],
])("problems of %s", (_, policy, paths) => {
  expect(verifyProblems(policy, {}).map(({ object }) => object)).toEqual(paths);
});
