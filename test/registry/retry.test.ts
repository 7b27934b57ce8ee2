import { createHttpHeaders, createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import { retryAfterSeconds, retryStrategy } from "../../provider/registry/retry";

const request = createPipelineRequest({ url: "https://registry.example.com/v2/" });

const onWait = jest.fn();
beforeEach(() => onWait.mockClear());

function wait(outcome: { status: number; retryAfter?: string } | { code: string }, retryCount = 0, budgetMs = 120_000) {
  const { retry } = retryStrategy(() => ({ deadline: Date.now() + budgetMs, onWait }));
  if ("code" in outcome) {
    return retry({ retryCount, responseError: new RestError("", { code: outcome.code, request }) }).retryAfterInMs;
  }
  const headers = createHttpHeaders(outcome.retryAfter ? { "retry-after": outcome.retryAfter } : {});
  return retry({ retryCount, response: { request, status: outcome.status, headers } }).retryAfterInMs;
}

test("429 waits as long as it is told, however often, within the budget", () => {
  expect(wait({ status: 429, retryAfter: "7" }, 50)).toBeGreaterThanOrEqual(7_000);
  expect(wait({ status: 429, retryAfter: "7" })).toBeLessThan(8_000);
  expect(wait({ status: 429, retryAfter: "121" })).toBeUndefined();
  expect(wait({ status: 429, retryAfter: new Date(Date.now() + 5_000).toUTCString() })).toBeGreaterThan(3_000);
  expect(wait({ status: 429, retryAfter: new Date(Date.now() - 5_000).toUTCString() })).toBeLessThan(1_000);
  expect(wait({ status: 503, retryAfter: "7" }, 50)).toBeGreaterThanOrEqual(7_000);
});

test("a time that was too short again and again is not believed for ever", () => {
  expect(wait({ status: 429, retryAfter: "1" }, 2)).toBeLessThan(1_500);
  expect(wait({ status: 429, retryAfter: "1" }, 8)).toBeGreaterThanOrEqual(8_000);
});

test("who waits hears of the pause that a busy host asks for, and of nothing else", () => {
  const ms = wait({ status: 429, retryAfter: "7" });
  expect(onWait.mock.calls).toEqual([["registry.example.com", ms]]);
  wait({ status: 503 });
  wait({ code: "ECONNRESET" });
  wait({ status: 429, retryAfter: "121" });
  expect(onWait).toHaveBeenCalledTimes(1);
});

test("429 without a time backs off until the budget ends", () => {
  expect(wait({ status: 429 }, 0)).toBeGreaterThanOrEqual(500);
  expect(wait({ status: 429 }, 9)).toBeLessThanOrEqual(16_000);
  expect(wait({ status: 429 }, 9, 1_000)).toBeUndefined();
});

test.each([408, 500, 502, 503, 504])("%i is tried again three times", (status) => {
  expect(wait({ status }, 2)).toBeGreaterThan(0);
  expect(wait({ status }, 3)).toBeUndefined();
});

test.each([200, 301, 400, 401, 403, 404, 405, 501])("%i is an answer", (status) => {
  expect(wait({ status })).toBeUndefined();
});

test.each(["ECONNRESET", "ECONNREFUSED", "ENOTFOUND", "REQUEST_SEND_ERROR"])(
  "%s is tried again three times",
  (code) => {
    expect(wait({ code }, 2)).toBeGreaterThan(0);
    expect(wait({ code }, 3)).toBeUndefined();
  },
);

test.each(["ETIMEDOUT", "ATTEMPT_TIMEOUT"])("%s is tried again once", (code) => {
  expect(wait({ code }, 0)).toBeGreaterThan(0);
  expect(wait({ code }, 1)).toBeUndefined();
});

test.each(["CERT_HAS_EXPIRED", "SELF_SIGNED_CERT_IN_CHAIN", "HPE_HEADER_OVERFLOW", "EPROXYREFUSED"])(
  "%s is final",
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
])("Retry-After: %s", (header, seconds) => {
  expect(retryAfterSeconds(header)).toBe(seconds);
});
