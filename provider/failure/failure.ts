/** A failure as data, the error that carries it, and the text that a user reads. */

/** The side of an import on which something failed. */
export type Side = "source" | "target";

/** The stable code of a failure, as listed in docs/errors.md. */
export type Code =
  | "INVALID_ARGUMENT"
  | `${Uppercase<Side>}_${RegistryProblem}`
  | "SOURCE_UNRESOLVED"
  | "SOURCE_MOVED"
  | "SOURCE_PLATFORM_NOT_FOUND"
  | "SOURCE_TOO_MANY_MANIFESTS"
  | "SOURCE_TOO_MANY_REFERRERS"
  | "SOURCE_TOO_MANY_TAGS"
  | "SOURCE_RANGE_UNSUPPORTED"
  | "SOURCE_EXPORT_FORBIDDEN"
  | "SIGNATURE_MISSING"
  | "SIGNATURE_REJECTED"
  | "SIGNATURE_UNREADABLE"
  | "TARGET_CONFLICT"
  | "TARGET_DECLARED_TWICE"
  | "TARGET_UNREADABLE"
  | "TARGET_NOT_VERIFIED"
  | "TARGET_LOCKED"
  | "TARGET_QUOTA_EXCEEDED"
  | "AZURE_CONFIGURATION_INVALID"
  | "AZURE_CREDENTIAL_MISSING"
  | "AZURE_CREDENTIAL_REJECTED"
  | "AZURE_PERMISSION_DENIED"
  | "AZURE_THROTTLED"
  | "AZURE_UNAVAILABLE"
  | "REGISTRY_NOT_FOUND"
  | "REGISTRY_AMBIGUOUS"
  | "REGISTRY_SKU_UNSUPPORTED"
  | "SELECTION_EMPTY"
  | "SELECTION_SHRUNK"
  | "IMPORT_FAILED"
  | "IMPORT_INCOMPLETE"
  | "IMPORT_TIMED_OUT";

/** What can go wrong between a client and a registry, on either side. */
export type RegistryProblem =
  | "NOT_FOUND"
  | "QUARANTINED"
  | "CREDENTIALS_REJECTED"
  | "ACCESS_DENIED"
  | "NETWORK_BLOCKED"
  | "TOKEN_SERVER_UNTRUSTED"
  | "THROTTLED"
  | "UNREACHABLE"
  | "UNAVAILABLE"
  | "INVALID_RESPONSE";

/** A failure as plain data: it travels as JSON from the program to the plugin process, inside the inputs. */
export interface Failure {
  readonly code: Code;
  /** The argument that asks for what failed, where the object does not tell. */
  readonly argument?: string;
  /** Missing for an argument, whose path is the object. */
  readonly side?: Side | "Azure";
  /** What the failure is about, the subject of `reason`: an image, a registry, an identity, a setting, an argument. */
  readonly object: string;
  /** A predicate: "was not found", "must not be empty". */
  readonly reason: string;
  /** What the run continues with nevertheless, which makes the failure a warning. */
  readonly fallback?: string;
  /** What to do next, one way out each: imperative sentences, without a full stop at the end. */
  readonly hints?: readonly string[];
  /** The server's own message and its correlation ID, for a support request. Never a secret. */
  readonly detail?: string;
}

/** A {@link Failure} as an error. Compare `code` instead of using `instanceof`, which two copies of the package break. */
export class ImportError extends Error {
  override readonly name = "ImportError";
  readonly code: Code;

  constructor(readonly failure: Failure) {
    super(formatFailure(failure));
    this.code = failure.code;
  }
}

/**
 * The text that a user reads: `side: object reason [CODE]`, with the argument that asks for it before the side, or
 * `argument: reason [CODE]`; then hints and detail.
 */
export function formatFailure({ code, argument, side, object, reason, fallback, hints = [], detail }: Failure): string {
  const subject = [argument, side, object].filter((part) => part !== undefined).join(": ");
  const continuation = fallback === undefined ? "" : `; continuing with ${fallback}`;
  return [
    `${subject}${side === undefined ? ":" : ""} ${reason}${continuation} [${code}]`,
    ...hints.map((hint) => `  Hint: ${hint}`),
    ...(detail ? [`  Detail: ${detail}`] : []),
  ].join("\n");
}

/** The failure that an error carries, or `undefined` for any other error. */
export function failureOf(error: unknown): Failure | undefined {
  return error instanceof Error && error.name === "ImportError" ? (error as ImportError).failure : undefined;
}

/** Whether the service gave no usable response at all, as opposed to a negative one. */
export function isUnavailable({ code }: Failure): boolean {
  return /_(UNREACHABLE|UNAVAILABLE|THROTTLED)$/.test(code);
}

/** Whether the registry cannot be read from this machine (private endpoint, firewall), so that a retry does not help. */
export function isClosed({ code }: Failure): boolean {
  return /_(UNREACHABLE|NETWORK_BLOCKED)$/.test(code);
}

/** The `detail` of a failure, left out where the server gave none. */
export function withDetail(detail: string | undefined): { readonly detail?: string } {
  return detail ? { detail } : {};
}
