/** Which digest `check` chooses, with `platform`. */
import { registryFailure } from "../../../provider/failure/registry";
import { sourceFailure } from "../../../provider/failure/source";
import { findSourceDigest } from "../../../provider/plugin/source-digest";
import { type ParsedArguments, parseArguments } from "../../../provider/resource/arguments";
import { sourceKey } from "../../../provider/resource/source";
import type { Arguments, DigestResult, Inputs, ProgramContext } from "../../../provider/resource/state";
import { UNKNOWN } from "../../../provider/resource/unknown";
import { digestOf } from "../../support/fixtures";

const [index, movedIndex, manifest, movedManifest] = [digestOf("a"), digestOf("b"), digestOf("1"), digestOf("2")];
const now = Date.parse("2026-11-25T04:10Z");
const args = { registry: "myregistry", source: "node:22", platform: "linux/arm64" };
const old: Partial<Inputs> = { ...args, indexDigest: index, sourceDigest: manifest };

interface Case {
  readonly held: DigestResult;
  readonly found?: DigestResult;
  readonly given?: Partial<Arguments>;
  readonly recorded?: Partial<Inputs>;
  readonly program?: ProgramContext;
}

/** What is chosen, and the images whose manifests were read. */
async function choose({ held, found = { digest: movedManifest }, given = {}, recorded = old, program = {} }: Case) {
  const read: string[] = [];
  const parsed = parseArguments({ ...args, ...given }) as ParsedArguments;
  const { value, failure, warning } = await findSourceDigest(
    parsed.args,
    parsed.source,
    { lookup: { source: sourceKey(args), ...held }, now, ...program },
    recorded,
    {
      resolve: async () => ({}),
      resolvePlatform: async (_source, image, platform) => {
        read.push(`${platform} of ${image}`);
        return found;
      },
      pushTime: async () => undefined,
    },
  );
  return { ...value, read, ...(failure && { failure: failure.code }), ...(warning && { warning: warning.code }) };
}

test("an index that is the recorded one is not read", async () => {
  expect(await choose({ held: { digest: index } })).toEqual({ sourceDigest: manifest, indexDigest: index, read: [] });
});

test("an index that moved is read, and gives both digests", async () => {
  expect(await choose({ held: { digest: movedIndex } })).toEqual({
    sourceDigest: movedManifest,
    indexDigest: movedIndex,
    read: [`linux/arm64 of ${movedIndex}`],
  });
});

test.each<[string, Partial<Inputs>]>([
  ["nothing is recorded", {}],
  ["another platform is", { ...old, platform: "linux/amd64" }],
  ["no platform is", { ...args, platform: undefined as never, sourceDigest: index }],
  ["another source is", { ...old, source: "node:20" }],
])("an index is read when %s", async (_, recorded) => {
  expect((await choose({ held: { digest: index }, recorded })).read).toEqual([`linux/arm64 of ${index}`]);
});

test("without platform nothing is read, and indexDigest is absent", async () => {
  const given = { platform: undefined as never };
  expect(await choose({ held: { digest: index }, given })).toEqual({ sourceDigest: index, read: [] });
});

test("a platform that is unknown in a preview leaves the digest unknown", async () => {
  expect(await choose({ held: { digest: index }, given: { platform: UNKNOWN } })).toEqual({
    sourceDigest: UNKNOWN,
    indexDigest: index,
    read: [],
  });
});

test("a platform that is missing is a failure, which nothing keeps over", async () => {
  const failure = sourceFailure.platformNotFound("docker.io/library/node:22", "linux/arm64", ["linux/amd64"]);
  const given = { onSourceUnavailable: "keep" } as const;
  expect(await choose({ held: { digest: movedIndex }, found: { failure }, given })).toMatchObject({
    failure: "SOURCE_PLATFORM_NOT_FOUND",
  });
});

test("onSourceUnavailable: keep keeps both digests, whichever request was not answered", async () => {
  const failure = registryFailure.throttled("source", "docker.io");
  const given = { onSourceUnavailable: "keep" } as const;
  const kept = { sourceDigest: manifest, indexDigest: index, warning: "SOURCE_THROTTLED" };
  expect(await choose({ held: { failure }, given })).toMatchObject(kept);
  expect(await choose({ held: { digest: movedIndex }, found: { failure }, given })).toMatchObject(kept);
  const other = { ...old, platform: "linux/amd64" };
  expect(await choose({ held: { failure }, given, recorded: other })).toMatchObject({ failure: "SOURCE_THROTTLED" });
});

test("an index whose platform waits as candidate is not read again", async () => {
  const candidate = `${movedManifest} since 2026-11-25T04:00Z in ${movedIndex}`;
  const given = { cooldown: "3d" };
  expect(await choose({ held: { digest: movedIndex }, given, recorded: { ...old, candidate } })).toEqual({
    sourceDigest: manifest,
    indexDigest: index,
    candidate,
    read: [],
  });
});

test("onSourceMove: keep reads no index that moved", async () => {
  const given = { onSourceMove: "keep" } as const;
  const kept = { sourceDigest: manifest, indexDigest: index, read: [] };
  expect(await choose({ held: { digest: movedIndex }, given })).toEqual(kept);
  const first = await choose({ held: { digest: movedIndex }, given, recorded: {} });
  expect(first.sourceDigest).toBe(movedManifest);
});

test("onSourceUnavailable: keep keeps a candidate only while there is a cooldown", async () => {
  const failure = registryFailure.throttled("source", "docker.io");
  const onSourceUnavailable = "keep";
  const recorded = { ...old, candidate: `${movedManifest} since 2026-11-25T04:00Z in ${movedIndex}` };
  const { candidate } = recorded;
  const result = async (given: Partial<Arguments>) => choose({ held: { failure }, given, recorded });
  expect(await result({ onSourceUnavailable, cooldown: "3d" })).toMatchObject({ sourceDigest: manifest, candidate });
  expect(await result({ onSourceUnavailable })).not.toHaveProperty("candidate");
});

test.each<[string, ProgramContext & { keep?: typeof manifest }]>([
  ["source", { keepsSource: true, lookup: { source: "node:23  source", digest: movedIndex } }],
  ["sourceDigest", { keep: manifest }],
])("ignoreChanges of %s keeps both digests", async (_, program) => {
  expect(await choose({ held: { digest: movedIndex }, program })).toEqual({
    sourceDigest: manifest,
    indexDigest: index,
    read: [],
  });
});
