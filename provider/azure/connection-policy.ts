/** Sends the requests of the Azure SDK over the connections of the registry client. */
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { agentFor } from "../registry/transport/agents";
import { inTurn } from "../registry/transport/host-queue";

/**
 * Gives a request an agent whose connections outlive it, also behind a proxy: the SDK's own proxy policy opens a tunnel and a
 * TLS session for every request. It must stand behind the retry policy, so that a request that waits for a retry does not
 * occupy a connection.
 */
export const connectionPolicy: PipelinePolicy = {
  name: "connectionPolicy",
  async sendRequest(request, next) {
    const url = new URL(request.url);
    // The address of managed identity is plain HTTP, on the machine itself.
    if (url.protocol !== "https:") return next(request);
    request.agent = agentFor(url);
    const { abortSignal } = request;
    return inTurn(url.host, abortSignal instanceof AbortSignal ? abortSignal : undefined, () => next(request));
  },
};
