import { type Failure, ImportError, registryFailure, type Side } from "../failure";
import { isObject, parseJson } from "./json";
import type { Answer } from "./transport";

/** The failure of an answer that refuses by 401 or 403 what an identity asked for. */
export function refusal(side: Side, answer: Answer, said: string | undefined, otherwise: Failure): ImportError {
  const closed = answer.status === 403 && FIREWALL.test(answer.body.toString("utf8"));
  return new ImportError(closed ? registryFailure.networkClosed(side, answer.url.host, said) : otherwise);
}

const FIREWALL = /client with IP .* is not allowed access|public network access is disabled/i;

/** What the server gives as its reason, in one short line without any of `secrets`. */
export function saidBy(answer: Answer, secrets: Iterable<string>): string | undefined {
  let text = reasonIn(answer.body.toString("utf8"));
  for (const secret of secrets) text = text?.replaceAll(secret, "***");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them
  const line = text?.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return line ? `HTTP ${answer.status}: ${line.length > MAX_SAID ? `${line.slice(0, MAX_SAID)}…` : line}` : undefined;
}

const MAX_SAID = 300;

/** `{"errors":[{code, message}]}` of registries, or `{error, error_description}` and `{details}` of token services. */
function reasonIn(body: string): string | undefined {
  const answer = parseJson(body);
  if (!isObject(answer)) return undefined;
  const first = Array.isArray(answer.errors) ? answer.errors[0] : answer;
  if (!isObject(first)) return undefined;
  const parts = [first.code ?? first.error, first.message ?? first.error_description ?? first.details, first.detail];
  return parts.filter((part) => typeof part === "string" && part !== "").join(": ") || undefined;
}
