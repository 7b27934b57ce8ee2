/** Sends the requests of the Azure SDK over the connections of the registry client. */
import type { PipelinePolicy, PipelineRequest } from "@azure/core-rest-pipeline";
import { agentFor } from "../registry/transport/agents";
import { inTurn } from "../registry/transport/host-queue";
import type { Throttle } from "./throttle";

/**
 * Gives a request an agent whose connections outlive it, also behind a proxy: the SDK's own proxy policy opens a tunnel and a
 * TLS session for every request. It must stand behind the retry policy, so that a request that waits for a retry does not
 * occupy a connection.
 *
 * @param throttleOf - What is rate limited together with a request. A request that is held back occupies no connection, either.
 */
export function connectionPolicy(throttleOf?: (request: PipelineRequest) => Throttle): PipelinePolicy {
  return {
    name: "connectionPolicy",
    async sendRequest(request, next) {
      const url = new URL(request.url);
      // The address of managed identity is plain HTTP, on the machine itself.
      if (url.protocol !== "https:") return next(request);
      request.agent = agentFor(url);
      const signal = request.abortSignal instanceof AbortSignal ? request.abortSignal : undefined;
      const throttle = throttleOf?.(request);
      for (;;) {
        await throttle?.enter(signal);
        const response = await inTurn(url.host, signal, async () => {
          // The service may have begun to limit while the request waited for a connection.
          return throttle?.isHolding ? undefined : next(request);
        });
        if (response) return response;
      }
    },
  };
}
