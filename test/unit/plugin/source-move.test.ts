/** What happens to a digest that takes the place of the recorded one. */
import { acceptMove, keepsRecorded } from "../../../provider/plugin/source-move";
import { parseSource } from "../../../provider/resource/source";
import type { Arguments, Inputs, SourceMovePolicy } from "../../../provider/resource/state";
import { UNKNOWN } from "../../../provider/resource/unknown";
import { digestOf } from "../../support/fixtures";

const [before, now] = [digestOf("1"), digestOf("2")];
const args = (changes: Partial<Arguments> = {}): Arguments => ({ registry: "r", source: "node:22", ...changes });
const recorded: Partial<Inputs> = { ...args(), sourceDigest: before };
const source = parseSource("node:22");

const policies: (SourceMovePolicy | undefined)[] = [undefined, "import", "fail", "keep"];

test.each(policies)(
  "%s: a digest that is the recorded one, the first one, or let in by triggers is imported",
  (policy) => {
    const onSourceMove = policy && { onSourceMove: policy };
    expect(acceptMove({ sourceDigest: before }, recorded, args(onSourceMove), source)).toEqual({
      value: { sourceDigest: before },
    });
    expect(acceptMove({ sourceDigest: now }, {}, args(onSourceMove), source)).toEqual({ value: { sourceDigest: now } });
    for (const triggers of [["again"], [UNKNOWN]]) {
      const given = args({ ...onSourceMove, triggers });
      expect(keepsRecorded(given, recorded)).toBe(false);
      expect(acceptMove({ sourceDigest: now }, recorded, given, source)).toEqual({ value: { sourceDigest: now } });
    }
  },
);

test.each([
  ["import", undefined],
  ["fail", "SOURCE_MOVED"],
] as const)("%s: a digest that replaces the recorded one", (onSourceMove, code) => {
  const { value, failure } = acceptMove({ sourceDigest: now }, recorded, args({ onSourceMove }), source);
  expect(failure?.code).toBe(code);
  expect(value).toEqual(code ? {} : { sourceDigest: now });
});

test("the failure names both digests", () => {
  const { failure } = acceptMove({ sourceDigest: now }, recorded, args({ onSourceMove: "fail" }), source);
  expect(`${failure?.object} ${failure?.reason}`).toBe(
    `docker.io/library/node:22 has moved to ${now}; ${before} is recorded`,
  );
});

test("keep: only a recorded digest stays", () => {
  expect(keepsRecorded(args({ onSourceMove: "keep" }), recorded)).toBe(true);
  expect(keepsRecorded(args({ onSourceMove: "keep" }), {})).toBe(false);
  expect(keepsRecorded(args(), recorded)).toBe(false);
});

test("a policy that is unknown in a preview leaves the digest of a source that moved unknown", () => {
  const given = args({ onSourceMove: UNKNOWN as SourceMovePolicy });
  expect(acceptMove({ sourceDigest: now }, recorded, given, source).value).toEqual({ sourceDigest: UNKNOWN });
  expect(acceptMove({ sourceDigest: before }, recorded, given, source).value).toEqual({ sourceDigest: before });
});
