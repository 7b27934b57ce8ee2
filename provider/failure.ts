/**
 * Every failure that a user can meet: its stable code and its sentences.
 *
 * A failure says which side it concerns, which object, why, and what to do next. It is plain data, because it travels
 * from the program to the plugin process inside the inputs; {@link ImportError} carries it where something must be thrown.
 */

/** The side of a copy on which something failed. */
export type Side = "source" | "target";

/** The stable code of a failure, as the README lists it. */
export type Code =
  | "INVALID_ARGUMENT"
  | `${Uppercase<Side>}_${RegistryProblem}`
  | "SOURCE_TOO_MANY_MANIFESTS"
  | "SOURCE_RANGE_UNSUPPORTED"
  | "SOURCE_EXPORT_FORBIDDEN"
  | "TARGET_CONFLICT"
  | "TARGET_UNCOMPARABLE"
  | "TARGET_NOT_VERIFIED"
  | "TARGET_LOCKED"
  | "TARGET_QUOTA_EXCEEDED"
  | "AZURE_CREDENTIAL_MISSING"
  | "AZURE_CREDENTIAL_REJECTED"
  | "AZURE_PERMISSION_DENIED"
  | "AZURE_THROTTLED"
  | "AZURE_UNAVAILABLE"
  | "REGISTRY_NOT_FOUND"
  | "REGISTRY_AMBIGUOUS"
  | "REGISTRY_UNMANAGED"
  | "IMPORT_FAILED"
  | "IMPORT_TIMED_OUT";

/** What can go wrong while talking to a registry, on either side. */
export type RegistryProblem =
  | "NOT_FOUND"
  | "CREDENTIALS_REJECTED"
  | "ACCESS_DENIED"
  | "NETWORK_CLOSED"
  | "REALM_REFUSED"
  | "THROTTLED"
  | "UNREACHABLE"
  | "UNAVAILABLE"
  | "INVALID_ANSWER";

/** A failure as data. */
export interface Failure {
  /** Stable code, see the README. */
  readonly code: Code;
  /** One line: the argument or side, the object, the reason. */
  readonly summary: string;
  /** What to do next; left out where the summary says it already. */
  readonly remedy?: string;
  /** What the service said, correlation IDs: for a support request. Never a secret. */
  readonly detail?: string;
}

/** A {@link Failure} on its way up. Tell failures apart by `code`, never by `instanceof`: two copies of a package break it. */
export class ImportError extends Error {
  override readonly name = "ImportError";
  readonly code: Code;

  constructor(readonly failure: Failure) {
    super(sentence(failure));
    this.code = failure.code;
  }
}

/** The text a user reads: one line first, remedy and detail after. */
export function sentence({ code, summary, remedy, detail }: Failure): string {
  return [
    `${summary} [${code}]`,
    ...(remedy ? [`  What to do: ${remedy}`] : []),
    ...(detail ? [`  Detail: ${detail}`] : []),
  ].join("\n");
}

/** The failure that an unknown error stands for, or `undefined` when it is not one of ours. */
export function failureOf(error: unknown): Failure | undefined {
  return error instanceof Error && error.name === "ImportError" ? (error as ImportError).failure : undefined;
}

/** Whether the side could not be asked at all, as opposed to having given an answer that is no. */
export function isUnavailable(failure: Failure): boolean {
  return /_(UNREACHABLE|UNAVAILABLE|THROTTLED)$/.test(failure.code);
}

/**
 * Whether the registry cannot be read from this machine at all (private endpoint, firewall), so that trying again will
 * not help and other evidence has to do.
 */
export function isClosed(failure: Failure): boolean {
  return /_(UNREACHABLE|NETWORK_CLOSED)$/.test(failure.code);
}

/** Words for a registry's failures: shared by both sides, since both speak the same protocol. */
export const registryFailure = {
  notFound: (side: Side, reference: string): Failure => ({
    code: code(side, "NOT_FOUND"),
    summary: `${side}: ${reference} does not exist in its registry`,
    remedy: "check repository and tag; a private repository also answers this way to someone without access",
  }),
  credentialsRejected: (side: Side, host: string, said?: string): Failure => ({
    code: code(side, "CREDENTIALS_REJECTED"),
    summary: `${side}: ${host} rejected the credentials`,
    remedy:
      side === "source"
        ? "check source.credentials: user name, and that the password or token is valid and not expired"
        : "check the Azure identity of this run, and that it belongs to the registry's tenant",
    ...detail(said),
  }),
  accessDenied: (side: Side, reference: string, who: string, said?: string): Failure => ({
    code: code(side, "ACCESS_DENIED"),
    summary: `${side}: ${reference} may not be read by ${who}`,
    remedy:
      side === "source"
        ? "pass source.credentials that may pull this repository; for an Azure registry grant AcrPull (or Container Registry Repository Reader) to the identity instead"
        : "grant the identity the role Container Registry Data Importer and Data Reader on the target registry (to untag or delete also AcrDelete)",
    ...detail(said),
  }),
  networkClosed: (side: Side, host: string, said?: string): Failure => ({
    code: code(side, "NETWORK_CLOSED"),
    summary: `${side}: the firewall of ${host} refuses this client`,
    remedy:
      side === "source"
        ? 'name the image by digest (repo@sha256:…), or set source.digestFrom: "target", or run where the registry can be reached'
        : "run where the registry can be reached, or allow this client in the registry's network rules",
    ...detail(said),
  }),
  realmRefused: (side: Side, host: string, realm: string): Failure => ({
    code: code(side, "REALM_REFUSED"),
    summary: `${side}: ${host} asks for the credentials to be sent to ${realm}, which is not its own`,
    remedy: "nothing was sent; check that the registry's name is spelled right, and ask its owner about this token realm",
  }),
  throttled: (side: Side, host: string, seconds: number | undefined): Failure => ({
    code: code(side, "THROTTLED"),
    summary: `${side}: ${host} answers 429 Too Many Requests${seconds === undefined ? "" : `, try again in ${seconds} s`}`,
    remedy:
      side === "source"
        ? 'try again later; with source.credentials the limit is higher; onSourceUnavailable: "keep" goes on with the recorded digest'
        : "try again later, or lower --parallel",
  }),
  /** No connection: the name is not found, the port is closed, nothing comes back. */
  unreachable: (side: Side, host: string, reason: string): Failure => ({
    code: code(side, "UNREACHABLE"),
    summary: `${side}: ${host} cannot be reached: ${reason}`,
    remedy:
      side === "source"
        ? 'check the name, the network and the proxy (HTTPS_PROXY); onSourceUnavailable: "keep" goes on with the recorded digest'
        : "check the network and the proxy (HTTPS_PROXY), then run the command again",
  }),
  /** There is a connection, but the service behind it is out of order (5xx). */
  unavailable: (side: Side, host: string, reason: string): Failure => ({
    code: code(side, "UNAVAILABLE"),
    summary: `${side}: ${host} is out of order: ${reason}`,
    remedy:
      side === "source"
        ? 'try again later; onSourceUnavailable: "keep" goes on with the recorded digest'
        : "try again later",
  }),
  invalidAnswer: (side: Side, host: string, reason: string): Failure => ({
    code: code(side, "INVALID_ANSWER"),
    summary: `${side}: ${host} does not answer like a registry: ${reason}`,
    remedy: "check that the name is a registry's, and that no proxy or portal answers in its place",
  }),
} as const;

function code<P extends RegistryProblem>(side: Side, problem: P): Code {
  return `${side.toUpperCase() as Uppercase<Side>}_${problem}`;
}

function detail(said: string | undefined): { detail?: string } {
  return said ? { detail: said } : {};
}
