import type { RetryStrategy } from "@azure/core-rest-pipeline";

/** Quick tries after a hiccup of the network or the server, the first one not counted. */
const QUICK_TRIES = 3;
const QUICK_BASE_MS = 250;
/** Waits when a server asks for patience but does not say how much. */
const PATIENT_BASE_MS = 1_000;
const PATIENT_CAP_MS = 16_000;

/** Ends of a connection, or of the attempt at one, after which any service is worth another attempt. */
export const CONNECTION_FAULTS: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
]);

/** A registry is asked again after these, too; polls of Resource Manager, which are many, go on to the next poll instead. */
const HICCUPS: ReadonlySet<string> = new Set([
  ...CONNECTION_FAULTS,
  "ECONNABORTED",
  "EPROXY",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "REQUEST_SEND_ERROR",
]);

/**
 * When a request is sent again: 429, and 503 with `Retry-After`, as often as the wait ends before the deadline;
 * other server errors and failed connections a few times at once; an attempt that ran out of time a single time.
 */
export function retryStrategy(deadlineOf: (request: object) => number): RetryStrategy {
  return {
    name: "retryStrategy",
    retry({ retryCount, response, responseError }) {
      const request = response?.request ?? responseError?.request;
      const wait = response
        ? waitAfter(response.status, response.headers.get("retry-after"), retryCount)
        : waitAfterError(responseError?.code, retryCount);
      const fits = wait !== undefined && request !== undefined && Date.now() + wait < deadlineOf(request);
      return fits ? { retryAfterInMs: wait } : { skipStrategy: true };
    },
  };
}

/** Whether a status speaks of a fault that may be gone in a moment; throttling is none. */
export function isPassing(status: number): boolean {
  return status === 408 || (status >= 500 && status !== 501 && status !== 505);
}

/** Seconds that a `Retry-After` header asks for, given in seconds or as a date. */
export function retryAfterSeconds(header: string | undefined): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

function waitAfter(status: number, retryAfter: string | undefined, retryCount: number): number | undefined {
  const seconds = retryAfterSeconds(retryAfter);
  if (status === 429 || (status === 503 && seconds !== undefined)) {
    return seconds === undefined
      ? jitter(Math.min(PATIENT_BASE_MS * 2 ** retryCount, PATIENT_CAP_MS))
      : seconds * 1000 + jitter(QUICK_BASE_MS);
  }
  return isPassing(status) && retryCount < QUICK_TRIES ? jitter(QUICK_BASE_MS * 2 ** retryCount) : undefined;
}

function waitAfterError(code: string | undefined, retryCount: number): number | undefined {
  if (code === "ATTEMPT_TIMEOUT" || code === "ETIMEDOUT") return retryCount < 1 ? jitter(QUICK_BASE_MS) : undefined;
  return code !== undefined && HICCUPS.has(code) && retryCount < QUICK_TRIES
    ? jitter(QUICK_BASE_MS * 2 ** retryCount)
    : undefined;
}

/** Between half of the time and all of it, so that callers that failed together do not come back together. */
function jitter(ms: number): number {
  return Math.round(ms * (0.5 + Math.random() / 2));
}
