import { createServer, type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import tls from "node:tls";
import { createCertificateAuthority } from "acr-emulator";

/** What a host answers. */
export type Site = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Hosts of a test's own making. */
export interface Internet {
  /** What answers for which host. */
  sites: Record<string, Site>;
  /** Every request that arrived: `GET registry.example.com/v2/`. */
  readonly requests: string[];
  /** What `Authorization` each of them carried, `-` for none. */
  readonly authorizations: string[];
  /** Tunnels opened so far. */
  tunnels: number;
  /** URL of the proxy behind which the hosts live; `HTTPS_PROXY` is set to it. */
  readonly proxy: string;
  /** The authority behind all certificates, PEM. */
  readonly certificate: string;
  /** Forgets sites, requests and tunnels. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts a proxy that is every host behind it, with certificates that this process trusts from now on. */
export async function startInternet(): Promise<Internet> {
  const authority = await createCertificateAuthority();
  trust(authority.certificate);
  const hosts = new WeakMap<object, string>();
  const sockets = new Set<Socket>();
  const inner = new Server((request, response) => {
    const host = hosts.get(request.socket) ?? "";
    internet.requests.push(`${request.method} ${host}${request.url}`);
    internet.authorizations.push(request.headers.authorization ?? "-");
    Promise.resolve(internet.sites[host]?.(request, response)).catch(() => response.destroy());
  });
  const proxy = createServer((request, response) => {
    internet.requests.push(`PLAIN ${request.method} ${request.url}`);
    response.writeHead(500).end();
  });
  proxy.on("connection", (socket) => {
    sockets.add(socket.on("error", () => undefined));
  });
  proxy.on("connect", async ({ url = "" }, socket: Socket) => {
    const host = url.replace(/:443$/, "");
    if (!(host in internet.sites)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    internet.tunnels++;
    const secureContext = await authority.contextFor(new URL(`https://${host}`).hostname);
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    const secure = new tls.TLSSocket(socket, { isServer: true, secureContext });
    secure.on("error", () => socket.destroy());
    hosts.set(secure, host);
    inner.emit("connection", secure);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));

  const internet: Internet = {
    sites: {},
    requests: [],
    authorizations: [],
    tunnels: 0,
    proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    certificate: authority.certificate,
    reset() {
      internet.sites = {};
      internet.requests.length = 0;
      internet.authorizations.length = 0;
      internet.tunnels = 0;
    },
    async close() {
      delete process.env.HTTPS_PROXY;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
  process.env.HTTPS_PROXY = internet.proxy;
  return internet;
}

/** Node reads its authorities at start; this is how a running process comes to trust one more. */
export function trust(certificate: string): void {
  const create = tls.createSecureContext;
  tls.createSecureContext = (options) => {
    const context = create(options);
    if (!options?.ca) context.context.addCACert(certificate);
    return context;
  };
}

/** Sends JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string | string[]> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
