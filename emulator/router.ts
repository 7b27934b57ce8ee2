/** What happens to every request whatever its host: it is logged, faults apply, then the host's handler responds. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { managedIdentityHost } from "./entra/managed-identity";
import type { TokenService } from "./entra/token-service";
import { applyFaults } from "./faults/apply-faults";
import type { Faults } from "./faults/faults";
import type { HostHandler } from "./hosts";
import type { ProxyOptions, Tunnel } from "./proxy";
import { bearerToken, type Handler } from "./registry/http";
import type { RequestLog } from "./request-log";

export interface RouterOptions {
  readonly log: RequestLog;
  readonly faults: Faults;
  readonly tokens: TokenService;
  /** The instance metadata service, the only one that clients reach over plain HTTP. */
  readonly managedIdentity: Handler;
  /** The handler of a host; undefined for a host that the emulator does not serve. */
  findHost(host: string): HostHandler | undefined;
}

type Router = Pick<ProxyOptions, "onConnect" | "onRequest" | "onPlainRequest">;

/** Creates the callbacks of the proxy. */
export function createRouter({ log, faults, tokens, managedIdentity, findHost }: RouterOptions): Router {
  async function onConnect(tunnel: Tunnel): Promise<"open" | "handled" | number> {
    const { host, from } = tunnel;
    const [fault] = faults.match({ host, from, method: "CONNECT", path: "" });
    if (fault?.latency) await new Promise((resolve) => setTimeout(resolve, fault.latency));
    if (fault?.hang) return "handled";
    if (fault?.reset) {
      tunnel.reset();
      return "handled";
    }
    if (fault?.status) return fault.status;
    if (findHost(host)) return "open";
    log.recordRefusal(from, host, "CONNECT");
    return 403;
  }

  async function onRequest(tunnel: Tunnel, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { from, host, id } = tunnel;
    const entry = log.record(from, host, id, req, res);
    try {
      const matched = faults.match({ host, from, method: entry.method, path: req.url ?? "/" });
      const outcome = await applyFaults(matched, req, res, entry, tunnel);
      if (outcome.isHandled) return;
      if (outcome.expireToken) expireToken(req, tokens);
      const handle = findHost(host);
      if (handle) await handle({ tunnel, req, res, importFault: outcome.importFault });
      else res.writeHead(404, { "content-length": 0 }).end();
    } catch (error) {
      entry.error = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`emulator: ${entry.method} https://${host}${entry.path}: ${entry.error}\n`);
      if (res.headersSent) res.destroy();
      else res.writeHead(500, { "content-length": 0 }).end();
    }
  }

  function onPlainRequest({ from, host }: Tunnel, req: IncomingMessage, res: ServerResponse): void {
    if (host === managedIdentityHost) {
      log.record(from, host, undefined, req, res);
      void managedIdentity(req, res);
    } else {
      log.recordRefusal(from, host, req.method ?? "GET", req.url);
      req.resume();
      res.writeHead(403, { "content-length": 0 }).end();
    }
  }

  return { onConnect, onRequest: (tunnel, req, res) => void onRequest(tunnel, req, res), onPlainRequest };
}

/** Marks an Entra token as expired; any other token is replaced by one that no service issued. */
function expireToken(req: IncomingMessage, tokens: TokenService): void {
  const token = bearerToken(req);
  if (token !== undefined && !tokens.expire(token)) req.headers.authorization = "Bearer expired";
}
