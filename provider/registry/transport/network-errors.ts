/** The codes with which Node.js, and this transport, report that a request ended without a response. */

interface NetworkError {
  /** What happened, for a message; empty where the error's own message says it. */
  readonly reason: string;
  /** How often the request is sent again. */
  readonly retries: number;
  /** There was a connection, so that the server may have seen the request. */
  readonly connected: boolean;
}

const RETRIES = 3;

const broken = (reason: string, retries = RETRIES): NetworkError => ({ reason, retries, connected: true });
const unconnected = (reason: string, retries = RETRIES): NetworkError => ({ reason, retries, connected: false });
const untrusted = (reason: string) => unconnected(reason, 0);

const UNKNOWN_AUTHORITY = untrusted("its certificate is from an unknown authority; trust it with NODE_EXTRA_CA_CERTS");

const NETWORK_ERRORS: Readonly<Record<string, NetworkError>> = {
  ATTEMPT_TIMEOUT: broken("no response in time", 1),
  ECONNRESET: broken("the connection broke (ECONNRESET)"),
  EPIPE: broken("the connection broke (EPIPE)"),
  ECONNABORTED: broken("the connection broke (ECONNABORTED)"),

  ETIMEDOUT: unconnected("no connection in time (ETIMEDOUT)", 1),
  ENOTFOUND: unconnected("no such host (ENOTFOUND)"),
  EAI_AGAIN: unconnected("the name cannot be resolved (EAI_AGAIN)"),
  ECONNREFUSED: unconnected("connection refused (ECONNREFUSED)"),
  EHOSTUNREACH: unconnected("no route to the host (EHOSTUNREACH)"),
  ENETUNREACH: unconnected("the network is unreachable (ENETUNREACH)"),
  EPROXY: unconnected(""),
  EPROXYREFUSED: unconnected("", 0),

  EPROTO: untrusted("it does not speak TLS (EPROTO)"),
  ERR_SSL_WRONG_VERSION_NUMBER: untrusted("it does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)"),
  CERT_HAS_EXPIRED: untrusted("its certificate has expired"),
  ERR_TLS_CERT_ALTNAME_INVALID: untrusted("its certificate is for another host"),
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted("self-signed certificate; trust it with NODE_EXTRA_CA_CERTS"),
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
};

/** What an error code stands for. */
export function networkError(code: string): NetworkError {
  return NETWORK_ERRORS[code] ?? unconnected(code || "the request failed", 0);
}

/** Whether the network or a proxy leaves this machine without a route to the host. */
export function hasNoRoute(code: string): boolean {
  return code === "EHOSTUNREACH" || code === "ENETUNREACH" || code === "EPROXY";
}

/** Whether a request that failed with a code certainly did not reach the server. */
export function neverArrived(code: string): boolean {
  // Node.js reports a connection that dies later with these codes, too.
  if (code === "ETIMEDOUT" || code === "EPROTO") return false;
  return NETWORK_ERRORS[code]?.connected === false || /CERT|SSL|TLS/.test(code);
}

/** The code of an error, if it has one. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "";
}
