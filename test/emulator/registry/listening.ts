/** Serves a handler over HTTP for tests. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Handler } from "../../../emulator/registry/http";

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Every `WWW-Authenticate` line. */
  challenges: string[];
  bytes: Buffer;
  json: () => Record<string, unknown>;
  /** Code of the first error in the body. */
  code: () => unknown;
}

export interface Ask {
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A handler on a free port, requested with its public name as `Host`. */
export interface Listening {
  request: (method: string, path: string, options?: Ask) => Promise<Answer>;
  close: () => Promise<void>;
}

export async function listen(handler: Handler, host = "registry.example.com"): Promise<Listening> {
  const server = http.createServer((request, response) => {
    Promise.resolve(handler(request, response)).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const agent = new http.Agent({ keepAlive: true });
  return {
    request: (method, path, { headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const request = http.request(
          { agent, port, host: "127.0.0.1", method, path, headers: { host, ...headers } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("end", () => resolve(answerOf(response, Buffer.concat(chunks))));
          },
        );
        request.on("error", reject);
        request.end(body);
      }),
    close: () => {
      agent.destroy();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

function answerOf(response: http.IncomingMessage, bytes: Buffer): Answer {
  const json = () => JSON.parse(bytes.toString("utf8"));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    challenges: response.headersDistinct["www-authenticate"] ?? [],
    bytes,
    json,
    code: () => json().errors?.[0]?.code,
  };
}

export function basic(username: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

export function bearer(token: unknown): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
