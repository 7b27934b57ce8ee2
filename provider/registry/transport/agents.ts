/** The connections to all hosts: kept alive, bounded, directly or through an HTTP proxy. */
import https from "node:https";
import { limitConnectTime } from "./connect-timeout";
import { findProxy } from "./proxy";
import { TunnelAgent } from "./tunnel-agent";

/** Requests in flight, and so connections, to one host. */
export const CONNECTIONS_PER_HOST = 32;

const OPTIONS: https.AgentOptions = { keepAlive: true, maxFreeSockets: CONNECTIONS_PER_HOST };

/** The agent for a URL. Its idle connections do not keep the process alive. */
export function agentFor(url: URL): https.Agent {
  const proxy = findProxy(url);
  if (proxy === undefined) return direct;
  const agent = tunnels.get(proxy) ?? new TunnelAgent(proxy, OPTIONS);
  tunnels.set(proxy, agent);
  return agent;
}

class DirectAgent extends https.Agent {
  override createConnection(...[options, done]: Parameters<https.Agent["createConnection"]>) {
    const socket = super.createConnection(options, done);
    return socket && limitConnectTime(socket, "secureConnect");
  }
}

const direct = new DirectAgent(OPTIONS);
const tunnels = new Map<string, TunnelAgent>();
