/** Requests to Azure Resource Manager, through the SDK's own client. */
import type { ContainerRegistryManagementClient } from "@azure/arm-containerregistry";
import type { TokenCredential } from "@azure/core-auth";
import type { PipelinePolicy, PipelineResponse, RetryStrategy } from "@azure/core-rest-pipeline";
import { azureFailure, type Failure, failureOf, type Side } from "../failure";
import { connectionPolicy } from "../registry/connections";
import type { Cloud } from "./cloud";
import { containerRegistrySdk, restPipeline } from "./sdk";

/** How often a request is sent again after a fault that may pass; throttling does not count. */
const RETRIES = 3;

/** How long one request may go without an answer, in milliseconds. */
const ANSWER_TIMEOUT = 60_000;

/** What Resource Manager answered. */
export interface Answer {
  readonly status: number;
  readonly headers: PipelineResponse["headers"];
  readonly body: string;
}

/** A client for one task, which remembers what was really answered: the SDK's errors drop `error.details`. */
export interface ResourceManager {
  readonly origin: URL;
  readonly host: string;
  readonly client: ContainerRegistryManagementClient;
  /** Sends a request of our own through the client's pipeline. An answer of any status is an answer. */
  send(request: { url: string; body?: unknown }, signal: AbortSignal): Promise<Answer>;
  /** The last answer, unless the last attempt ended without one. */
  answer(): Answer | undefined;
  /** Whether an attempt ended so that the service may have done what it was asked without our knowing. */
  inDoubt(): boolean;
}

export function resourceManager(cloud: Cloud, credential: TokenCredential, subscriptionId = ""): ResourceManager {
  const { ContainerRegistryManagementClient } = containerRegistrySdk();
  const { createDefaultHttpClient, createHttpHeaders, createPipelineRequest, retryPolicy } = restPipeline();
  let last: Answer | undefined;
  let doubt = false;

  const witness: PipelinePolicy = {
    name: "witness",
    async sendRequest(request, next) {
      last = undefined;
      request.timeout ||= ANSWER_TIMEOUT;
      try {
        const response = await next(request);
        last = { status: response.status, headers: response.headers, body: response.bodyAsText ?? "" };
        doubt ||= isPassing(response.status);
        return response;
      } catch (error) {
        doubt ||= !neverArrived(error);
        throw error;
      }
    },
  };
  const client = new ContainerRegistryManagementClient(credential, subscriptionId, {
    endpoint: cloud.resourceManager,
    credentials: { scopes: [`${cloud.resourceManagerAudience}/.default`] },
    userAgentOptions: { userAgentPrefix: "pulumi-acr-import" },
    additionalPolicies: [
      { policy: connectionPolicy, position: "perRetry" },
      { policy: witness, position: "perRetry" },
    ],
  });
  // The SDK's own retry obeys a Retry-After of any length and gives up on the fourth 429.
  client.pipeline.removePolicy({ name: "defaultRetryPolicy" });
  client.pipeline.addPolicy(retryPolicy([patience], { maxRetries: 1_000 }), { phase: "Retry" });
  const http = createDefaultHttpClient();
  const origin = new URL(cloud.resourceManager);

  return {
    origin,
    host: origin.host,
    client,
    async send({ url, body }, abortSignal) {
      const headers = createHttpHeaders({ accept: "application/json" });
      if (body !== undefined) headers.set("content-type", "application/json");
      const request = createPipelineRequest({
        url,
        headers,
        abortSignal,
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      });
      const { status, headers: answered, bodyAsText } = await client.pipeline.sendRequest(http, request);
      return { status, headers: answered, body: bodyAsText ?? "" };
    },
    answer: () => last,
    inDoubt: () => doubt,
  };
}

/** Waits out throttling for as long as the caller's signal allows, and a few faults. */
const patience: RetryStrategy = {
  name: "patience",
  retry({ retryCount, response, responseError }) {
    if (response?.status === 429) return { retryAfterInMs: retryAfter(response.headers) ?? 5_000 };
    const passing = response ? isPassing(response.status) : FAULTS.has(responseError?.code ?? "");
    if (!passing || retryCount >= RETRIES) return { skipStrategy: true };
    return { retryAfterInMs: (response && retryAfter(response.headers)) ?? 1_000 * 2 ** retryCount };
  },
};

/** Ends of a connection after which another attempt is worth while. */
const FAULTS: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "EPIPE",
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** Ends of a connection before the request was sent. */
const UNSENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPROXY",
]);

/** Whether a status speaks of a fault that may be gone in a moment. */
export function isPassing(status: number): boolean {
  return status === 408 || (status >= 500 && status !== 501 && status !== 505);
}

function neverArrived(error: unknown): boolean {
  if (failureOf(error)) return true;
  const { code = "" } = error as NodeJS.ErrnoException;
  return UNSENT.has(code) || /CERT|SSL|TLS/.test(code);
}

/** The wait that an answer asks for, in milliseconds, within sensible bounds. */
export function retryAfter(headers: Answer["headers"]): number | undefined {
  const text = headers.get("retry-after");
  if (text === undefined) return undefined;
  const wait = /^\d+$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 1_000), 60_000);
}

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
