/** Requests to Azure Resource Manager, through the SDK's own client. */
import type { ContainerRegistryManagementClient } from "@azure/arm-containerregistry";
import type { TokenCredential } from "@azure/core-auth";
import type { PipelinePolicy, PipelineResponse, RetryStrategy } from "@azure/core-rest-pipeline";
import { failureOf } from "../failure/failure";
import { connectionPolicy } from "../registry/connections";
import { CONNECTION_FAULTS, isTransient, retryAfterSeconds } from "../registry/retry";
import type { Cloud } from "./cloud";
import { containerRegistrySdk, restPipeline } from "./sdk";

/** How often a request is sent again after a fault that may pass; throttling does not count. */
const RETRIES = 3;

/** How long one request may go without an response, in milliseconds. */
const ANSWER_TIMEOUT = 60_000;

/** What Resource Manager answered. */
export interface ArmResponse {
  readonly status: number;
  readonly headers: PipelineResponse["headers"];
  readonly body: string;
}

/** A client for one task, which remembers what was really answered: the SDK's errors drop `error.details`. */
export interface ResourceManager {
  readonly origin: URL;
  readonly host: string;
  readonly client: ContainerRegistryManagementClient;
  /** Sends a request of our own through the client's pipeline. An response of any status is an response. */
  send(request: { url: string; body?: unknown }, signal: AbortSignal): Promise<ArmResponse>;
  /** The last response, unless the last attempt ended without one. */
  lastResponse(): ArmResponse | undefined;
  /** Whether an attempt ended so that the service may have done what it was asked without our knowing. */
  mayHaveArrived(): boolean;
}

export function resourceManager(cloud: Cloud, credential: TokenCredential, subscriptionId = ""): ResourceManager {
  const { ContainerRegistryManagementClient } = containerRegistrySdk();
  const { createDefaultHttpClient, createHttpHeaders, createPipelineRequest, retryPolicy } = restPipeline();
  let last: ArmResponse | undefined;
  let doubt = false;

  const witness: PipelinePolicy = {
    name: "witness",
    async sendRequest(request, next) {
      last = undefined;
      request.timeout ||= ANSWER_TIMEOUT;
      try {
        const response = await next(request);
        last = { status: response.status, headers: response.headers, body: response.bodyAsText ?? "" };
        doubt ||= isTransient(response.status);
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
  client.pipeline.addPolicy(retryPolicy([throttleRetry], { maxRetries: 1_000 }), { phase: "Retry" });
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
    lastResponse: () => last,
    mayHaveArrived: () => doubt,
  };
}

/** Waits out throttling for as long as the caller's signal allows, and a few faults. */
const throttleRetry: RetryStrategy = {
  name: "patience",
  retry({ retryCount, response, responseError }) {
    if (response?.status === 429) return { retryAfterInMs: retryAfterMs(response.headers) ?? 5_000 };
    const passing = response ? isTransient(response.status) : isConnectionFault(responseError?.code);
    if (!passing || retryCount >= RETRIES) return { skipStrategy: true };
    return { retryAfterInMs: (response && retryAfterMs(response.headers)) ?? 1_000 * 2 ** retryCount };
  },
};

/** Ends of a connection before the request was sent. */
const UNSENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPROXY",
]);

function isConnectionFault(code = ""): boolean {
  return CONNECTION_FAULTS.has(code) || code === "ETIMEDOUT";
}

function neverArrived(error: unknown): boolean {
  if (failureOf(error)) return true;
  const { code = "" } = error as NodeJS.ErrnoException;
  return UNSENT.has(code) || /CERT|SSL|TLS/.test(code);
}

/** The wait that an response asks for, in milliseconds, within sensible bounds. */
export function retryAfterMs(headers: ArmResponse["headers"]): number | undefined {
  const seconds = retryAfterSeconds(headers.get("retry-after"));
  return seconds === undefined ? undefined : Math.min(Math.max(seconds * 1_000, 1_000), 60_000);
}
