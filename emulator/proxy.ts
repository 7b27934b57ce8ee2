/** An HTTP proxy that terminates TLS itself, for every host behind it. */
import { createServer, type IncomingMessage, Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { CertificateAuthority } from "./certificates";
import type { Connection } from "./faults/apply-faults";
import type { Origin } from "./request-log";

/** A client's connection to one host: a CONNECT tunnel, or plain HTTP through the proxy. */
export interface Tunnel extends Connection {
  readonly from: Origin;
  /** Host name in lower case, with the port unless it is 443. */
  readonly host: string;
  /** Absent for plain HTTP. */
  readonly id?: number;
  /** The importer acts as a trusted Azure service, which network rules may allow. */
  readonly trustedService: boolean;
}

export interface ProxyOptions {
  readonly from: Origin;
  readonly authority: CertificateAuthority;
  /** Whether CONNECT opens a tunnel; otherwise the status to respond with, or `"handled"` when a fault took over. */
  onConnect(tunnel: Tunnel): Promise<"open" | "handled" | number>;
  onRequest(tunnel: Tunnel, req: IncomingMessage, res: ServerResponse): void;
  /** A plain HTTP request through the proxy. */
  onPlainRequest(tunnel: Tunnel, req: IncomingMessage, res: ServerResponse): void;
}

/** A running proxy. */
export interface RunningProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** Header of CONNECT that marks the importer as a trusted service. */
export const trustedServiceHeader = "x-trusted-service";

/** Longer than any wait between two polls, so that no client uses a connection while the server closes it. */
const keepAliveTimeout = 60_000;

let nextTunnel = 1;

/** Starts the proxy on a free port of the loopback interface. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { from, authority } = options;
  const tunnels = new WeakMap<object, Tunnel>();
  const sockets = new Set<Socket>();

  const inner = new Server({ keepAliveTimeout, requestTimeout: 0 }, (req, res) => {
    const tunnel = tunnels.get(req.socket);
    if (tunnel) options.onRequest(tunnel, req, res);
    else res.destroy();
  });
  inner.on("clientError", (_error, socket) => socket.destroy());

  const proxy = createServer({ keepAliveTimeout, requestTimeout: 0 }, (req, res) => {
    const url = URL.canParse(req.url ?? "") ? new URL(req.url ?? "") : undefined;
    const host = url?.host ?? "";
    req.url = url ? url.pathname + url.search : (req.url ?? "/");
    options.onPlainRequest({ from, host, trustedService: false, ...connectionOf(req.socket) }, req, res);
  });
  proxy.on("clientError", (_error, socket) => socket.destroy());
  proxy.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined); // the client closed it
  });
  proxy.on("connect", (req, duplex, head) => {
    openTunnel(req, duplex as Socket, head).catch(() => duplex.destroy());
  });

  async function openTunnel(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { name, host } = parseConnectTarget(req.url ?? "");
    const trustedService = req.headers[trustedServiceHeader] !== undefined;
    const tunnel: Tunnel = { id: nextTunnel++, from, host, trustedService, ...connectionOf(socket) };
    const decision = await options.onConnect(tunnel);
    if (decision === "handled" || socket.destroyed) return;
    if (decision !== "open") {
      const status = `${decision} ${STATUS_CODES[decision] ?? ""}`;
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const secureContext = await authority.contextFor(name);
    socket.setNoDelay(true);
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    // HTTP/1.1 only: every client supports it, and one protocol keeps the logs of clients comparable.
    const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ["http/1.1"] });
    secure.on("error", () => socket.destroy());
    tunnels.set(secure, tunnel);
    inner.emit("connection", secure);
  }

  await new Promise<void>((resolve, reject) => {
    proxy.once("error", reject);
    proxy.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (proxy.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => proxy.close(resolve));
      inner.close();
      // The servers do not track tunnelled sockets, which would keep the process alive.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function parseConnectTarget(url: string): { name: string; host: string } {
  const colon = url.lastIndexOf(":");
  const name = url
    .slice(0, colon)
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  const port = url.slice(colon + 1);
  return { name, host: port === "443" ? name : `${name}:${port}` };
}

function connectionOf(socket: Socket): Connection {
  return { reset: () => socket.resetAndDestroy(), close: () => socket.destroy() };
}
