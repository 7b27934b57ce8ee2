import type { IncomingMessage, ServerResponse } from "node:http";
import { namesOf } from "./image-references";
import type { LogEntry, Origin } from "./request-log";

/** What a fault does to an import operation, when it strikes the request that starts one. */
export interface ImportFault {
  /** The operation stays pending: for ever, or for so many milliseconds. */
  readonly stayPending?: true | number;
  /** The operation fails with this text (or code and text) instead of copying. */
  readonly failWith?: string | { readonly code: string; readonly message: string };
  /** The source tag gets a new image after the importer has resolved it and before it sets the target tag. */
  readonly moveTag?: true;
}

/** Something that goes wrong. Selectors that are absent match everything; a tunnel needs `method: "CONNECT"`. */
export interface Fault {
  /** Host name; `*` stands for any characters. Each name of Docker Hub's registry stands for all of them. */
  readonly host?: string;
  readonly method?: string;
  /** Regular expression, tried on path and query. */
  readonly path?: string;
  readonly from?: Origin;
  /** Spare so many matching requests first. */
  readonly after?: number;
  /** Strike so many times, then be gone. */
  readonly times?: number;

  /** Milliseconds to wait before anything else. */
  readonly latency?: number;
  /** Answer with this status instead of the service. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
  /** Break the connection with a TCP reset. */
  readonly reset?: true;
  /** Never answer. */
  readonly hang?: true;
  /** The work is done, then the connection breaks instead of the answer. */
  readonly loseResponse?: true;
  /** Headers put into the service's answer (e.g. a wrong `Docker-Content-Digest`). */
  readonly setHeaders?: Readonly<Record<string, string | readonly string[]>>;
  /** Headers taken out of the service's answer (e.g. `Location`). */
  readonly dropHeaders?: readonly string[];
  /** Break the connection after so many bytes of the body. */
  readonly truncateBody?: number;
  /** The bearer token of the request counts as expired. */
  readonly expireToken?: true;
  readonly import?: ImportFault;
}

type FaultState = Fault & { readonly id: number; seen: number; struck: number };

/** Sentences about what is wrong with a list of faults; a misspelt fault would never strike, silently. */
const checks: Record<keyof Fault, (value: unknown) => boolean> = {
  host: isString,
  method: isString,
  path: isPattern,
  from: (value) => value === "client" || value === "azure",
  after: isCount,
  times: isCount,
  latency: isCount,
  status: (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599,
  headers: isObject,
  body: () => true,
  reset: isTrue,
  hang: isTrue,
  loseResponse: isTrue,
  setHeaders: isObject,
  dropHeaders: (value) => Array.isArray(value) && value.every(isString),
  truncateBody: isCount,
  expireToken: isTrue,
  import: isImportFault,
};

const tunnelEffects = ["latency", "status", "reset", "hang"] as const;
const effects = [
  ...tunnelEffects,
  "loseResponse",
  "setHeaders",
  "dropHeaders",
  "truncateBody",
  "expireToken",
  "import",
] as const;

/** Reads a list of faults from JSON, or a single one. */
export function parseFaults(json: unknown): Fault[] {
  const list: unknown[] = Array.isArray(json) ? json : [json];
  return list.map((fault, index) => {
    if (!isObject(fault)) throw new TypeError(`faults[${index}] must be an object`);
    for (const [key, value] of Object.entries(fault)) {
      const check = Object.hasOwn(checks, key) ? checks[key as keyof Fault] : undefined;
      if (!check)
        throw new TypeError(`faults[${index}].${key} is unknown; there are ${Object.keys(checks).join(", ")}`);
      if (!check(value)) throw new TypeError(`faults[${index}].${key} has a wrong value: ${JSON.stringify(value)}`);
    }
    const isTunnel = fault.method === "CONNECT";
    const possible = isTunnel ? tunnelEffects : effects;
    if (!possible.some((effect) => fault[effect] !== undefined))
      throw new TypeError(
        `faults[${index}] has no effect${isTunnel ? " on a tunnel" : ""}; there are ${possible.join(", ")}`,
      );
    return fault as Fault;
  });
}

/** The faults that are switched on. */
export class Faults {
  #faults: FaultState[] = [];
  #next = 1;

  set(faults: readonly Fault[]): void {
    this.#faults = faults.map((fault) => ({ ...fault, id: this.#next++, seen: 0, struck: 0 }));
  }

  list(): readonly (Fault & { id: number; struck: number })[] {
    return this.#faults.map(({ seen, ...fault }) => fault);
  }

  /** The faults that strike this request; counting is done here. */
  strike(request: { host: string; method: string; path: string; from: Origin }): readonly FaultState[] {
    if (this.#faults.length === 0) return [];
    return this.#faults.filter((fault) => {
      if (!matches(fault, request)) return false;
      if (fault.struck >= (fault.times ?? Number.POSITIVE_INFINITY)) return false;
      if (fault.seen++ < (fault.after ?? 0)) return false;
      fault.struck++;
      return true;
    });
  }
}

