/** The log of requests, which tests and benchmarks read. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostAliases } from "./image-reference";

/** Where a request comes from: the user's machine, or the importer inside Azure. */
export type Origin = "client" | "azure";

/** One request. It never contains a credential: names of form fields, not their values. */
export interface LogEntry {
  readonly id: number;
  /** When the request arrived, milliseconds since 1970. */
  readonly at: number;
  readonly from: Origin;
  readonly host: string;
  readonly method: string;
  /** Path and query; query values that are secrets are replaced by `…`. */
  readonly path: string;
  /** Absent until the response is sent, and for ever if it was lost. */
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
  /** The emulator does not serve the host. */
  readonly refused?: true;
  /** IDs of the faults that matched. */
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

/** The requests, oldest first. */
export class RequestLog {
  #entries: LogEntry[] = [];
  #next = 1;

  /** Records a request to a host that the emulator does not serve. */
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

  /** Records a request now, and its outcome when the response ends. */
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
    // Node.js drops the body of a response to HEAD, which handlers pass all the same.
    if (req.method !== "HEAD") measureResponse(res, entry);
    res.once("finish", () => {
      entry.status = res.statusCode;
    });
    res.once("close", () => {
      if (res.headersSent) entry.status = res.statusCode;
      entry.ms = Math.round((performance.now() - started) * 100) / 100;
    });
    return entry;
  }

  /** The entries that match every parameter; see the README for the filters. */
  select(filter: URLSearchParams): LogEntry[] {
    const conditions = [...filter];
    return this.#entries.filter((entry) => conditions.every(([key, value]) => matchesFilter(entry, key, value)));
  }

  clear(): void {
    this.#entries = [];
  }
}

/** A field must equal the value, but `path` may contain it, and `host` may be an alias. */
function matchesFilter(entry: LogEntry, key: string, value: string): boolean {
  if (key === "path") return entry.path.includes(value);
  if (key === "host") return hostAliases(entry.host).includes(value.toLowerCase());
  return String(entry[key as keyof LogEntry] ?? "") === value;
}

function credentialKind(authorization: string | undefined): LogEntry["credential"] {
  if (authorization === undefined) return "none";
  return /^basic /i.test(authorization) ? "basic" : "bearer";
}

/** Masks the values of {@link secretQueryKeys}; the rest stays as the client sent it. */
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

/** Counts body bytes without consuming the stream, so that the handler reads it at its own pace. */
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
