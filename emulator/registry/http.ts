/** HTTP helpers of the handlers. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { RegistryError } from "./registry-error";

/** Responds to HTTP requests to one host; TLS, routing and faults are handled before. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** The target of a request, percent-decoded: `library%2Fnode` and `library/node` are the same path. */
export interface RequestTarget {
  path: string;
  query: URLSearchParams;
}

const noQuery = new URLSearchParams();

export function requestTarget(request: IncomingMessage): RequestTarget {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const raw = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
  try {
    return { path: raw.includes("%") ? decodeURIComponent(raw) : raw, query };
  } catch {
    throw new RegistryError(400, "NAME_INVALID", "invalid percent-encoding in the path");
  }
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(request)).toString("utf8"));
}

/** The credentials in `Authorization: Basic …`. */
export function basicCredentials(request: IncomingMessage): { username: string; password: string } | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
}

export function send(response: ServerResponse, status: number, headers: OutgoingHttpHeaders, body?: Buffer): void {
  response.writeHead(status, { "content-length": body?.length ?? 0, ...headers });
  response.end(body);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  send(
    response,
    status,
    { "content-type": "application/json; charset=utf-8", ...headers },
    Buffer.from(JSON.stringify(value)),
  );
}

export function sendError(response: ServerResponse, { status, code, message, detail, headers }: RegistryError): void {
  sendJson(response, status, { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] }, headers);
}

/** Responds with the errors that a handler throws. */
export function withErrorResponses(handler: Handler): Handler {
  return async (request, response) => {
    try {
      await handler(request, response);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      sendError(response, error);
    }
  };
}
