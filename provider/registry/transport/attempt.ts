/** One attempt at a request: one connection, one response, one time limit. */
import type { IncomingMessage } from "node:http";
import https from "node:https";
import { agentFor } from "./agents";
import { decodeBody } from "./content-coding";
import { type HttpRequest, type HttpResponse, MAX_BODY_BYTES } from "./http-message";
import { errorCode } from "./network-errors";
import { withoutBrackets } from "./proxy";
import { UnusableResponse } from "./unusable-response";

/** How long an attempt may take, from the first byte sent to the last one received. */
const ATTEMPT_MS = 30_000;

/** How an attempt ended. */
export type Attempt =
  | { readonly response: HttpResponse }
  | {
      readonly error: Error;
      /** The server closed an idle connection just when the request was to use it. */
      readonly isStale: boolean;
    };

/** Makes an attempt. Resolves when its connection can be used again; rejects only with the signal's reason. */
export function sendOnce(request: HttpRequest, signal: AbortSignal | undefined): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const url = new URL(request.url);
    const { maxBodyBytes = MAX_BODY_BYTES } = request;
    const sent = https.request({
      method: request.method,
      host: withoutBrackets(url.hostname),
      port: url.port,
      path: url.pathname + url.search,
      headers: request.headers ?? {},
      agent: agentFor(url),
    });
    const timer = setTimeout(() => fail(newError("no response in time", "ATTEMPT_TIMEOUT")), ATTEMPT_MS);
    const stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    const abort = () => {
      stop();
      sent.destroy();
      reject(signal?.reason);
    };
    const fail = (error: Error, isStale = false) => {
      stop();
      sent.destroy();
      resolve({ error, isStale });
    };

    let response: HttpResponse | undefined;
    sent.on("error", (error) => fail(error, sent.reusedSocket && BROKEN.has(errorCode(error))));
    sent.once("response", (message) => {
      readBody(message, maxBodyBytes, fail, (content) => {
        try {
          response = toResponse(url, message, content, maxBodyBytes);
        } catch (error) {
          fail(error as Error);
        }
      });
    });
    // Emitted when the agent has taken the connection back, or the connection is closed.
    sent.once("close", () => {
      if (!response) return fail(newError("the connection broke", "ECONNRESET"));
      stop();
      resolve({ response });
    });
    signal?.addEventListener("abort", abort);
    sent.end(request.body);
  });
}

const BROKEN: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

function readBody(
  message: IncomingMessage,
  maxBytes: number,
  fail: (error: Error) => void,
  done: (body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  message.on("data", (chunk: Buffer) => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > maxBytes) fail(new UnusableResponse(`the body is longer than ${maxBytes} bytes`));
  });
  message.once("end", () => done(Buffer.concat(chunks, length)));
  message.on("error", fail);
}

function toResponse(
  url: URL,
  { statusCode = 0, headers }: IncomingMessage,
  content: Buffer,
  maxBytes: number,
): HttpResponse {
  const header = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  };
  return { status: statusCode, url, body: bodyOf(statusCode, header("content-encoding"), content, maxBytes), header };
}

/** The status of a refusal matters more than its body. */
function bodyOf(status: number, contentEncoding: string | undefined, content: Buffer, maxBytes: number): Buffer {
  try {
    return decodeBody(content, contentEncoding, maxBytes);
  } catch (error) {
    if (status >= 400) return Buffer.alloc(0);
    throw error;
  }
}

function newError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
