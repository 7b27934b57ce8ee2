/** Reads error responses of Resource Manager, and explains those that do not depend on the request. */
import { azureFailure } from "../failure/azure";
import { type Failure, failureOf, type Side } from "../failure/failure";
import { isTransient } from "../registry/transport/retry";
import type { ArmResponse } from "./resource-manager";
import { Throttled } from "./throttle";

/** The innermost code and message of an error response, where Azure puts the useful sentence. */
export interface ServiceError {
  readonly code: string;
  readonly message: string;
  /** For a support request. */
  readonly correlationId?: string;
}

interface ErrorBody {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly details?: readonly (ErrorBody | null)[] | null;
}

/** Parses an error response; `undefined` when it is not one of Azure, but of a proxy for instance. */
export function serviceError(response: ArmResponse): ServiceError | undefined {
  const outer = errorBody(response.body);
  if (!outer) return undefined;
  const inner = outer.details?.find((detail) => typeof detail?.message === "string" && detail.message !== "");
  const { code, message } = { ...outer, ...inner };
  const correlationId = response.headers.get("x-ms-correlation-request-id") ?? response.headers.get("x-ms-request-id");
  return {
    code: typeof code === "string" ? code : "",
    message: typeof message === "string" ? message.replace(/\s+/g, " ").trim() : "",
    ...(correlationId && { correlationId }),
  };
}

function errorBody(text: string): ErrorBody | undefined {
  try {
    const body = JSON.parse(text) as { error?: ErrorBody } | null;
    return typeof body?.error === "object" ? body.error : undefined;
  } catch {
    return undefined;
  }
}

/** The whole error in one line. */
export function errorDetail({ code, message, correlationId }: ServiceError): string {
  const text = [code, message].filter(Boolean).join(": ").slice(0, 1_000);
  return correlationId ? `${text} (correlation ID ${correlationId})` : text;
}

/** Who sent a request, and what it was about. */
export interface RequestSubject {
  readonly side: Side;
  /** Resource ID of the Azure scope. */
  readonly scope: string;
  readonly identity: string;
}

/** The failure of an error response that does not depend on the request: identity, permissions, throttling, outages. */
export function requestFailure(
  host: string,
  response: ArmResponse,
  { side, scope, identity }: RequestSubject,
): Failure | undefined {
  const error = serviceError(response);
  const detail = error && errorDetail(error);
  if (response.status === 401 && error) {
    return azureFailure.credentialRejected(
      identity,
      error.message.replace(/\.$/, "") || "Resource Manager did not accept its token",
      /tenant|issuer/i.test(`${error.code} ${error.message}`)
        ? "Use an identity of the tenant of the subscription. For a source in another tenant, use its login server and pass source.credentials"
        : "Sign in again, or check the credential and its tenant",
      detail,
    );
  }
  if (response.status === 403 && error) return azureFailure.permissionDenied(side, scope, identity, detail);
  if (response.status === 429) return azureFailure.throttled(side, host);
  if (!error || isTransient(response.status)) {
    return azureFailure.unavailable(
      side,
      host,
      `responded with HTTP ${response.status}${error ? "" : " and no Azure error"}`,
      detail,
    );
  }
  return undefined;
}

/** The failure of a request that got no response. */
export function noResponseFailure(host: string, error: unknown, side: Side): Failure {
  if (error instanceof Throttled) return azureFailure.throttled(side, host);
  const reason =
    error instanceof Error && error.name === "AbortError" ? "no response in time" : (error as Error).message;
  return failureOf(error) ?? azureFailure.unavailable(side, host, `could not be reached: ${reason}`);
}