function matches(fault: Fault, request: { host: string; method: string; path: string; from: Origin }): boolean {
  if (fault.from !== undefined && fault.from !== request.from) return false;
  if (fault.method === undefined ? request.method === "CONNECT" : fault.method !== request.method) return false;
  if (fault.host !== undefined) {
    const pattern = hostPattern(fault.host);
    if (!namesOf(request.host).some((name) => pattern.test(name))) return false;
  }
  return fault.path === undefined || new RegExp(fault.path).test(request.path);
}

function hostPattern(host: string): RegExp {
  const escaped = host.toLowerCase().replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*")}$`);
}

/** The connection that carries a request. */
export interface Breakable {
  /** TCP reset: what is under way is lost. */
  reset(): void;
  /** Plain end: what was sent arrives. */
  close(): void;
}

/** What the faults leave for the service to do. */
export interface Struck {
  /** The fault has answered (or never will): the service must not. */
  readonly answered: boolean;
  readonly expireToken: boolean;
  readonly import: ImportFault | undefined;
}

const unharmed: Struck = { answered: false, expireToken: false, import: undefined };

/** Lets the faults work on a request and on its answer. */
export async function applyFaults(
  faults: readonly FaultState[],
  req: IncomingMessage,
  res: ServerResponse,
  entry: LogEntry,
  connection: Breakable,
): Promise<Struck> {
  if (faults.length === 0) return unharmed;
  entry.faults = faults.map((fault) => fault.id);
  const latency = faults.reduce((sum, fault) => sum + (fault.latency ?? 0), 0);
  if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency));
  const answered = { ...unharmed, answered: true };
  if (faults.some((fault) => fault.hang)) return answered;
  if (faults.some((fault) => fault.reset)) {
    connection.reset();
    return answered;
  }
  const canned = faults.find((fault) => fault.status !== undefined);
  if (canned?.status !== undefined) {
    req.resume();
    answerInstead(canned, canned.status, req, res);
    return answered;
  }
  changeAnswer(faults, res, connection);
  return {
    answered: false,
    expireToken: faults.some((fault) => fault.expireToken),
    import: faults.find((fault) => fault.import)?.import,
  };
}

function answerInstead(fault: Fault, status: number, req: IncomingMessage, res: ServerResponse): void {
  const isText = typeof fault.body === "string";
  const body = fault.body === undefined ? "" : isText ? String(fault.body) : JSON.stringify(fault.body);
  if (body !== "") res.setHeader("content-type", isText ? "text/plain" : "application/json");
  res.setHeader("content-length", Buffer.byteLength(body));
  for (const [name, value] of Object.entries(fault.headers ?? {})) res.setHeader(name, value);
  res.writeHead(status).end(req.method === "HEAD" ? undefined : body);
}

function changeAnswer(faults: readonly Fault[], res: ServerResponse, connection: Breakable): void {
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
  if (limit !== undefined) truncate(res, limit, connection);
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

function truncate(res: ServerResponse, limit: number, connection: Breakable): void {
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
    // The length of the whole body is announced, so that the client can tell that some is missing.
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

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}

function isTrue(value: unknown): boolean {
  return value === true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isImportFault(value: unknown): boolean {
  const known = ["stayPending", "failWith", "moveTag"] satisfies (keyof ImportFault)[];
  const given = isObject(value) ? Object.keys(value) : [];
  return given.length > 0 && given.every((key) => known.some((name) => name === key));
}

function isPattern(value: unknown): boolean {
  try {
    return typeof value === "string" && new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}
