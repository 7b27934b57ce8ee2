/** Reads the responses with which a server refuses a request. */
import { type Failure, ImportError, type Side } from "../failure/failure";
import { redact } from "../failure/redact";
import { registryFailure } from "../failure/registry";
import { isObject, parseJson } from "../json";
import type { HttpResponse } from "./transport/http-message";

/** The failure of a 401 or 403: `denied`, unless it is a firewall that refuses the request. */
export function denialError(
  side: Side,
  response: HttpResponse,
  message: string | undefined,
  denied: Failure,
): ImportError {
  const isFirewall = response.status === 403 && FIREWALL.test(response.body.toString("utf8"));
  return new ImportError(isFirewall ? registryFailure.networkBlocked(side, response.url.host, message) : denied);
}

const FIREWALL = /client with IP .* is not allowed access|public network access is disabled/i;

/** The reason that a server gives, in one short line and without any of `secrets`. */
export function serverMessage(response: HttpResponse, secrets: Iterable<string>): string | undefined {
  const text = redact(messageIn(response.body.toString("utf8")), secrets);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would execute them
  const line = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return line
    ? `HTTP ${response.status}: ${line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line}`
    : undefined;
}

const MAX_MESSAGE = 300;

/** The code of the error that a server describes, or nothing where it describes none. */
export function errorCodeOf({ body }: HttpResponse): string {
  const code = firstError(body.toString("utf8"))?.code;
  return typeof code === "string" ? code : "";
}

function messageIn(body: string): string {
  const first = firstError(body);
  if (!first) return "";
  const parts = [first.code ?? first.error, first.message ?? first.error_description ?? first.details, first.detail];
  return parts.filter((part) => typeof part === "string" && part !== "").join(": ");
}

/** `{"errors":[{code, message}]}` of registries, or `{error, error_description}` and `{details}` of token services. */
function firstError(body: string): Readonly<Record<string, unknown>> | undefined {
  const response = parseJson(body);
  if (!isObject(response)) return undefined;
  const first = Array.isArray(response.errors) ? response.errors[0] : response;
  return isObject(first) ? first : undefined;
}
