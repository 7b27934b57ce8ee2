import type { IncomingMessage, ServerResponse } from "node:http";
import { hostAliases } from "./image-reference";

/** Which side of the firewall a request comes from: the user's machine, or the importer inside Azure. */
export type Origin = "client" | "azure";

/** One request that reached the box. It never holds a credential: names of form fields, not their values. */
export interface LogEntry {
  readonly id: number;
  /** When the request arrived, milliseconds since 1970. */
  readonly at: number;
  readonly from: Origin;
  readonly host: string;
  readonly method: string;
  /** Path and query; query values that are secrets are replaced by `…`. */
  readonly path: string;
  /** Absent while the request is being answered, and for ever when the answer was lost. */
  status?: number;
  /** Size of the body received. */
  requestBytes: number;
  /** Size of the body sent. */
  responseBytes: number;
  ms?: number;
  readonly userAgent?: string;
  readonly credential: "none" | "basic" | "bearer";
  formKeys?: string[];
  /** The CONNECT tunnel that carried the request. */
  readonly tunnel?: number;
  /** The host is no part of the box. */
  readonly refused?: true;
  /** Identifiers of the faults that struck. */
  faults?: number[];
  /** The emulator itself failed here: a bug. */
  error?: string;
}

const secretQueryKeys = new Set([
  "c",
  "s",
  "h",
  "sig",
  "code",
  "access_token",
  "refresh_token",
  "password",
  "assertion",
]);
const maximumFormBytes = 64 * 1024;

/** The list of requests, oldest first. */
export class RequestLog {
  #entries: LogEntry[] = [];
  #next = 1;

  /** Notes a request for a host that is no part of the box. */
  recordRefusal(from: Origin, host: string, method: string, path = ""): void {
    this.#entries.push({
      id: this.#next++,
      at: Date.now(),
      from,
      host,
      method,
      path: maskQuery(path),
      status: 403,
      requestBytes: 0,
      responseBytes: 0,
      ms: 0,
      credential: "none",
      refused: true,
    });
  }

  /** Notes a request now, and what became of it when its answer is over. */
  record(from: Origin, host: string, tunnel: number | undefined, req: IncomingMessage, res: ServerResponse): LogEntry {
    const started = performance.now();
    const { authorization, "user-agent": userAgent } = req.headers;
    const entry: LogEntry = {
      id: this.#next++,
      at: Date.now(),
      from,
      host,
      method: req.method ?? "GET",
      path: maskQuery(req.url ?? "/"),
      requestBytes: 0,
      responseBytes: 0,
      credential: credentialKind(authorization),
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(tunnel === undefined ? {} : { tunnel }),
    };
    this.#entries.push(entry);
    measureRequest(req, entry);
    measureResponse(res, entry);
    res.once("finish", () => {
      entry.status = res.statusCode;
    });
    res.once("close", () => {
      if (res.headersSent) entry.status = res.statusCode;
      entry.ms = Math.round((performance.now() - started) * 100) / 100;
    });
    return entry;
  }

  /** Entries that meet all conditions. */
  select(wanted: URLSearchParams): LogEntry[] {
    const conditions = [...wanted];
    return this.#entries.filter((entry) => conditions.every(([key, value]) => matchesFilter(entry, key, value)));
  }

  clear(): void {
    this.#entries = [];
  }
}

/** Fields equal the wanted value; `path` may hold it, `host` be another name of the same host. */
function matchesFilter(entry: LogEntry, key: string, wanted: string): boolean {
  if (key === "path") return entry.path.includes(wanted);
  if (key === "host") return hostAliases(entry.host).includes(wanted.toLowerCase());
  return String(entry[key as keyof LogEntry] ?? "") === wanted;
}

function credentialKind(authorization: string | undefined): LogEntry["credential"] {
  if (authorization === undefined) return "none";
  return /^basic /i.test(authorization) ? "basic" : "bearer";
}

/** Query values of {@link secretQueryKeys} hidden; the rest stays as the client wrote it. */
export function maskQuery(path: string): string {
  const start = path.indexOf("?");
  if (start < 0) return path;
  const pairs = path.slice(start + 1).split("&");
  const masked = pairs.map((pair) => {
    const key = pair.slice(0, pair.indexOf("="));
    return secretQueryKeys.has(key) ? `${key}=…` : pair;
  });
  return `${path.slice(0, start)}?${masked.join("&")}`;
}

/** Counts body bytes without starting the stream, so that the handler still reads it at its own pace. */
function measureRequest(req: IncomingMessage, entry: LogEntry): void {
  const isForm = req.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ?? false;
  const form: Buffer[] = [];
  const push = req.push;
  req.push = (chunk: Buffer | null, ...rest: []) => {
    if (chunk) {
      entry.requestBytes += chunk.length;
      if (isForm && entry.requestBytes <= maximumFormBytes) form.push(chunk);
    } else if (isForm) {
      entry.formKeys = [...new URLSearchParams(Buffer.concat(form).toString()).keys()];
    }
    return push.call(req, chunk, ...rest);
  };
}

function measureResponse(res: ServerResponse, entry: LogEntry): void {
  const count = (chunk: unknown) => {
    if (typeof chunk === "string") entry.responseBytes += Buffer.byteLength(chunk);
    else if (chunk instanceof Uint8Array) entry.responseBytes += chunk.byteLength;
  };
  const { write, end } = res;
  res.write = ((...args: Parameters<typeof write>) => {
    count(args[0]);
    return write.apply(res, args);
  }) as typeof write;
  res.end = ((...args: Parameters<typeof end>) => {
    count(args[0]);
    return end.apply(res, args);
  }) as typeof end;
}
