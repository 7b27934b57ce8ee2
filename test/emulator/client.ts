/** HTTP clients of the emulator for its tests. */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import tls from "node:tls";
import type { Emulator } from "../../emulator/emulator";
import type { TestEmulator } from "../support/emulator";

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
}

/**
 * A client that uses the emulator's proxy and trusts its certificate authority. Its connections are closed after the test
 * file, or by `close`.
 */
export class Client {
  #agent: https.Agent | undefined;

  constructor(readonly running: Pick<TestEmulator, "server">) {
    clients.add(this);
  }

  get emulator(): Emulator {
    return this.running.server;
  }

  request(url: string, { method = "GET", headers = {}, body }: HttpRequest = {}): Promise<HttpResponse> {
    this.#agent ??= new TunnelAgent(new URL(this.emulator.proxy), readFileSync(this.emulator.ca, "utf8"));
    const agent = this.#agent;
    return new Promise((resolve, reject) => {
      const request = https.request(url, { agent, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const { statusCode: status = 0, headers, rawHeaders } = response;
          resolve({ status, headers, rawHeaders, text, json: () => JSON.parse(text) });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  post(url: string, body: unknown, headers: http.OutgoingHttpHeaders = {}): Promise<HttpResponse> {
    return this.request(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  form(url: string, fields: Record<string, string>): Promise<HttpResponse> {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return this.request(url, { method: "POST", headers, body: new URLSearchParams(fields).toString() });
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }
}

const clients = new Set<Client>();
afterAll(() => {
  for (const client of clients) client.close();
});

class TunnelAgent extends https.Agent {
  constructor(
    readonly proxy: URL,
    readonly ca: string,
  ) {
    super({ keepAlive: true });
  }

  override createConnection(
    options: { host?: string | null; port?: number | string | null },
    callback?: (error: Error | null, stream: tls.TLSSocket) => void,
  ): null {
    const fail = (error: Error) => callback?.(error, undefined as never);
    const target = `${options.host}:${options.port ?? 443}`;
    const { hostname: host, port } = this.proxy;
    const connect = http.request({ host, port, method: "CONNECT", path: target, agent: false });
    connect.once("error", fail);
    connect.once("connect", (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        return fail(new Error(`CONNECT ${target}: ${response.statusCode}`));
      }
      const secure = tls.connect({ socket, servername: options.host ?? "", ca: this.ca });
      secure.once("secureConnect", () => callback?.(null, secure));
      secure.once("error", fail);
    });
    connect.end();
    return null;
  }
}

/** A client of Resource Manager with a token. */
export class Caller {
  #token: string | (() => string);

  constructor(
    readonly client: Client,
    token: string | (() => string),
    readonly host = "management.azure.com",
  ) {
    this.#token = token;
  }

  /** Signs in as the default identity, or as the one with this client ID, when a token is first needed. */
  static as(client: Client, clientId?: string): Caller {
    return new Caller(client, () => {
      const { env, state, tokens } = client.emulator;
      const wanted = clientId ?? env.ARM_CLIENT_ID;
      const identity = state.identities.find((candidate) => candidate.clientId === wanted);
      if (!identity) throw new Error(`no identity ${wanted}`);
      return tokens.issue(identity, "https://management.azure.com").token;
    });
  }

  get token(): string {
    if (typeof this.#token === "function") this.#token = this.#token();
    return this.#token;
  }

  get(path: string): Promise<HttpResponse> {
    return this.send("GET", path);
  }

  send(method: string, path: string, body?: unknown): Promise<HttpResponse> {
    const url = path.startsWith("https://") ? path : `https://${this.host}${path}`;
    const versioned = url.includes("api-version=")
      ? url
      : `${url}${url.includes("?") ? "&" : "?"}api-version=2025-11-01`;
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
    return this.client.request(versioned, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Starts an import and polls until it ends. */
  async import(body: unknown, target = registryId("myregistry")): Promise<HttpResponse> {
    const accepted = await this.send("POST", `${target}/importImage`, body);
    if (accepted.status !== 202) return accepted;
    return this.poll(accepted);
  }

  async poll(first: HttpResponse): Promise<HttpResponse> {
    let response = first;
    for (let attempt = 0; response.status === 202 && attempt < 500; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      response = await this.get(response.headers.location ?? "");
    }
    return response;
  }
}

export const subscription = "/subscriptions/22222222-2222-4222-8222-222222222222";
export const secondSubscription = "/subscriptions/33333333-3333-4333-8333-333333333333";

export function registryId(name: string, inSubscription = subscription): string {
  return `${inSubscription}/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/${name}`;
}

/** Resolves when the condition holds; only Jest's limit ends a wait, so that a slow machine fails no test. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** The error in a response of Resource Manager. */
export function armError(response: HttpResponse): { code: string; message: string; details?: { message: string }[] } {
  return response.json<{ error: { code: string; message: string } }>().error;
}
