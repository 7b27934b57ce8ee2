/** Connections to hosts behind an HTTP proxy. */
import http, { type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import querystring from "node:querystring";
import type { Duplex } from "node:stream";
import { CONNECT_TIMEOUT, limitConnectTime } from "./connect-timeout";
import { withoutBrackets } from "./proxy";

type CreateConnection = https.Agent["createConnection"];
type Options = Parameters<CreateConnection>[0];
type Done = NonNullable<Parameters<CreateConnection>[1]>;

/** Connects through a proxy with CONNECT, https://www.rfc-editor.org/rfc/rfc9110#name-connect */
export class TunnelAgent extends https.Agent {
  readonly #proxy: URL | undefined;

  constructor(proxy: string, options: https.AgentOptions) {
    super(options);
    this.#proxy = URL.canParse(proxy) ? new URL(proxy) : undefined;
  }

  override createConnection(options: Options, done: Done): undefined {
    this.#connect(options).then(
      (tunnel) => {
        const socket = super.createConnection({ ...options, socket: tunnel } as Options);
        if (socket) done(null, limitConnectTime(socket, "secureConnect"));
      },
      (error: Error) => done(error, undefined as never),
    );
  }

  #connect({ host, port }: Options): Promise<Duplex> {
    const proxy = this.#proxy;
    return new Promise((resolve, reject) => {
      if (proxy?.protocol !== "http:" && proxy?.protocol !== "https:") {
        throw new ProxyError("the proxy in the environment is not an http or https URL", "EPROXYREFUSED");
      }
      const authority = `${host?.includes(":") ? `[${host}]` : host}:${port}`;
      const request = connectRequest(proxy, authority);
      request.once("connect", ({ statusCode = 0 }: IncomingMessage, tunnel: Duplex, head: Buffer) => {
        if (statusCode >= 200 && statusCode < 300) {
          if (head.length > 0) tunnel.unshift(head);
          return resolve(tunnel);
        }
        tunnel.destroy();
        const code = statusCode >= 500 ? "EPROXY" : "EPROXYREFUSED";
        reject(new ProxyError(`proxy ${proxy.host} refused the connection (HTTP ${statusCode})`, code));
      });
      request.on("error", (error: NodeJS.ErrnoException) =>
        // A timeout may be the proxy's or that of the host behind it.
        reject(
          error.code === CONNECT_TIMEOUT
            ? error
            : new ProxyError(`proxy ${proxy.host} failed (${error.code})`, "EPROXY"),
        ),
      );
      limitConnectTime(request, "connect");
      request.end();
    });
  }
}

function connectRequest(proxy: URL, authority: string): ClientRequest {
  const credentials = `${querystring.unescape(proxy.username)}:${querystring.unescape(proxy.password)}`;
  const host = withoutBrackets(proxy.hostname);
  return (proxy.protocol === "https:" ? https : http).request({
    method: "CONNECT",
    host,
    port: proxy.port,
    // Node.js would take it from the Host header.
    servername: isIP(host) ? "" : host,
    path: authority,
    headers: {
      host: authority,
      connection: "keep-alive",
      "proxy-connection": "keep-alive",
      ...(credentials !== ":" && { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` }),
    },
    agent: false,
  });
}

/** A proxy that does not connect: for good (`EPROXYREFUSED`), or perhaps only now (`EPROXY`). Its message names the proxy. */
class ProxyError extends Error {
  override readonly name = "ProxyError";

  constructor(
    message: string,
    readonly code: "EPROXY" | "EPROXYREFUSED",
  ) {
    super(message);
  }
}
