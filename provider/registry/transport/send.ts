/** Sends requests over TLS, with retries and redirects. */
import { setTimeout as sleep } from "node:timers/promises";
import { CONNECTIONS_PER_HOST } from "./agents";
import { type Attempt, sendOnce } from "./attempt";
import { inTurn } from "./host-queue";
import type { HttpRequest, HttpResponse } from "./http-message";
import { errorCode, networkError } from "./network-errors";
import { type AttemptResult, nextRetry, type RetryPolicy } from "./retry";
import { UnusableResponse } from "./unusable-response";

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const DEFAULT_HEADERS = { "user-agent": "pulumi-acr-import", "accept-encoding": "identity" };
const RETRY_POLICY: RetryPolicy = {
  faultMs: 250,
  maxRetryAfterMs: Number.POSITIVE_INFINITY,
  max503Retries: Number.POSITIVE_INFINITY,
};

/** How long a request may take, and how its caller ends it early. */
export interface RequestOptions {
  /** No attempt starts after this time, in milliseconds since the epoch, except the first one. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** Called before each wait, in milliseconds, that a busy host asks for. */
  readonly onWait?: ((host: string, ms: number) => void) | undefined;
}

/** For work that several callers share: it goes on when one of them gives up. */
export function withoutSignal({ signal, ...options }: RequestOptions): RequestOptions {
  return options;
}

/**
 * Sends a request and reads the whole response, whatever its status. Redirects of GET and HEAD are followed as the request
 * allows it, to https only and without `Authorization` to another origin.
 *
 * @throws the signal's reason, an {@link UnusableResponse}, or an error of Node.js with its `code`
 */
export async function send(request: HttpRequest, options: RequestOptions): Promise<HttpResponse> {
  let next = { ...request, headers: { ...DEFAULT_HEADERS, ...request.headers } };
  for (let redirects = 0; ; redirects++) {
    const response = await sendWithRetries(next, options);
    if (!isRedirect(request.method, response)) return response;
    if (redirects === MAX_REDIRECTS) throw new UnusableResponse(`more than ${MAX_REDIRECTS} redirects`);
    const target = targetOf(response);
    if (request.follows?.(target) === false) return response;
    next = redirected(next, response.url, target);
  }
}

async function sendWithRetries(request: HttpRequest, options: RequestOptions): Promise<HttpResponse> {
  const { deadline, signal, onWait } = options;
  const { host } = new URL(request.url);
  for (let retries = 0; ; retries++) {
    const attempt = await sendOnLiveConnection(request, host, signal);
    const result = resultOf(attempt);
    const retry = isFinal(request, result) ? undefined : nextRetry(result, retries, RETRY_POLICY);
    if (!retry || Date.now() + retry.waitMs >= deadline) {
      if ("response" in attempt) return attempt.response;
      throw attempt.error;
    }
    if (retry.isRequested) onWait?.(host, retry.waitMs);
    await sleep(retry.waitMs, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
}

/** A server may close an idle connection at any time. The request then takes another connection, which is no retry. */
async function sendOnLiveConnection(
  request: HttpRequest,
  host: string,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  for (let stale = 0; ; stale++) {
    const attempt = await inTurn(host, signal, () => sendOnce(request, signal));
    if ("response" in attempt || !attempt.isStale || stale === CONNECTIONS_PER_HOST) return attempt;
  }
}

/** Where a HEAD fails, a GET may work, which is sent next: only rate limiting and the lack of a connection concern both. */
function isFinal({ method }: HttpRequest, result: AttemptResult): boolean {
  return method === "HEAD" && ("code" in result ? networkError(result.code).connected : result.status !== 429);
}

function resultOf(attempt: Attempt): AttemptResult {
  if (!("response" in attempt)) return { code: errorCode(attempt.error) };
  const { status, header } = attempt.response;
  return { status, retryAfter: header("retry-after") };
}

function isRedirect(method: HttpRequest["method"], { status }: HttpResponse): boolean {
  return (method === "GET" || method === "HEAD") && REDIRECTS.has(status);
}

function targetOf({ status, url, header }: HttpResponse): URL {
  const location = header("location");
  if (location !== undefined && URL.canParse(location, url.href)) return new URL(location, url);
  throw new UnusableResponse(`HTTP ${status} without a valid Location header`);
}

/** The request that a redirect leads to. Credentials stay with the origin that they were meant for. */
function redirected<R extends HttpRequest>(request: R, from: URL, target: URL): R {
  if (target.protocol !== "https:") throw new UnusableResponse("a redirect to an address without TLS");
  const { authorization, ...others } = request.headers ?? {};
  return { ...request, url: target.href, headers: target.origin === from.origin ? request.headers : others };
}
