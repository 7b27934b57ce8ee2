/** What happens to a digest that takes the place of the recorded one. */
import { acceptMove, type FoundDigests, keepsRecorded } from "../../../provider/plugin/source-move";
import { parseSource } from "../../../provider/resource/source";
import type { Arguments, Inputs, SourceMovePolicy } from "../../../provider/resource/state";
import { UNKNOWN } from "../../../provider/resource/unknown";
import { digestOf } from "../../support/fixtures";

const [before, after, third] = [digestOf("1"), digestOf("2"), digestOf("3")];
const args = (changes: Partial<Omit<Arguments, "referrers">> = {}) => ({
  registry: "r",
  source: "node:22",
  ...changes,
});
const state = (changes: Partial<Inputs> = {}): Partial<Inputs> => ({ ...args(), sourceDigest: before, ...changes });

interface Case {
  readonly found?: FoundDigests;
  readonly recorded?: Partial<Inputs>;
  readonly now?: string;
  /** When the registry says that it got the digest. */
  readonly pushed?: string;
}

/** What is decided, and how often the registry was asked when it got the digest. */
async function accept(given: Partial<Arguments>, { found, recorded, now = "2026-11-25T04:10Z", pushed }: Case = {}) {
  let asked = 0;
  const pushTime = async () => {
    asked += 1;
    return pushed === undefined ? undefined : Date.parse(pushed);
  };
  const { value, failure } = await acceptMove(
    found ?? { sourceDigest: after },
    recorded ?? state(),
    args(given),
    parseSource("node:22"),
    { now: Date.parse(now), pushTime },
  );
  return { ...value, ...(failure && { failure: failure.code }), ...(asked > 0 && { asked }) };
}

const policies: Partial<Arguments>[] = [
  {},
  { onSourceMove: "import" },
  { onSourceMove: "fail" },
  { cooldown: "3d" },
  { cooldown: "3d", onSourceMove: "fail" },
];

describe.each(policies)("with %j", (given) => {
  test("the recorded digest stays, and no candidate for its place", async () => {
    const recorded = state({ candidate: `${after} since 2026-11-25T04:00Z` });
    expect(await accept(given, { found: { sourceDigest: before }, recorded })).toEqual({ sourceDigest: before });
  });

  test("the first digest is imported", async () => {
    expect(await accept(given, { recorded: {} })).toEqual({ sourceDigest: after });
  });

  test.each([[["again"]], [[UNKNOWN]]])("triggers %j let another digest in", async (triggers) => {
    expect(await accept({ ...given, triggers })).toEqual({ sourceDigest: after });
  });
});

test("onSourceMove fails for another digest, or imports it", async () => {
  expect(await accept({})).toEqual({ sourceDigest: after });
  expect(await accept({ onSourceMove: "import" })).toEqual({ sourceDigest: after });
  expect(await accept({ onSourceMove: "fail" })).toEqual({ failure: "SOURCE_MOVED" });
});

test("onSourceMove: keep keeps a recorded digest, unless triggers changed", () => {
  const onSourceMove = "keep";
  expect(keepsRecorded(args({ onSourceMove }), state())).toBe(true);
  expect(keepsRecorded(args({ onSourceMove }), {})).toBe(false);
  expect(keepsRecorded(args({ onSourceMove, triggers: [1] }), state())).toBe(false);
  expect(keepsRecorded(args(), state())).toBe(false);
});

describe("cooldown", () => {
  const cooldown = "3d";
  const waiting = { sourceDigest: before, candidate: `${after} since 2026-11-25T04:00Z` };

  test("a digest that is seen for the first time waits from the full hour on", async () => {
    expect(await accept({ cooldown })).toEqual({ ...waiting, asked: 1 });
    expect(await accept({ cooldown }, { now: "2026-11-25T04:59:59Z" })).toEqual({ ...waiting, asked: 1 });
  });

  test.each([
    ["2026-11-25T05:00Z", waiting],
    ["2026-11-28T03:59:59Z", waiting],
    ["2026-11-28T04:00Z", { sourceDigest: after }],
    ["2027-01-01T00:00Z", { sourceDigest: after }],
  ])("at %s a candidate since 2026-11-25T04:00Z: %j", async (now, expected) => {
    expect(await accept({ cooldown }, { recorded: state(waiting), now })).toEqual(expected);
  });

  test("a candidate that is replaced starts again", async () => {
    const found = { sourceDigest: third };
    expect(await accept({ cooldown }, { found, recorded: state(waiting), now: "2026-11-28T04:30Z" })).toEqual({
      sourceDigest: before,
      candidate: `${third} since 2026-11-28T04:00Z`,
      asked: 1,
    });
  });

  test.each([undefined, "0", "1d"])("a candidate is imported when the cooldown becomes %j", async (other) => {
    const given = other === undefined ? {} : { cooldown: other };
    expect(await accept(given, { recorded: state(waiting), now: "2026-11-26T04:00Z" })).toEqual({
      sourceDigest: after,
    });
  });

  test("the wait begins when the registry got the digest, which may be longer ago than it lasts", async () => {
    expect(await accept({ cooldown }, { pushed: "2026-11-24T09:30:00.1234567Z" })).toEqual({
      sourceDigest: before,
      candidate: `${after} since 2026-11-24T09:00Z`,
      asked: 1,
    });
    expect(await accept({ cooldown }, { pushed: "2026-11-20T09:30Z" })).toEqual({ sourceDigest: after, asked: 1 });
  });

  test("a time in the future counts as now", async () => {
    expect(await accept({ cooldown }, { pushed: "2027-01-01T00:00Z" })).toEqual({ ...waiting, asked: 1 });
  });

  test("onSourceMove: fail fails for a digest that would be imported, not for one that waits", async () => {
    const given = { cooldown, onSourceMove: "fail" } as const;
    expect(await accept(given)).toEqual({ ...waiting, asked: 1 });
    expect(await accept(given, { recorded: state(waiting), now: "2026-11-28T04:00Z" })).toEqual({
      failure: "SOURCE_MOVED",
    });
  });

  test("with platform, a candidate keeps its time when the index around it moves", async () => {
    const [index, moved] = [digestOf("a"), digestOf("b")];
    const recorded = state({
      indexDigest: digestOf("0"),
      candidate: `${after} since 2026-11-25T04:00Z in ${index}`,
    });
    const found = { sourceDigest: after, indexDigest: moved };
    expect(await accept({ cooldown }, { found, recorded, now: "2026-11-26T00:00Z" })).toEqual({
      sourceDigest: before,
      indexDigest: digestOf("0"),
      candidate: `${after} since 2026-11-25T04:00Z in ${moved}`,
    });
    expect(await accept({ cooldown }, { found, recorded, now: "2026-11-28T04:00Z" })).toEqual(found);
  });
});

test.each([{ onSourceMove: UNKNOWN as SourceMovePolicy }, { cooldown: UNKNOWN }])(
  "%j, unknown in a preview, leaves the digest of a source that moved unknown",
  async (given) => {
    expect(await accept(given)).toEqual({ sourceDigest: UNKNOWN });
    expect(await accept(given, { found: { sourceDigest: before } })).toEqual({ sourceDigest: before });
  },
);
