/** When `check` reads what refers to an image, and what it takes over from the state. */
import type { Failure } from "../../../provider/failure/failure";
import { registryFailure } from "../../../provider/failure/registry";
import type { CheckContext } from "../../../provider/plugin/check-context";
import { findReferrers } from "../../../provider/plugin/source-referrers";
import { parseSource, sourceKey } from "../../../provider/resource/source";
import type { Arguments, Inputs, ReferrersLookup } from "../../../provider/resource/state";
import { UNKNOWN, unknownAs } from "../../../provider/resource/unknown";
import { digestOf } from "../../support/fixtures";

const [digest, other, signature, added] = [digestOf("1"), digestOf("2"), digestOf("3"), digestOf("4")];
const args: Arguments = { registry: "myregistry", source: "node:22", referrers: true };
const old: Partial<Inputs> = {
  registry: "myregistry",
  source: "node:22",
  sourceDigest: digest,
  referrers: `a/a ${signature}`,
  referrersFingerprint: "before",
};
const failure = registryFailure.unavailable("source", "docker.io", "HTTP 500");

interface Case {
  readonly given?: Partial<Arguments>;
  readonly recorded?: Partial<Inputs>;
  readonly context?: Partial<CheckContext>;
  readonly listed?: Partial<ReferrersLookup> | undefined;
  readonly chosen?: Parameters<typeof findReferrers>[2];
  /** Why what refers to the image cannot be collected. */
  readonly failed?: Failure;
}

/** What is found, and what was read for it. */
async function find({ given = {}, recorded = old, context = {}, listed, chosen, failed }: Case = {}) {
  const read: string[] = [];
  const all = { ...args, ...given };
  const lookup = listed && { source: sourceKey(all), referrers: { digest, tags: true, ...listed } };
  const found = await findReferrers(
    all,
    parseSource("node:22"),
    chosen ?? { value: { sourceDigest: digest } },
    { now: 0, ...(lookup && { lookup }), ...context },
    recorded,
    {
      listReferrers: async (_source, subject, tags) => {
        read.push(`list ${subject} ${tags}`);
        return { fingerprint: "here" };
      },
      collectReferrers: async () => {
        read.push("collect");
        if (failed) return { failure: failed };
        const common = { repository: "library/node", mediaType: "m", subject: digest };
        return { referrers: [{ ...common, digest: added, artifactType: "b/b" }] };
      },
    },
  );
  return { ...found, read };
}

const kept = { referrers: `a/a ${signature}`, referrersFingerprint: "before" };
const both = `a/a ${signature}\nb/b ${added}`;

test.each<[string, Case, object, string[]]>([
  ["the same list", { listed: { fingerprint: "before" } }, kept, []],
  ["another list", { listed: { fingerprint: "now" } }, { referrers: both, referrersFingerprint: "now" }, ["collect"]],
  [
    "another image: what is recorded is of the one before",
    { listed: { fingerprint: "before" }, recorded: { ...old, sourceDigest: other } },
    { referrers: `b/b ${added}`, referrersFingerprint: "before" },
    ["collect"],
  ],
  [
    "nothing recorded",
    { listed: { fingerprint: "now" }, recorded: {} },
    { referrers: `b/b ${added}`, referrersFingerprint: "now" },
    ["collect"],
  ],
  [
    "other types",
    { listed: { fingerprint: "before" }, given: { referrers: { artifactTypes: ["b/b", "c/*"] } } },
    { referrers: both, referrersFingerprint: "before b/b c/*" },
    ["collect"],
  ],
  [
    "another trigger",
    { listed: { fingerprint: "before" }, given: { triggers: [1] } },
    { referrers: both, referrersFingerprint: "before" },
    ["collect"],
  ],
  ["no look-up", {}, { referrers: both, referrersFingerprint: "here" }, [`list ${digest} true`, "collect"]],
  [
    "a look-up of another image",
    { listed: { digest: other, fingerprint: "before" } },
    { referrers: both, referrersFingerprint: "here" },
    [`list ${digest} true`, "collect"],
  ],
  [
    "a look-up with cosign's tags, which are not wanted",
    { listed: { fingerprint: "before" }, given: { referrers: { tags: false } } },
    { referrers: both, referrersFingerprint: "here without-tags" },
    [`list ${digest} false`, "collect"],
  ],
  [
    "cosign's tags, which were not wanted before and may be below the image",
    { listed: { fingerprint: "before" }, recorded: { ...old, referrersFingerprint: "before without-tags" } },
    { referrers: both, referrersFingerprint: "before" },
    ["collect"],
  ],
  ["no referrers", { given: { referrers: false } }, {}, []],
  ["ignoreChanges", { context: { keepReferrers: true } }, kept, []],
  ["ImportedImage.get", { context: { readsTarget: true } }, {}, []],
  ["an unknown argument", { given: { referrers: unknownAs() } }, { referrers: UNKNOWN }, []],
  ["an unknown part of it", { given: { referrers: { tags: unknownAs() } } }, { referrers: UNKNOWN }, []],
  ["an unknown digest", { chosen: { value: { sourceDigest: unknownAs() } } }, { referrers: UNKNOWN }, []],
  ["a digest that could not be resolved", { chosen: { value: {}, failure } }, {}, []],
  ["a digest that was kept", { chosen: { value: { sourceDigest: digest }, warning: failure } }, kept, []],
])("%s", async (_, given, value, read) => {
  expect(await find(given)).toEqual({ value, read });
});

describe("an image that the source no longer has", () => {
  const failed = registryFailure.notFound("source", `docker.io/library/node@${digest}`);

  test("keeps what is recorded, and is not read again", async () => {
    const value = { ...kept, referrersFingerprint: "now" };
    expect(await find({ failed, listed: { fingerprint: "now" } })).toEqual({ value, read: ["collect"] });
  });

  test("is a failure when nothing is recorded of it", async () => {
    const recorded = { ...old, sourceDigest: other };
    expect(await find({ failed, listed: { fingerprint: "now" }, recorded })).toMatchObject({
      value: {},
      failure: failed,
    });
  });
});

describe("a list that could not be read", () => {
  const failed = { listed: { failure } };

  test("is a failure", async () => {
    expect((await find({ ...failed, recorded: {} })).failure).toEqual(failure);
    const { failure: found } = await find(failed);
    expect(found?.hints?.at(-1)).toContain('onSourceUnavailable: "keep"');
  });

  test("is a warning where the record of this source is kept", async () => {
    const given = { onSourceUnavailable: "keep" as const };
    const { value, warning } = await find({ ...failed, given });
    expect(value).toEqual(kept);
    expect(warning?.fallback).toBe("the recorded referrers");
    expect((await find({ ...failed, given, recorded: { ...old, source: "other:1" } })).failure).toBeDefined();
  });

  test("counts only if it was read with the credentials of the source", async () => {
    const source = { ...parseSource("node:22"), credentials: { password: "p" } };
    const lookup = { source: sourceKey(args), withCredentials: false, referrers: { digest, tags: true, failure } };
    const reader = { listReferrers: async () => ({ fingerprint: "before" }), collectReferrers: async () => ({}) };
    const chosen = { value: { sourceDigest: digest } };
    expect(await findReferrers(args, source, chosen, { now: 0, lookup }, old, reader)).toEqual({ value: kept });
  });
});
