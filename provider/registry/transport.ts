import type { HttpClient, Pipeline, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { connectionPolicy } from "./connections";
import { type RetryOptions, retryStrategy } from "./retry";

/** How long one attempt may take, from the first byte sent to the last one received. */
const ATTEMPT_MS = 30_000;
/** What a registry accepts as a manifest; no other response that is read here is bigger. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_REDIRECTS = 5;

/** How long a look-up may go on retrying, and how its caller calls it off. */
export interface RequestOptions extends RetryOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpResponse {
  readonly status: number;
  /** Where the response came from, after redirects. */
  readonly url: URL;
  readonly body: Buffer;
  header(name: string): string | undefined;
}

/** An response that cannot be used whatever comes next: it is too big, or it leads astray. */
export class UnusableResponse extends Error {
  override readonly name = "UnusableAnswer";
}

/**
 * Sends a request over TLS and reads the whole response, whatever its status. Redirects of GET and HEAD are followed, to https
 * only; what proves who we are stays with the origin that it was meant for.
 */
export async function send(request: HttpRequest, { signal, ...patience }: RequestOptions): Promise<HttpResponse> {
  const { pipeline, client, newRequest } = stack();
  const sent = newRequest(request, signal);
  patienceOf.set(sent, patience);
  for (let redirects = 0; ; redirects++) {
    const response = await pipeline.sendRequest(client, sent);
    const url = new URL(sent.url);
    const location = redirectTarget(request.method, response, url);
    if (location === undefined) {
      return {
        status: response.status,
        url,
        body: bodies.get(response) ?? Buffer.alloc(0),
        header: (name) => response.headers.get(name),
      };
    }
    if (redirects === MAX_REDIRECTS) throw new UnusableResponse(`it redirects more than ${MAX_REDIRECTS} times`);
    if (location.protocol !== "https:") throw new UnusableResponse("it redirects to an address without TLS");
    if (location.origin !== url.origin) sent.headers.delete("authorization");
    sent.url = location.href;
  }
}

const patienceOf = new WeakMap<object, RetryOptions>();
const bodies = new WeakMap<PipelineResponse, Buffer>();

interface Stack {
  readonly pipeline: Pipeline;
  readonly client: HttpClient;
  readonly newRequest: (request: HttpRequest, signal: AbortSignal | undefined) => PipelineRequest;
}

let loaded: Stack | undefined;

/** Loaded at the first request: it takes 40 to 100 ms, which a program without look-ups need not pay. */
function stack(): Stack {
  loaded ??= load();
  return loaded;
}

function load(): Stack {
  const rest: typeof import("@azure/core-rest-pipeline") = require("@azure/core-rest-pipeline");
  const pipeline = rest.createEmptyPipeline();
  pipeline.addPolicy(
    rest.retryPolicy([retryStrategy((request) => patienceOf.get(request))], {
      maxRetries: Number.POSITIVE_INFINITY,
    }),
    { phase: "Retry" },
  );
  pipeline.addPolicy(connectionPolicy, { afterPhase: "Retry" });
  pipeline.addPolicy(
    {
      name: "attemptPolicy",
      async sendRequest(request, next) {
        const attempt = new AbortController();
        const outer = request.abortSignal;
        let timedOut = false;
        const timer = setTimeout(() => {
          timedOut = true;
          attempt.abort();
        }, ATTEMPT_MS);
        const callOff = () => attempt.abort();
        outer?.addEventListener("abort", callOff);
        if (outer?.aborted) attempt.abort();
        request.abortSignal = attempt.signal;
        try {
          const response = await next(request);
          bodies.set(response, await readBody(response));
          return response;
        } catch (error) {
          if (timedOut) throw new rest.RestError("timed out", { code: "ATTEMPT_TIMEOUT", request });
          // a connection that breaks within the body is a broken connection like any other
          const { code } = error as NodeJS.ErrnoException;
          if (code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE") {
            throw new rest.RestError("the connection broke", { code: "ECONNRESET", request });
          }
          throw error;
        } finally {
          clearTimeout(timer);
          outer?.removeEventListener("abort", callOff);
          if (outer) request.abortSignal = outer;
          else delete request.abortSignal;
        }
      },
    },
    { afterPolicies: [connectionPolicy.name], afterPhase: "Retry" },
  );
  return {
    pipeline,
    client: rest.createDefaultHttpClient(),
    newRequest: ({ method, url, headers, body }, signal) =>
      rest.createPipelineRequest({
        url,
        method,
        headers: rest.createHttpHeaders({ "user-agent": "pulumi-acr-import", ...headers }),
        ...(body !== undefined && { body }),
        ...(signal && { abortSignal: signal }),
        streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]),
      }),
  };
}

async function readBody(response: PipelineResponse): Promise<Buffer> {
  const stream = response.readableStreamBody;
  if (!stream) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let length = 0;
  // leaving the loop early destroys the stream, and with it the connection
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new UnusableResponse(`its response is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function redirectTarget(method: HttpRequest["method"], response: PipelineResponse, from: URL): URL | undefined {
  if ((method !== "GET" && method !== "HEAD") || ![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  const location = response.headers.get("location");
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new UnusableResponse(`it answers ${response.status} without an address to go to`);
  }
  return new URL(location, from);
}
