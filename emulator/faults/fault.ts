/** The faults that the control API accepts, and their validation. */
import type { Origin } from "../request-log";

/** What a fault does to an import operation, when it matches the request that starts the import. */
export interface ImportFault {
  /** The operation stays pending: for ever, or for so many milliseconds. */
  readonly stayPending?: true | number;
  /** The operation fails with this message (or code and message) instead of copying. */
  readonly failWith?: string | { readonly code: string; readonly message: string };
  /** The source tag gets a new image after the importer has resolved it and before it sets the target tag. */
  readonly moveTag?: true;
}

/** Something that goes wrong. Selectors that are absent match everything; a tunnel needs `method: "CONNECT"`. */
export interface Fault {
  /** Host name; `*` stands for any characters. Each name of Docker Hub's registry stands for all of them. */
  readonly host?: string;
  readonly method?: string;
  /** Regular expression, tested against path and query. */
  readonly path?: string;
  readonly from?: Origin;
  /** Leaves so many matching requests alone first. @default 0 */
  readonly after?: number;
  /** Applies to so many requests. @default no limit */
  readonly times?: number;

  /** Milliseconds to wait before anything else. */
  readonly latency?: number;
  /** Responds with this status instead of the service. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
  /** Breaks the connection with a TCP reset. */
  readonly reset?: true;
  /** Never responds. */
  readonly hang?: true;
  /** The service does its work, then the connection breaks instead of the response. */
  readonly loseResponse?: true;
  /** Headers to set in the service's response (e.g. a wrong `Docker-Content-Digest`). */
  readonly setHeaders?: Readonly<Record<string, string | readonly string[]>>;
  /** Headers to remove from the service's response (e.g. `Location`). */
  readonly dropHeaders?: readonly string[];
  /** Breaks the connection after so many bytes of the body. */
  readonly truncateBody?: number;
  /** Treats the bearer token of the request as expired. */
  readonly expireToken?: true;
  readonly import?: ImportFault;
}

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

/** Parses one fault or a list of them. A misspelt member is an error: otherwise the fault would silently never apply. */
export function parseFaults(json: unknown): Fault[] {
  const list: unknown[] = Array.isArray(json) ? json : [json];
  return list.map((fault, index) => {
    if (!isObject(fault)) throw new TypeError(`faults[${index}] must be an object`);
    for (const [key, value] of Object.entries(fault)) {
      const check = Object.hasOwn(checks, key) ? checks[key as keyof Fault] : undefined;
      if (!check)
        throw new TypeError(`faults[${index}].${key} is unknown; expected one of ${Object.keys(checks).join(", ")}`);
      if (!check(value)) throw new TypeError(`faults[${index}].${key} has an invalid value: ${JSON.stringify(value)}`);
    }
    const isTunnel = fault.method === "CONNECT";
    const possible = isTunnel ? tunnelEffects : effects;
    if (!possible.some((effect) => fault[effect] !== undefined))
      throw new TypeError(
        `faults[${index}] has no effect${isTunnel ? " on a tunnel" : ""}; expected one of ${possible.join(", ")}`,
      );
    return fault as Fault;
  });
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
