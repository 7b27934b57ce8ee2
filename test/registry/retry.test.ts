/** When and after which wait a request is sent again. */
import { nextRetry, retryAfterSeconds } from "../../provider/registry/transport/retry";

const unlimited = Number.POSITIVE_INFINITY;
const policy = { faultMs: 250, maxRetryAfterMs: unlimited, max503Retries: unlimited };

function wait(result: { status: number; retryAfter?: string } | { code: string }, retries = 0, limits = policy) {
  return nextRetry("code" in result ? result : { retryAfter: undefined, ...result }, retries, limits)?.waitMs;
}

test("waits after 429 as long as Retry-After says, however often", () => {
  expect(wait({ status: 429, retryAfter: "7" }, 50)).toBeGreaterThanOrEqual(7_000);
  expect(wait({ status: 429, retryAfter: "7" })).toBeLessThan(8_000);
  expect(wait({ status: 429, retryAfter: "600" })).toBeGreaterThanOrEqual(600_000);
  expect(wait({ status: 503, retryAfter: "7" }, 50)).toBeGreaterThanOrEqual(7_000);
});

test("reads a date in Retry-After", () => {
  const now = new Date("2026-01-01T00:00:00.500Z").getTime();
  jest.spyOn(Date, "now").mockReturnValue(now);
  expect(retryAfterSeconds("Thu, 01 Jan 2026 00:00:05 GMT")).toBe(5);
  expect(retryAfterSeconds("Thu, 01 Jan 2026 00:00:00 GMT")).toBe(0);
  expect(wait({ status: 429, retryAfter: "Thu, 01 Jan 2026 00:00:05 GMT" })).toBeGreaterThanOrEqual(5_000);
});

test("bounds Retry-After by the policy", () => {
  const limits = { ...policy, faultMs: 1_000, maxRetryAfterMs: 60_000 };
  expect(wait({ status: 429, retryAfter: "3600" }, 0, limits)).toBeLessThanOrEqual(61_000);
  expect(wait({ status: 429, retryAfter: "0" }, 0, limits)).toBeGreaterThanOrEqual(500);
});

test("bounds the retries after 503 by the policy, and not those after 429", () => {
  const limits = { ...policy, max503Retries: 3 };
  expect(wait({ status: 503, retryAfter: "7" }, 2, limits)).toBeGreaterThanOrEqual(7_000);
  expect(wait({ status: 503, retryAfter: "7" }, 3, limits)).toBeUndefined();
  expect(wait({ status: 429, retryAfter: "7" }, 3, limits)).toBeGreaterThanOrEqual(7_000);
});

test("waits longer than Retry-After says when that has been too short several times", () => {
  expect(wait({ status: 429, retryAfter: "1" }, 2)).toBeLessThan(1_500);
  expect(wait({ status: 429, retryAfter: "1" }, 8)).toBeGreaterThanOrEqual(8_000);
});

test("tells the waits that a server asks for from those after a fault", () => {
  expect(nextRetry({ status: 429, retryAfter: undefined }, 0, policy)?.isRequested).toBe(true);
  expect(nextRetry({ status: 503, retryAfter: "1" }, 0, policy)?.isRequested).toBe(true);
  expect(nextRetry({ status: 503, retryAfter: undefined }, 0, policy)?.isRequested).toBe(false);
  expect(nextRetry({ code: "ECONNRESET" }, 0, policy)?.isRequested).toBe(false);
});

test("backs off after 429 without Retry-After", () => {
  expect(wait({ status: 429 }, 0)).toBeGreaterThanOrEqual(500);
  expect(wait({ status: 429 }, 9)).toBeLessThanOrEqual(16_000);
});

test("waits longer after each fault", () => {
  expect(wait({ status: 500 }, 0)).toBeLessThanOrEqual(250);
  expect(wait({ status: 500 }, 2)).toBeGreaterThanOrEqual(500);
  expect(wait({ status: 500 }, 2, { ...policy, faultMs: 1_000 })).toBeGreaterThanOrEqual(2_000);
});

test.each([408, 500, 502, 503, 504])("retries three times after %i", (status) => {
  expect(wait({ status }, 2)).toBeGreaterThan(0);
  expect(wait({ status }, 3)).toBeUndefined();
});

test.each([200, 301, 400, 401, 403, 404, 405, 501])("does not retry after %i", (status) => {
  expect(wait({ status })).toBeUndefined();
});

test.each(["ECONNRESET", "ECONNREFUSED", "ENOTFOUND", "EPROXY", "EHOSTUNREACH"])(
  "retries three times after %s",
  (code) => {
    expect(wait({ code }, 2)).toBeGreaterThan(0);
    expect(wait({ code }, 3)).toBeUndefined();
  },
);

test.each(["ETIMEDOUT", "ATTEMPT_TIMEOUT"])("retries once after %s", (code) => {
  expect(wait({ code }, 0)).toBeGreaterThan(0);
  expect(wait({ code }, 1)).toBeUndefined();
});

test.each(["CERT_HAS_EXPIRED", "SELF_SIGNED_CERT_IN_CHAIN", "HPE_HEADER_OVERFLOW", "EPROXYREFUSED"])(
  "does not retry after %s",
  (code) => {
    expect(wait({ code })).toBeUndefined();
  },
);

test.each<[string | undefined, number | undefined]>([
  ["0", 0],
  ["30", 30],
  [undefined, undefined],
  ["", undefined],
  ["soon", undefined],
])("reads Retry-After: %s", (header, seconds) => {
  expect(retryAfterSeconds(header)).toBe(seconds);
});
