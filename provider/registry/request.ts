import { type Failure, failureOf, ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { retryAfterSeconds } from "./retry";
import { type HttpRequest, type HttpResponse, type RequestOptions, send } from "./transport";

/** Sends a request; a host that cannot be reached, is too busy or does not speak HTTP becomes a failure. */
export async function sendRequest(side: Side, request: HttpRequest, options: RequestOptions): Promise<HttpResponse> {
  let response: HttpResponse;
  try {
    response = await send(request, options);
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw failureOf(error) ? error : new ImportError(unreachable(side, new URL(request.url).host, error));
  }
  const { status, url } = response;
  if (status === 429) {
    throw new ImportError(registryFailure.throttled(side, url.host, retryAfterSeconds(response.header("retry-after"))));
  }
  if (status >= 500 && status !== 501)
    throw new ImportError(registryFailure.unavailable(side, url.host, `HTTP ${status}`));
  return response;
}

function unreachable(side: Side, host: string, error: unknown): Failure {
  const { name, code = "", message } = error as NodeJS.ErrnoException;
  if (name === "UnusableAnswer") return registryFailure.invalidResponse(side, host, message);
  if (code.startsWith("HPE_")) return registryFailure.invalidResponse(side, host, `it does not speak HTTP (${code})`);
  const broken = CONNECTION_BROKE[code];
  if (broken !== undefined) return registryFailure.unavailable(side, host, broken);
  const reason = code.startsWith("EPROXY") ? message : (NO_CONNECTION[code] ?? code) || "the request failed";
  return registryFailure.unreachable(side, host, reason, code);
}

/** There was a connection. */
const CONNECTION_BROKE: Readonly<Record<string, string>> = {
  ATTEMPT_TIMEOUT: "no response in time",
  ECONNRESET: "the connection broke (ECONNRESET)",
  EPIPE: "the connection broke (EPIPE)",
};

/** There was none. */
const NO_CONNECTION: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host (ENOTFOUND)",
  EAI_AGAIN: "the name cannot be looked up (EAI_AGAIN)",
  ECONNREFUSED: "connection refused (ECONNREFUSED)",
  ETIMEDOUT: "no connection in time (ETIMEDOUT)",
  EHOSTUNREACH: "no route to the host (EHOSTUNREACH)",
  ENETUNREACH: "the network is unreachable (ENETUNREACH)",
  EPROTO: "it does not speak TLS (EPROTO)",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself; trust it with NODE_EXTRA_CA_CERTS",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is from an unknown authority; trust it with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is from an unknown authority; trust it with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is from an unknown authority; trust it with NODE_EXTRA_CA_CERTS",
};
