import { type Failure, failureOf, ImportError, registryFailure, type Side } from "../failure";
import { isObject, parseJson } from "./json";
import { retryAfterSeconds } from "./retry";
import { type Answer, type Budget, type Question, send } from "./transport";

/** Sends a request; a host that cannot be reached, is too busy or does not speak HTTP becomes a failure. */
export async function ask(side: Side, question: Question, budget: Budget): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await send(question, budget);
  } catch (error) {
    if (budget.signal?.aborted) throw budget.signal.reason;
    throw failureOf(error) ? error : new ImportError(unreachable(side, new URL(question.url).host, error));
  }
  const { status, url } = answer;
  if (status === 429) {
    throw new ImportError(registryFailure.throttled(side, url.host, retryAfterSeconds(answer.header("retry-after"))));
  }
  if (status >= 500 && status !== 501)
    throw new ImportError(registryFailure.unavailable(side, url.host, `HTTP ${status}`));
  return answer;
}

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

function unreachable(side: Side, host: string, error: unknown): Failure {
  const { name, code = "", message } = error as NodeJS.ErrnoException;
  if (name === "UnusableAnswer") return registryFailure.invalidAnswer(side, host, message);
  if (code.startsWith("HPE_")) return registryFailure.invalidAnswer(side, host, `it does not speak HTTP (${code})`);
  const broken = BROKEN[code];
  if (broken !== undefined) return registryFailure.unavailable(side, host, broken);
  const reason = code.startsWith("EPROXY") ? message : (UNREACHABLE[code] ?? code) || "the request failed";
  return registryFailure.unreachable(side, host, reason);
}

/** There was a connection. */
const BROKEN: Readonly<Record<string, string>> = {
  ATTEMPT_TIMEOUT: "no answer in time",
  ECONNRESET: "the connection broke (ECONNRESET)",
  EPIPE: "the connection broke (EPIPE)",
};

/** There was none. */
const UNREACHABLE: Readonly<Record<string, string>> = {
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
