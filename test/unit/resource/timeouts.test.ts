/** Durations of `customTimeouts`. */
import { DEFAULT_TIMEOUT, parseDuration, timeLimit } from "../../../provider/resource/timeouts";

// The forms that Go's time.ParseDuration reads, which is what Pulumi writes.
test.each<[string, number | undefined]>([
  ["30m", 1_800_000],
  ["1h30m", 5_400_000],
  ["1h15m30.918273645s", 4_530_918.273645],
  ["45s", 45_000],
  ["1.5h", 5_400_000],
  [".5s", 500],
  ["5.s", 5_000],
  ["100ms", 100],
  ["250us", 0.25],
  ["250µs", 0.25],
  ["1000000ns", 1],
  ["0h0m1s", 1_000],
  ["10", undefined],
  ["0s", undefined],
  ["-5m", undefined],
  ["+5m", undefined],
  ["5 m", undefined],
  ["5M", undefined],
  ["5d", undefined],
  ["m", undefined],
  [".s", undefined],
  ["5m30", undefined],
  ["five minutes", undefined],
  ["", undefined],
])("%p lasts %p ms", (text, milliseconds) => {
  if (milliseconds === undefined) expect(parseDuration(text)).toBeUndefined();
  else expect(parseDuration(text)).toBeCloseTo(milliseconds, 6);
});

test("each operation has the limit that was set for it, and else half an hour", () => {
  expect(DEFAULT_TIMEOUT).toBe(1_800_000);
  const timeouts = { create: "1h", update: "90s" };
  expect(timeLimit("create", timeouts)).toBe(3_600_000);
  expect(timeLimit("update", timeouts)).toBe(90_000);
  expect(timeLimit("delete", timeouts)).toBe(DEFAULT_TIMEOUT);
  expect(timeLimit("create", undefined)).toBe(DEFAULT_TIMEOUT);
});
