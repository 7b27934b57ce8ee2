/** Forwards the requests to a public host name to an HTTP server on this machine. */
import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";

const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "upgrade"]);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Returns a handler that forwards every request to `base`. */
export function reverseProxy(base: URL) {
  return (req: IncomingMessage, res: ServerResponse): void => {
    const forwarded = request({
      agent,
      host: base.hostname,
      port: base.port || 80,
      method: req.method,
      path: req.url,
      // Host and scheme stay those of the public name, so that the server's URLs lead back through the emulator.
      headers: [...endToEndHeaders(req.rawHeaders), "X-Forwarded-Proto", "https"],
    });
    forwarded.on("response", (response) => {
      // From the raw headers: two WWW-Authenticate lines must stay two.
      const headers = new Map<string, string[]>();
      const raw = endToEndHeaders(response.rawHeaders);
      for (let index = 0; index < raw.length; index += 2) {
        const name = raw[index] ?? "";
        headers.set(name, [...(headers.get(name) ?? []), raw[index + 1] ?? ""]);
      }
      for (const [name, values] of headers) res.setHeader(name, values.length === 1 ? (values[0] ?? "") : values);
      res.writeHead(response.statusCode ?? 502);
      response.pipe(res);
      response.on("error", () => res.destroy());
    });
    forwarded.on("error", () => {
      if (res.headersSent) res.destroy();
      else res.writeHead(502, { "content-length": 0 }).end();
    });
    res.on("close", () => forwarded.destroy());
    req.pipe(forwarded);
  };
}

/** Closes the idle connections to mapped servers. */
export function closeUpstreamConnections(): void {
  agent.destroy();
}

function endToEndHeaders(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
}
