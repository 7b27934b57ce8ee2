/** Cooldowns, and candidates as the state records them. */
import fc from "fast-check";
import type { Digest } from "../../../provider/reference/digest";
import { candidateSince, parseCandidate, parseCooldown, printCandidate } from "../../../provider/resource/cooldown";
import { digestOf } from "../../support/fixtures";

const hour = 3_600_000;

test.each<[string, number | undefined]>([
  ["0", 0],
  ["3d", 72 * hour],
  ["12h", 12 * hour],
  ["1d12h", 36 * hour],
  ["90m", 1.5 * hour],
  ["1h30m", 1.5 * hour],
  ["36h", 36 * hour],
  ["1h", hour],
  ["59m", undefined],
  ["30s", undefined],
  ["0d", undefined],
  ["1.5d", undefined],
  ["-3d", undefined],
  ["12h3d", undefined],
  ["3", undefined],
  ["3 d", undefined],
  ["3D", undefined],
  ["3 days", undefined],
  ["d", undefined],
  ["", undefined],
  [`${"9".repeat(30)}d`, undefined],
])("%j lasts %s ms", (text, milliseconds) => {
  expect(parseCooldown(text)).toBe(milliseconds);
});

const [digest, indexDigest] = [digestOf("1"), digestOf("a")];
const since = Date.parse("2026-11-25T04:00Z");

test("a candidate is printed with the hour in which it was first seen", () => {
  const first = candidateSince(Date.parse("2026-11-25T04:59:59.999Z"), { digest });
  expect(first).toEqual({ digest, since });
  expect(printCandidate(first)).toBe(`${digest} since 2026-11-25T04:00Z`);
  expect(printCandidate({ ...first, indexDigest })).toBe(`${digest} since 2026-11-25T04:00Z in ${indexDigest}`);
});

test("what is printed is read again", () => {
  const times = fc.integer({ min: 0, max: Date.parse("9999-12-31") });
  const indexes = fc.constantFrom<{ indexDigest?: Digest }>({}, { indexDigest });
  fc.assert(
    fc.property(times, indexes, (time, index) => {
      const candidate = candidateSince(time, { digest, ...index });
      expect(parseCandidate(printCandidate(candidate))).toEqual(candidate);
    }),
  );
});

test.each([undefined, "", digest, `${digest} since yesterday`, "node:22 since 2026-11-25T04:00Z"])(
  "%j is no candidate",
  (text) => {
    expect(parseCandidate(text)).toBeUndefined();
  },
);
