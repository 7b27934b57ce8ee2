/** Requests to Azure Resource Manager, through the SDK's own client. */
import type { ContainerRegistryManagementClient } from "@azure/arm-containerregistry";
import type { TokenCredential } from "@azure/core-auth";
import type { PipelinePolicy, PipelineResponse, RetryStrategy } from "@azure/core-rest-pipeline";
import { failureOf } from "../failure/failure";
import { errorCode, hasNoRoute, neverArrived } from "../registry/transport/network-errors";
import { isTransient, nextRetry, type RetryPolicy, retryAfterSeconds } from "../registry/transport/retry";
import type { ArmThrottles } from "./arm-throttles";
import type { Cloud } from "./cloud";
import { connectionPolicy } from "./connection-policy";
import { containerRegistrySdk, restPipeline } from "./sdk";

/** How long one attempt may take, in milliseconds. */
const ATTEMPT_MS = 60_000;
/** The bounds of the waits that Resource Manager asks for, in milliseconds. */
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
const RETRY_POLICY: RetryPolicy = {
  faultMs: 1_000,
  maxRetryAfterMs: MAX_WAIT_MS,
  // The registry can tell what an import did when Resource Manager cannot.
  max503Retries: 3,
};
/** A request that comes too early is not processed. A day is longer than any time limit, and short enough for a timer. */
const THROTTLED_POLICY: RetryPolicy = { ...RETRY_POLICY, maxRetryAfterMs: 24 * 3_600_000 };

/** A response of Resource Manager. */
export interface ArmResponse {
  readonly status: number;
  readonly headers: PipelineResponse["headers"];
  readonly body: string;
}

/** A client for one task, which records the responses as they are: the SDK's errors drop `error.details`. */
export interface ResourceManager {
  readonly origin: URL;
  readonly host: string;
  readonly client: ContainerRegistryManagementClient;
  /** Sends a request through the client's pipeline, and returns the response whatever its status. */
  send(request: { url: string; body?: unknown }, signal: AbortSignal): Promise<ArmResponse>;
  /** The response to the last attempt, if it had one. */
  lastResponse(): ArmResponse | undefined;
  /** Whether an attempt ended without a usable response although the service may have acted on it. */
  mayHaveArrived(): boolean;
}

/** What a client of Resource Manager works with. */
export interface ArmContext {
  readonly cloud: Cloud;
  readonly credential: TokenCredential;
  readonly throttles: ArmThrottles;
}

export function resourceManager({ cloud, credential, throttles }: ArmContext, subscriptionId = ""): ResourceManager {
  const { ContainerRegistryManagementClient } = containerRegistrySdk();
  const { createDefaultHttpClient, createHttpHeaders, createPipelineRequest, retryPolicy } = restPipeline();
  let last: ArmResponse | undefined;
  let isDoubtful = false;

  const recorder: PipelinePolicy = {
    name: "recorder",
    async sendRequest(request, next) {
      last = undefined;
      request.timeout ||= ATTEMPT_MS;
      try {
        const response = await next(request);
        last = { status: response.status, headers: response.headers, body: response.bodyAsText ?? "" };
        isDoubtful ||= isTransient(response.status);
        return response;
      } catch (error) {
        isDoubtful ||= !failureOf(error) && !neverArrived(errorCode(error));
        throw error;
      }
    },
  };
  const client = new ContainerRegistryManagementClient(credential, subscriptionId, {
    endpoint: cloud.resourceManager,
    credentials: { scopes: [`${cloud.resourceManagerAudience}/.default`] },
    userAgentOptions: { userAgentPrefix: "pulumi-acr-import" },
    additionalPolicies: [
      { policy: connectionPolicy((request) => throttles.of(request)), position: "perRetry" },
      { policy: recorder, position: "perRetry" },
    ],
  });
  // The SDK's own retries obey a Retry-After of any length and end with the fourth 429.
  client.pipeline.removePolicy({ name: "defaultRetryPolicy" });
  const maxRetries = Number.POSITIVE_INFINITY;
  client.pipeline.addPolicy(retryPolicy([retryStrategy(throttles)], { maxRetries }), { phase: "Retry" });
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
      const response = await client.pipeline.sendRequest(http, request);
      return { status: response.status, headers: response.headers, body: response.bodyAsText ?? "" };
    },
    lastResponse: () => last,
    mayHaveArrived: () => isDoubtful,
  };
}

/** Retries as the registry client does, for as long as the caller's signal allows. */
function retryStrategy(throttles: ArmThrottles): RetryStrategy {
  return {
    name: "retryStrategy",
    retry({ retryCount, response, responseError }) {
      // An import polls often: a poll without a route to the host is left to the next one.
      if (!response && hasNoRoute(errorCode(responseError))) return { skipStrategy: true };
      const result = response
        ? { status: response.status, retryAfter: response.headers.get("retry-after") }
        : { code: errorCode(responseError) };
      const retry = nextRetry(result, retryCount, response?.status === 429 ? THROTTLED_POLICY : RETRY_POLICY);
      if (!retry) return { skipStrategy: true };
      if (response?.status !== 429) return { retryAfterInMs: retry.waitMs };
      throttles.hold(response.request, retry.waitMs);
      return { retryAfterInMs: 0 };
    },
  };
}

/** The wait that a response asks for, in milliseconds, within sensible bounds. */
export function retryAfterMs(headers: ArmResponse["headers"]): number | undefined {
  const seconds = retryAfterSeconds(headers.get("retry-after"));
  return seconds === undefined ? undefined : Math.min(Math.max(seconds * 1_000, MIN_WAIT_MS), MAX_WAIT_MS);
}
