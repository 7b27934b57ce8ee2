/** Decides when a request is sent again. */
import { networkError } from "./network-errors";

/** How an attempt ended: with a response, or with the code of an error. */
export type AttemptResult =
  | { readonly status: number; readonly retryAfter: string | undefined }
  | { readonly code: string };

/** How patient a client is. */
export interface RetryPolicy {
  /** The first wait after a fault that may pass; each further one is twice as long. */
  readonly faultMs: number;
  /** The longest wait that a `Retry-After` header is obeyed for. */
  readonly maxRetryAfterMs: number;
  /** How often a 503 with `Retry-After` is retried. */
  readonly max503Retries: number;
}

export interface Retry {
  readonly waitMs: number;
  /** The server asks for the wait; otherwise something failed. */
  readonly isRequested: boolean;
}

/** The retries after a server error. */
const RETRIES = 3;
/** The waits where a server is rate limiting and sends no `Retry-After`. */
const THROTTLED_MS = 1_000;
const MAX_THROTTLED_MS = 16_000;

/**
 * The wait before the next attempt, or `undefined` when the result is final. `retries` counts those made so far.
 *
 * - 429: as often as the caller's time allows
 * - 503 with `Retry-After`: as often as the policy and the caller's time allow
 * - other server errors and broken connections: a few times
 * - an attempt or a connection that ran out of time: once
 */
export function nextRetry(result: AttemptResult, retries: number, policy: RetryPolicy): Retry | undefined {
  if ("status" in result && result.status === 503 && retries >= policy.max503Retries) return undefined;
  const requested = "status" in result ? requestedWait(result, retries, policy) : undefined;
  if (requested !== undefined) return { waitMs: requested, isRequested: true };
  const limit = "status" in result ? (isTransient(result.status) ? RETRIES : 0) : networkError(result.code).retries;
  return retries < limit ? { waitMs: backOff(policy.faultMs, retries), isRequested: false } : undefined;
}

/** Whether a status reports a fault that may pass; rate limiting is none. */
export function isTransient(status: number): boolean {
  return status === 408 || (status >= 500 && status !== 501 && status !== 505);
}

/** Seconds of a `Retry-After` header, which has seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
export function retryAfterSeconds(header: string | undefined): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

/** The wait that a busy server asks for; longer when that has been too short several times. */
function requestedWait(
  { status, retryAfter }: Extract<AttemptResult, { status: number }>,
  retries: number,
  { faultMs, maxRetryAfterMs }: RetryPolicy,
): number | undefined {
  const seconds = retryAfterSeconds(retryAfter);
  if (status !== 429 && !(status === 503 && seconds !== undefined)) return undefined;
  if (seconds === undefined) return backOff(THROTTLED_MS, retries, MAX_THROTTLED_MS);
  return Math.max(
    Math.min(seconds * 1000, maxRetryAfterMs) + jitter(faultMs),
    retries < RETRIES ? 0 : backOff(THROTTLED_MS, retries - RETRIES, MAX_THROTTLED_MS),
  );
}

function backOff(firstMs: number, retries: number, maxMs = Number.POSITIVE_INFINITY): number {
  return jitter(Math.min(firstMs * 2 ** retries, maxMs));
}

/** Between half of the time and all of it, so that clients that failed together do not come back together. */
function jitter(ms: number): number {
  return Math.round(ms * (0.5 + Math.random() / 2));
}
