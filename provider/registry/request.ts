/** Sends a request for one side of an import, whose failures become failures of that side. */
import { type Failure, failureOf, ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import type { HttpRequest, HttpResponse } from "./transport/http-message";
import { errorCode, networkError } from "./transport/network-errors";
import { retryAfterSeconds } from "./transport/retry";
import { type RequestOptions, send } from "./transport/send";
import { UnusableResponse } from "./transport/unusable-response";

/** Sends a request; a host that cannot be reached, is rate limiting, fails or does not speak HTTP becomes a failure. */
export async function sendRequest(side: Side, request: HttpRequest, options: RequestOptions): Promise<HttpResponse> {
  const response = await send(request, options).catch((error: Error) => {
    options.signal?.throwIfAborted();
    throw failureOf(error) ? error : new ImportError(networkFailure(side, new URL(request.url).host, error));
  });
  const { status, url } = response;
  if (status === 429) {
    throw new ImportError(registryFailure.throttled(side, url.host, retryAfterSeconds(response.header("retry-after"))));
  }
  if (status >= 500 && status !== 501) {
    throw new ImportError(registryFailure.unavailable(side, url.host, `HTTP ${status}`));
  }
  return response;
}

function networkFailure(side: Side, host: string, error: Error): Failure {
  const code = errorCode(error);
  if (error instanceof UnusableResponse) return registryFailure.invalidResponse(side, host, error.message);
  if (code.startsWith("HPE_")) return registryFailure.invalidResponse(side, host, `not HTTP (${code})`);
  const { reason, connected } = networkError(code);
  if (connected) return registryFailure.unavailable(side, host, reason);
  return registryFailure.unreachable(side, host, reason || error.message, code);
}
