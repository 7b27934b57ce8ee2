/** Applies faults to a request and to its response. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { LogEntry } from "../request-log";
import type { Fault, ImportFault } from "./fault";
import type { ActiveFault } from "./faults";

/** The connection that carries a request. */
export interface Connection {
  /** Resets the TCP connection: data in flight is lost. */
  reset(): void;
  /** Closes the connection: data sent so far arrives. */
  close(): void;
}

/** What remains for the service to do. */
export interface FaultOutcome {
  /** A fault has responded, or never will: the service must not. */
  readonly isHandled: boolean;
  readonly expireToken: boolean;
  readonly importFault: ImportFault | undefined;
}

const noFault: FaultOutcome = { isHandled: false, expireToken: false, importFault: undefined };

/** Applies the faults that matched: delays, responds instead of the service, or changes its response. */
export async function applyFaults(
  faults: readonly ActiveFault[],
  req: IncomingMessage,
  res: ServerResponse,
  entry: LogEntry,
  connection: Connection,
): Promise<FaultOutcome> {
  if (faults.length === 0) return noFault;
  entry.faults = faults.map((fault) => fault.id);
  const latency = faults.reduce((sum, fault) => sum + (fault.latency ?? 0), 0);
  if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency));
  const handled = { ...noFault, isHandled: true };
  if (faults.some((fault) => fault.hang)) return handled;
  if (faults.some((fault) => fault.reset)) {
    connection.reset();
    return handled;
  }
  const instead = faults.find((fault) => fault.status !== undefined);
  if (instead?.status !== undefined) {
    req.resume();
    sendInstead(instead, instead.status, req, res);
    return handled;
  }
  changeResponse(faults, res, connection);
  return {
    isHandled: false,
    expireToken: faults.some((fault) => fault.expireToken),
    importFault: faults.find((fault) => fault.import)?.import,
  };
}

function sendInstead(fault: Fault, status: number, req: IncomingMessage, res: ServerResponse): void {
  const isText = typeof fault.body === "string";
  const body = fault.body === undefined ? "" : isText ? String(fault.body) : JSON.stringify(fault.body);
  if (body !== "") res.setHeader("content-type", isText ? "text/plain" : "application/json");
  res.setHeader("content-length", Buffer.byteLength(body));
  for (const [name, value] of Object.entries(fault.headers ?? {})) res.setHeader(name, value);
  res.writeHead(status).end(req.method === "HEAD" ? undefined : body);
}

function changeResponse(faults: readonly Fault[], res: ServerResponse, connection: Connection): void {
  const set = faults.flatMap((fault) => Object.entries(fault.setHeaders ?? {}));
  const drop = faults.flatMap((fault) => fault.dropHeaders ?? []);
  if (set.length > 0 || drop.length > 0) changeHeaders(res, set, drop);
  if (faults.some((fault) => fault.loseResponse)) {
    res.writeHead = (() => res) as typeof res.writeHead;
    res.flushHeaders = () => undefined;
    res.write = (() => true) as typeof res.write;
    res.end = (() => {
      connection.reset();
      return res;
    }) as typeof res.end;
  }
  const limit = faults.find((fault) => fault.truncateBody !== undefined)?.truncateBody;
  if (limit !== undefined) truncateBody(res, limit, connection);
}

function changeHeaders(
  res: ServerResponse,
  set: readonly (readonly [string, string | readonly string[]])[],
  drop: readonly string[],
): void {
  const writeHead = res.writeHead;
  res.writeHead = ((status: number, ...rest: unknown[]) => {
    const headers = rest.find((value) => typeof value === "object" && value !== null) ?? {};
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    for (const name of drop) res.removeHeader(name);
    for (const [name, value] of set) res.setHeader(name, value);
    return writeHead.call(res, status);
  }) as typeof writeHead;
}

function truncateBody(res: ServerResponse, limit: number, connection: Connection): void {
  const write = res.write.bind(res) as (bytes: Uint8Array, sent: () => void) => boolean;
  const end = res.end.bind(res) as () => void;
  let left = limit;
  const send = (chunk: unknown) => {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk instanceof Uint8Array ? chunk : undefined;
    if (!bytes) return;
    const part = bytes.subarray(0, left);
    left -= part.length;
    if (part.length > 0) write(part, () => left === 0 && connection.close());
  };
  res.write = ((chunk: unknown) => {
    send(chunk);
    return true;
  }) as typeof res.write;
  res.end = ((chunk: unknown) => {
    const whole = typeof chunk === "string" || chunk instanceof Uint8Array ? Buffer.byteLength(chunk) : 0;
    // Content-Length is that of the whole body, so that the client can notice the truncation.
    if (!res.headersSent && !res.hasHeader("content-length")) res.setHeader("content-length", whole);
    send(chunk);
    if (left > 0) end();
    else if (limit === 0) {
      res.flushHeaders();
      setImmediate(() => connection.close());
    }
    return res;
  }) as typeof res.end;
}
