import https from "node:https";
import type { PipelinePolicy, PipelineRequest } from "@azure/core-rest-pipeline";
import { getProxyForUrl } from "proxy-from-env";
import type { Tunnel } from "./tunnel";

/** Requests in flight, and so connections, per host. */
const PER_HOST = 16;
/** A host that takes no connection for so long is closed to us: a firewall, or a private endpoint seen from outside. */
const CONNECT_MS = 10_000;

const tunnels = new Map<string, Tunnel>();
const queues = new Map<string, Queue>();

/**
 * Gives a request a connection that outlives it, also behind a proxy (`HTTPS_PROXY`, `NO_PROXY`), and lets at most 16
 * requests to a host run at a time. It must stand behind the retry policy, so that a request that waits holds nothing up.
 *
 * The Azure SDK's own proxy policy opens one tunnel and one TLS session for every request.
 */
export const connectionPolicy: PipelinePolicy = {
  name: "connectionPolicy",
  async sendRequest(request, next) {
    const { host, hostname } = new URL(request.url);
    request.agent = agentFor(request.url);
    // the client passes the brackets of an IPv6 address on to the resolver, which knows no such name
    if (hostname.startsWith("["))
      request.requestOverrides = { ...request.requestOverrides, hostname: hostname.slice(1, -1) };
    const queue = queues.get(host) ?? new Queue();
    queues.set(host, queue);
    await queue.enter();
    try {
      return await next(request);
    } finally {
      queue.leave();
    }
  },
};

/** The agent for a URL: connections are kept alive, through the proxy that the environment names for it or directly. */
export function agentFor(url: string): NonNullable<PipelineRequest["agent"]> {
  const proxy = proxyFor(url);
  if (proxy === "") return direct;
  const tunnel = tunnels.get(proxy) ?? newTunnel(proxy);
  tunnels.set(proxy, tunnel);
  return tunnel;
}

/** Loaded only where there is a proxy. */
function newTunnel(proxy: string): Tunnel {
  const { Tunnel } = require("./tunnel") as typeof import("./tunnel");
  return new Tunnel(proxy, { keepAlive: true, maxSockets: PER_HOST });
}

/** Without a scheme, a proxy is a plain HTTP one, as curl and Go read it; the library gives it the scheme of the URL. */
function proxyFor(url: string): string {
  const proxy = getProxyForUrl(url);
  const written = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].map((name) => process.env[name]);
  return written.includes(proxy) ? proxy : proxy.replace(/^https:/, "http:");
}

class Direct extends https.Agent {
  override createConnection(...[options, done]: Parameters<https.Agent["createConnection"]>) {
    const socket = super.createConnection(options, done);
    const giveUp = () => socket?.destroy(Object.assign(new Error("no connection"), { code: "ETIMEDOUT" }));
    const timer = setTimeout(giveUp, CONNECT_MS);
    const settled = () => clearTimeout(timer);
    socket?.once("secureConnect", settled).once("close", settled);
    return socket;
  }
}

// Not left to the agents alone: one that makes its sockets asynchronously, as Tunnel does, forgets the requests that
// wait for a socket when a connection fails.
class Queue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async enter(): Promise<void> {
    if (this.#running < PER_HOST) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}

const direct = new Direct({ keepAlive: true, maxSockets: PER_HOST });
