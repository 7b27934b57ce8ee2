/** What Resource Manager's refusals say and mean. */
import { azureFailure, type Failure, failureOf, type Side } from "../failure/failure";
import { isTransient } from "../registry/retry";
import type { ArmResponse } from "./resource-manager";

/** What an error response says: the innermost code and message, where Azure puts the useful sentence. */
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

/** Reads an error response; `undefined` when it is not one of Azure's, as from a proxy. */
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

/** The whole error as one line of detail. */
export function errorDetail({ code, message, correlationId }: ServiceError): string {
  const said = [code, message].filter(Boolean).join(": ").slice(0, 1_000);
  return correlationId ? `${said} (correlation ID ${correlationId})` : said;
}

/** Whose request was refused and what it was about. */
export interface RequestSubject {
  readonly side: Side;
  /** The Azure scope that the request was about. */
  readonly scope: string;
  readonly identity: string;
}

/** The failure behind a refusal that does not depend on what was asked: identity, rights, throttling, faults. */
export function requestFailure(
  host: string,
  response: ArmResponse,
  { side, scope, identity }: RequestSubject,
): Failure | undefined {
  const error = serviceError(response);
  const said = error && errorDetail(error);
  if (response.status === 401 && error) {
    return azureFailure.credentialRejected(
      identity,
      error.message || "Resource Manager does not accept its token",
      /tenant|issuer/i.test(`${error.code} ${error.message}`)
        ? "the subscription belongs to another tenant: use an identity of that tenant; a source there is named by its login server with source.credentials"
        : "log in again, or check the credential and its tenant",
      said,
    );
  }
  if (response.status === 403 && error) return azureFailure.permissionDenied(side, scope, identity, said);
  if (response.status === 429) return azureFailure.throttled(side, host);
  if (!error || isTransient(response.status)) {
    return azureFailure.unavailable(
      side,
      host,
      `answers ${response.status}${error ? "" : ", not in Azure's form"}`,
      said,
    );
  }
  return undefined;
}

/** The failure behind an error that came without an response. */
export function noResponseFailure(host: string, error: unknown, side: Side): Failure {
  const reason =
    error instanceof Error && error.name === "AbortError" ? "no response in time" : (error as Error).message;
  return failureOf(error) ?? azureFailure.unavailable(side, host, `cannot be reached: ${reason}`);
}
