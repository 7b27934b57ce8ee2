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

/** How long a request may be sent again, and who wants to hear of it. */
export interface RetryOptions {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Hears of every wait, in milliseconds, for which a busy host asks. */
  readonly onWait?: ((host: string, ms: number) => void) | undefined;
}

/**
 * When a request is sent again: 429, and 503 with `Retry-After`, as often as the wait ends before the deadline;
 * other server errors and failed connections a few times at once; an attempt that ran out of time a single time.
 */
export function retryStrategy(patienceOf: (request: object) => RetryOptions | undefined): RetryStrategy {
  return {
    name: "retryStrategy",
    retry({ retryCount, response, responseError }) {
      const request = response?.request ?? responseError?.request;
      const patience = request && patienceOf(request);
      const pause = response && requestedWait(response.status, response.headers.get("retry-after"), retryCount);
      const wait =
        pause ?? (response ? waitAfter(response.status, retryCount) : waitAfterError(responseError?.code, retryCount));
      if (!patience || wait === undefined || Date.now() + wait >= patience.deadline) return { skipStrategy: true };
      if (pause !== undefined) patience.onWait?.(new URL(request.url).host, pause);
      return { retryAfterInMs: wait };
    },
  };
}

/** Whether a status speaks of a fault that may be gone in a moment; throttling is none. */
export function isTransient(status: number): boolean {
  return status === 408 || (status >= 500 && status !== 501 && status !== 505);
}

/** Seconds that a `Retry-After` header asks for, given in seconds or as a date. */
export function retryAfterSeconds(header: string | undefined): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

/** The wait that a busy server asks for; longer than it says when that has been too short several times. */
function requestedWait(status: number, retryAfter: string | undefined, retryCount: number): number | undefined {
  const seconds = retryAfterSeconds(retryAfter);
  if (status !== 429 && !(status === 503 && seconds !== undefined)) return undefined;
  if (seconds === undefined) return backOff(retryCount);
  return Math.max(
    seconds * 1000 + jitter(QUICK_BASE_MS),
    retryCount < QUICK_TRIES ? 0 : backOff(retryCount - QUICK_TRIES),
  );
}

function backOff(retryCount: number): number {
  return jitter(Math.min(PATIENT_BASE_MS * 2 ** retryCount, PATIENT_CAP_MS));
}

function waitAfter(status: number, retryCount: number): number | undefined {
  return isTransient(status) && retryCount < QUICK_TRIES ? jitter(QUICK_BASE_MS * 2 ** retryCount) : undefined;
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
