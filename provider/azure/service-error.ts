/** What Resource Manager's refusals say and mean. */
import { azureFailure, type Failure, failureOf, type Side } from "../failure";
import { isPassing } from "../registry/retry";
import type { Answer } from "./resource-manager";

/** What an error answer says: the innermost code and message, where Azure puts the useful sentence. */
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

/** Reads an error answer; `undefined` when it is not one of Azure's, as from a proxy. */
export function serviceError(answer: Answer): ServiceError | undefined {
  const outer = errorBody(answer.body);
  if (!outer) return undefined;
  const inner = outer.details?.find((detail) => typeof detail?.message === "string" && detail.message !== "");
  const { code, message } = { ...outer, ...inner };
  const correlationId = answer.headers.get("x-ms-correlation-request-id") ?? answer.headers.get("x-ms-request-id");
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
export function detailOf({ code, message, correlationId }: ServiceError): string {
  const said = [code, message].filter(Boolean).join(": ").slice(0, 1_000);
  return correlationId ? `${said} (correlation ID ${correlationId})` : said;
}

/** Whose request was refused and what it was about. */
export interface Subject {
  readonly side: Side;
  /** The Azure scope that the request was about. */
  readonly scope: string;
  readonly identity: string;
}

/** The failure behind a refusal that does not depend on what was asked: identity, rights, throttling, faults. */
export function refusal(host: string, answer: Answer, { side, scope, identity }: Subject): Failure | undefined {
  const error = serviceError(answer);
  const said = error && detailOf(error);
  if (answer.status === 401 && error) {
    return azureFailure.credentialRejected(
      identity,
      error.message || "Resource Manager does not accept its token",
      /tenant|issuer/i.test(`${error.code} ${error.message}`)
        ? "the subscription belongs to another tenant: use an identity of that tenant; a source there is named by its login server with source.credentials"
        : "log in again, or check the credential and its tenant",
      said,
    );
  }
  if (answer.status === 403 && error) return azureFailure.permissionDenied(side, scope, identity, said);
  if (answer.status === 429) return azureFailure.throttled(side, host);
  if (!error || isPassing(answer.status)) {
    return azureFailure.unavailable(
      side,
      host,
      `answers ${answer.status}${error ? "" : ", not in Azure's form"}`,
      said,
    );
  }
  return undefined;
}

/** The failure behind an error that came without an answer. */
export function noAnswer(host: string, error: unknown, side: Side): Failure {
  const reason = error instanceof Error && error.name === "AbortError" ? "no answer in time" : (error as Error).message;
  return failureOf(error) ?? azureFailure.unavailable(side, host, `cannot be reached: ${reason}`);
}
