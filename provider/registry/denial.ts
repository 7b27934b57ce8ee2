import { type Failure, ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { isObject, parseJson } from "../json";
import type { HttpResponse } from "./transport";

/** The failure of an response that refuses by 401 or 403 what an identity asked for. */
export function denialError(
  side: Side,
  response: HttpResponse,
  message: string | undefined,
  otherwise: Failure,
): ImportError {
  const closed = response.status === 403 && FIREWALL.test(response.body.toString("utf8"));
  return new ImportError(closed ? registryFailure.networkBlocked(side, response.url.host, message) : otherwise);
}

const FIREWALL = /client with IP .* is not allowed access|public network access is disabled/i;

/** What the server gives as its reason, in one short line without any of `secrets`. */
export function serverMessage(response: HttpResponse, secrets: Iterable<string>): string | undefined {
  let text = messageIn(response.body.toString("utf8"));
  for (const secret of secrets) text = text?.replaceAll(secret, "***");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them
  const line = text?.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return line
    ? `HTTP ${response.status}: ${line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line}`
    : undefined;
}

const MAX_MESSAGE = 300;

/** `{"errors":[{code, message}]}` of registries, or `{error, error_description}` and `{details}` of token services. */
function messageIn(body: string): string | undefined {
  const response = parseJson(body);
  if (!isObject(response)) return undefined;
  const first = Array.isArray(response.errors) ? response.errors[0] : response;
  if (!isObject(first)) return undefined;
  const parts = [first.code ?? first.error, first.message ?? first.error_description ?? first.details, first.detail];
  return parts.filter((part) => typeof part === "string" && part !== "").join(": ") || undefined;
}
