/** The network inside Azure, from which imports read their source. */
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { trustedServiceHeader } from "../proxy";

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Send it as a trusted Azure service. */
  readonly trusted: boolean;
}

const timeoutMs = 60_000;
const maxSockets = 16;

/** Sends requests through the emulator's second proxy, over TLS as every client does. */
export class AzureNetwork {
  readonly #plain: HttpsAgent;
  readonly #trusted: HttpsAgent;

  constructor(proxyPort: number, certificateAuthority: string) {
    this.#plain = new TunnelAgent(proxyPort, certificateAuthority, {});
    this.#trusted = new TunnelAgent(proxyPort, certificateAuthority, { [trustedServiceHeader]: "importer" });
  }

  send({ method, url, headers, body, trusted }: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const agent = trusted ? this.#trusted : this.#plain;
      const req = httpsRequest(url, {
        method,
        agent,
        timeout: timeoutMs,
        headers: { "user-agent": "AzureContainerRegistry/import", ...headers },
      });
      req.once("error", reject);
      req.once("timeout", () =>
        req.destroy(new Error(`no response from ${url.host} within ${timeoutMs / 1000} seconds`)),
      );
      req.once("response", (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        // A truncated body is not an error here: the caller compares lengths and digests.
        const finish = () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) });
        res.once("end", finish);
        res.once("error", finish);
      });
      req.end(body);
    });
  }

  close(): void {
    this.#plain.destroy();
    this.#trusted.destroy();
  }
}

/** An agent that keeps its CONNECT tunnels alive. */
class TunnelAgent extends HttpsAgent {
  constructor(
    readonly proxyPort: number,
    readonly certificateAuthority: string,
    readonly connectHeaders: OutgoingHttpHeaders,
  ) {
    super({ keepAlive: true, maxSockets: maxSockets });
  }

  override createConnection(
    options: { host?: string | null; port?: number | string | null },
    callback?: (error: Error | null, stream: Duplex) => void,
  ): null {
    const host = options.host ?? "";
    const fail = (error: Error) => callback?.(error, undefined as never);
    const connect = request({
      host: "127.0.0.1",
      port: this.proxyPort,
      method: "CONNECT",
      path: `${host}:${options.port ?? 443}`,
      headers: this.connectHeaders,
      agent: new Agent({ keepAlive: false }),
    });
    connect.once("error", fail);
    connect.once("connect", (res, socket) => {
      if (res.statusCode !== 200) {
        socket.destroy();
        return fail(new Error(`The remote name could not be resolved: '${host}'`));
      }
      const secure = tlsConnect({ socket, servername: host, ca: this.certificateAuthority }, () => {
        secure.off("error", fail);
        callback?.(null, secure);
      });
      secure.once("error", fail);
    });
    connect.end();
    return null;
  }
}
