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
  | "SOURCE_UNRESOLVED"
  | "SOURCE_TOO_MANY_MANIFESTS"
  | "SOURCE_RANGE_UNSUPPORTED"
  | "SOURCE_EXPORT_FORBIDDEN"
  | "TARGET_CONFLICT"
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
  | "IMPORT_FAILED"
  | "IMPORT_TIMED_OUT";

/** What can go wrong while talking to a registry, on either side. */
export type RegistryProblem =
  | "NOT_FOUND"
  | "CREDENTIALS_REJECTED"
  | "ACCESS_DENIED"
  | "NETWORK_BLOCKED"
  | "TOKEN_SERVER_UNTRUSTED"
  | "THROTTLED"
  | "UNREACHABLE"
  | "UNAVAILABLE"
  | "INVALID_RESPONSE";

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
    super(formatFailure(failure));
    this.code = failure.code;
  }
}

/** The text a user reads: one line first, remedy and detail after. */
export function formatFailure({ code, summary, remedy, detail }: Failure): string {
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
  return /_(UNREACHABLE|NETWORK_BLOCKED)$/.test(failure.code);
}

/** The least role that an import needs: on the target, and on a source in Azure. */
const LEAST_ROLE = "Container Registry Data Importer and Data Reader";

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
  accessDenied: (side: Side, reference: string, who: string, said?: string, done = "read"): Failure => ({
    code: code(side, "ACCESS_DENIED"),
    summary: `${side}: ${reference} may not be ${done} by ${who}`,
    remedy:
      side === "source"
        ? "pass source.credentials that may pull this repository; for an Azure registry grant AcrPull (or Container Registry Repository Reader) to the identity instead"
        : `grant the identity the role ${LEAST_ROLE} on the target registry (to untag or delete also AcrDelete)`,
    ...detail(said),
  }),
  networkClosed: (side: Side, host: string, said?: string): Failure => ({
    code: code(side, "NETWORK_BLOCKED"),
    summary: `${side}: the firewall of ${host} refuses this client`,
    remedy:
      side === "source"
        ? AROUND_THE_SOURCE
        : "run where the registry can be reached, or allow this client in the registry's network rules",
    ...detail(said),
  }),
  realmRefused: (side: Side, host: string, realm: string): Failure => ({
    code: code(side, "TOKEN_SERVER_UNTRUSTED"),
    summary: `${side}: ${host} asks for the credentials to be sent to ${realm}, which is not its own`,
    remedy:
      "nothing was sent; check that the registry's name is spelled right, and ask its owner about this token realm",
  }),
  entraRefused: (side: Side, host: string): Failure => ({
    code: code(side, "TOKEN_SERVER_UNTRUSTED"),
    summary: `${side}: ${host} gets no Entra token, because Azure does not know it as a registry`,
    remedy: "nothing was sent; name the registry by its resource ID, or pass source.credentials",
  }),
  locked: (reference: string, done: string, said?: string): Failure => ({
    code: "TARGET_LOCKED",
    summary: `target: ${reference} is locked and cannot be ${done}`,
    remedy:
      "unlock it (az acr repository update --write-enabled true --delete-enabled true), then run the command again",
    ...detail(said),
  }),
  throttled: (side: Side, host: string, seconds: number | undefined): Failure => ({
    code: code(side, "THROTTLED"),
    summary: `${side}: ${host} answers 429 Too Many Requests${seconds === undefined ? "" : `, try again in ${seconds} s`}`,
    remedy:
      side === "source"
        ? "try again later; with source.credentials the limit is higher"
        : "try again later, or lower --parallel",
  }),
  /** No connection: the name is not found, the port is closed, nothing comes back. */
  unreachable: (side: Side, host: string, reason: string): Failure => ({
    code: code(side, "UNREACHABLE"),
    summary: `${side}: ${host} cannot be reached: ${reason}`,
    remedy: connectionRemedy(side, reason),
  }),
  /** There is a connection, but the service behind it is out of order (5xx). */
  unavailable: (side: Side, host: string, reason: string): Failure => ({
    code: code(side, "UNAVAILABLE"),
    summary: `${side}: ${host} is out of order: ${reason}`,
    remedy: "try again later",
  }),
  invalidAnswer: (side: Side, host: string, reason: string): Failure => ({
    code: code(side, "INVALID_RESPONSE"),
    summary: `${side}: ${host} does not answer like a registry: ${reason}`,
    remedy: "check that the name is a registry's, and that no proxy or portal answers in its place",
  }),
} as const;

/** Words for a source whose digest did not come with it from the program. */
export const sourceFailure = {
  unresolved: (reason: string): Failure => ({
    code: "SOURCE_UNRESOLVED",
    summary: `source: its digest is not known: ${reason}`,
    remedy: "name the image by digest (repo@sha256:…) if it has to go on now, and report this",
  }),
  notLookedUp: (): Failure => ({
    code: "SOURCE_UNRESOLVED",
    summary:
      "source: the program did not look up its digest, since its arguments were wrong there; a transform has changed them since",
    remedy: "correct the arguments in the program itself",
  }),
  exchanged: (): Failure => ({
    code: "SOURCE_UNRESOLVED",
    summary: "source: it was changed after the program had looked up its digest (a transform, or ignoreChanges)",
    remedy: 'change it in the program; to keep the imported version use ignoreChanges: ["sourceDigest"]',
  }),
} as const;

/** The warning of `onSourceUnavailable: "keep"`. What there was to do is done. */
export function recordedDigestKept({ code, summary, detail: said }: Failure, digest: string): Failure {
  return { code, summary: `${summary}; the recorded digest ${digest} is kept`, ...detail(said) };
}

/** A source that cannot be asked, with what `onSourceUnavailable: "keep"` would do about it: said only where it is true. */
export function digestNotKept(
  failure: Failure,
  policy: "keep" | "fail",
  recorded: "of this source" | "of another source" | undefined,
): Failure {
  const keep = 'onSourceUnavailable: "keep"';
  const add = (hint: string) => ({ ...failure, remedy: failure.remedy ? `${failure.remedy}; ${hint}` : hint });
  if (policy === "fail") {
    return recorded === "of this source" ? add(`${keep} goes on with the recorded digest`) : failure;
  }
  return add(
    `${keep} does not help here: ${recorded ? `the recorded digest is ${recorded}` : "no digest is recorded yet"}`,
  );
}

/** Words for Azure itself: configuration, identity, Resource Manager, and the look-up of a registry. */
export const azureFailure = {
  configurationInvalid: (setting: string, reason: string, remedy: string): Failure => ({
    code: "AZURE_CONFIGURATION_INVALID",
    summary: `Azure: ${setting} ${reason}`,
    remedy,
  }),
  credentialMissing: (way: string, missing: string, remedy: string, said?: string): Failure => ({
    code: "AZURE_CREDENTIAL_MISSING",
    summary: `Azure: no credential: ${way}, but ${missing}`,
    remedy,
    ...detail(said),
  }),
  credentialRejected: (who: string, reason: string, remedy: string, said?: string): Failure => ({
    code: "AZURE_CREDENTIAL_REJECTED",
    summary: `Azure: ${who} was rejected: ${reason}`,
    remedy,
    ...detail(said),
  }),
  permissionDenied: (side: Side, scope: string, who: string, said?: string): Failure => ({
    code: "AZURE_PERMISSION_DENIED",
    summary: `${side}: ${who} may not import ${side === "source" ? "from" : "into"} ${scope}`,
    remedy: `grant this identity the role ${LEAST_ROLE} on ${scope}; a new assignment takes some minutes to work`,
    ...detail(said),
  }),
  foreignTenant: (side: Side, registry: string, who: string): Failure => ({
    code: "AZURE_PERMISSION_DENIED",
    summary: `${side}: the registry ${registry} belongs to another tenant, where ${who} has no rights`,
    remedy:
      side === "source"
        ? "name it by its login server and pass source.credentials: a repository-scoped token, or a service principal of its tenant"
        : "use an identity of that tenant",
  }),
  throttled: (side: Side, host: string): Failure => ({
    code: "AZURE_THROTTLED",
    summary: `${side}: ${host} kept answering 429 Too Many Requests`,
    remedy: "run the command again later, or lower --parallel",
  }),
  unavailable: (subject: Side | "Azure", host: string, reason: string, said?: string): Failure => ({
    code: "AZURE_UNAVAILABLE",
    summary: `${subject}: ${host} ${reason}`,
    remedy:
      "check the network, the proxy (HTTPS_PROXY, NO_PROXY) and, where the proxy breaks TLS, its certificate authority (NODE_EXTRA_CA_CERTS), then run the command again",
    ...detail(said),
  }),
  registryNotFound: (side: Side, name: string, searched: string, remedy: string, said?: string): Failure => ({
    code: "REGISTRY_NOT_FOUND",
    summary: `${side}: there is no registry ${name}: searched ${searched}`,
    remedy,
    ...detail(said),
  }),
  /** Azure does not show a registry to an identity without a role on it, so it may be there all the same. */
  registryInvisible: (side: Side, name: string, who: string, searched: string): Failure => ({
    code: "REGISTRY_NOT_FOUND",
    summary: `${side}: no registry ${name} is visible to ${who}: searched ${searched}`,
    remedy: `check the name; if the registry is there, grant this identity the role ${LEAST_ROLE} on it (scope: the registry, or its resource group), or pass its resource ID${
      side === "source" ? "; for a registry of another tenant pass the login server with source.credentials" : ""
    }`,
  }),
  registryAmbiguous: (side: Side, name: string, ids: readonly string[]): Failure => ({
    code: "REGISTRY_AMBIGUOUS",
    summary: `${side}: ${ids.length} registries are called ${name}: ${ids.join(", ")}`,
    remedy: "pass the resource ID of the one you mean",
  }),
  registryUnmanaged: (side: Side, name: string, sku: string): Failure => ({
    code: "REGISTRY_SKU_UNSUPPORTED",
    summary: `${side}: the registry ${name} has the SKU ${sku}, which cannot import`,
    remedy: `upgrade it: az acr update --name ${name} --sku Standard`,
  }),
} as const;

/** Words for the import operation, where the cause is neither the identity nor a plain answer of one of the registries. */
export const importFailure = {
  failed: (source: string, target: string, reason: string, said?: string): Failure => ({
    code: "IMPORT_FAILED",
    summary: `target: the import of ${source} into ${target} failed: ${reason}`,
    remedy:
      "run the command again; if the reason stays the same, ask Azure support with the correlation ID below; az acr check-health tells about the registry",
    ...detail(said),
  }),
  blobsNotCopied: (source: string, target: string): Failure => ({
    code: "IMPORT_FAILED",
    summary: `source: Azure could not copy the layers of ${source} into ${target} (Error copying blobs)`,
    remedy:
      "run the command again; else check that Azure, not only you, may pull the whole image from the source: credentials, rate limit, firewall, layers that were deleted or must not be distributed",
  }),
  providerNotRegistered: (target: string): Failure => ({
    code: "IMPORT_FAILED",
    summary: `target: a subscription of this import into ${target} is not registered for container registries`,
    remedy:
      "az provider register --namespace Microsoft.ContainerRegistry, in the subscriptions of the target and of a source in Azure",
  }),
  softDeleted: (source: string, target: string): Failure => ({
    code: "IMPORT_FAILED",
    summary: `target: ${source} cannot be imported into ${target}, because the image is soft-deleted in one of the two registries`,
    remedy: "restore it (az acr manifest restore) or purge it, then run the command again",
  }),
  untraceable: (source: string, target: string, reason: string): Failure => ({
    code: "IMPORT_FAILED",
    summary: `target: Azure accepted the import of ${source} into ${target}, but ${reason}`,
    remedy: "run the command again: what Azure has finished by then is adopted",
  }),
  timedOut: (source: string, target: string, seconds: number): Failure => ({
    code: "IMPORT_TIMED_OUT",
    summary: `target: the import of ${source} into ${target} is not finished after ${seconds} s`,
    remedy:
      "Azure goes on with it: run the command again to adopt the result, or allow more time with opts.customTimeouts",
  }),
  tagExists: (target: string): Failure => ({
    code: "TARGET_CONFLICT",
    summary: `target: ${target} exists already`,
    remedy: 'set onConflict: "overwrite" to take it over, or choose another tag',
  }),
  tooManyManifests: (source: string): Failure => ({
    code: "SOURCE_TOO_MANY_MANIFESTS",
    summary: `source: ${source} has more manifests than Azure imports at once (50)`,
    remedy: "import the manifest of one platform by its own digest (repo@sha256:…), or an image that lists fewer",
  }),
  rangeUnsupported: (source: string): Failure => ({
    code: "SOURCE_RANGE_UNSUPPORTED",
    summary: `source: the registry of ${source} does not serve ranges of a layer (RFC 7233), which Azure's import needs`,
    remedy: "enable range requests in that registry or the proxy before it, or copy the image through another registry",
  }),
  exportForbidden: (host: string): Failure => ({
    code: "SOURCE_EXPORT_FORBIDDEN",
    summary: `source: the export policy of ${host} forbids to import from it`,
    remedy:
      "az resource update --ids <registry ID> --set properties.policies.exportPolicy.status=enabled (needs public network access enabled), or import from another registry",
  }),
  networkClosed: (side: Side, host: string): Failure => ({
    code: code(side, "NETWORK_BLOCKED"),
    summary: `${side}: the network rules of ${host} keep Azure's import out`,
    remedy: `allow trusted services on it: az acr update --name ${host.split(/[.-]/, 1)[0]} --allow-trusted-services true${
      side === "source"
        ? "; a source with public access disabled must also be named by resource ID, and a registry of another tenant cannot be one"
        : ""
    }`,
  }),
  /** The service does not say which of several targets is locked, nor whether the tag or its whole repository is. */
  locked: (target: string, registry: string): Failure => {
    const isOne = !target.includes(", ");
    const name = isOne ? target.slice(target.indexOf("/") + 1) : "<repository>:<tag>";
    const option = name.includes(":") ? `--image ${name}` : `--repository ${name}`;
    return {
      code: "TARGET_LOCKED",
      summary: `target: ${isOne ? "" : "one of "}${target} is locked against changes`,
      remedy: `unlock it (az acr repository update --name ${registry} ${option} --write-enabled true; a locked repository with --repository instead of --image), or choose another name`,
    };
  },
  /** Not from here, but from Azure, which does the copying. */
  sourceUnreachable: (host: string): Failure => ({
    code: "SOURCE_UNREACHABLE",
    summary: `source: Azure's import cannot connect to ${host}`,
    remedy: `check that ${host} has a public name and lets Azure in: Azure copies the image itself, so it must reach the source by itself`,
  }),
  quotaExceeded: (host: string): Failure => ({
    code: "TARGET_QUOTA_EXCEEDED",
    summary: `target: the storage of ${host} is full`,
    remedy: "delete what is not needed any more (az acr show-usage tells the limit), or choose a larger SKU",
  }),
} as const;

/** The ways out for a source that only Azure can read, or a machine elsewhere. */
const AROUND_THE_SOURCE =
  'name the image by digest (repo@sha256:…), or set source.digestFrom: "target", or run where the registry can be reached';

function connectionRemedy(side: Side, reason: string): string {
  if (reason.includes("does not speak TLS")) return "check host and port: registries are asked over https only";
  if (/certificate|CERT/.test(reason)) {
    return "certificates are always checked: check the name, and whose certificate answers, the registry's or a proxy's";
  }
  const check = "check the name, the network and the proxy (HTTPS_PROXY), then run the command again";
  return side === "source" ? `${check}; for a source in a private network: ${AROUND_THE_SOURCE}` : check;
}

function code<P extends RegistryProblem>(side: Side, problem: P): Code {
  return `${side.toUpperCase() as Uppercase<Side>}_${problem}`;
}

function detail(said: string | undefined): { detail?: string } {
  return said ? { detail: said } : {};
}

/** Words for what the target holds, compared with what it should hold. */
export const targetFailure = {
  conflict: (
    loginServer: string,
    conflicts: readonly { readonly target: string; readonly holds: string }[],
    digest: string | undefined,
    untouched: boolean,
  ): Failure => ({
    code: "TARGET_CONFLICT",
    summary: `target: ${conflicts
      .map(({ target, holds }) => `${loginServer}/${target} holds ${holds}`)
      .join(", ")}, which this resource did not put there${digest === undefined ? "" : `; it should hold ${digest}`}`,
    remedy: `${untouched ? "nothing was changed; " : ""}set onConflict: "overwrite" to replace it, or choose another tag; after a rename of the resource an alias keeps its record`,
  }),
  uncomparable: (loginServer: string, targets: readonly string[]): Failure => ({
    code: "TARGET_UNREADABLE",
    summary: `target: ${targets.map((target) => `${loginServer}/${target}`).join(" or ")} exists already and cannot be compared, because the registry cannot be read from here`,
    remedy: 'set onConflict: "overwrite" to take it over, or run where the registry can be read',
  }),
  notVerified: (
    loginServer: string,
    found: readonly { readonly target: string; readonly holds: string | undefined }[],
    digest: string | undefined,
  ): Failure => ({
    code: "TARGET_NOT_VERIFIED",
    summary: `target: Azure reports success, but ${found
      .map(({ target, holds }) => `${loginServer}/${target} ${holds ? `holds ${holds}` : "is not there"}`)
      .join(", ")}${digest === undefined ? "" : ` instead of ${digest}`}`,
    remedy: "run the command again: it looks at the registry anew and imports what is missing",
  }),
  digestUnknown: (loginServer: string): Failure => ({
    code: "TARGET_NOT_VERIFIED",
    summary: `target: ${loginServer} cannot be read from here, and source.digestFrom is "target", so that nothing would tell the digest`,
    remedy: "name the image by digest (repo@sha256:…), or run where source or target can be read",
  }),
  unreleasable: (loginServer: string, targets: readonly string[]): Failure => ({
    code: "TARGET_UNREACHABLE",
    summary: `target: ${loginServer} cannot be read from here, so it is not known whether ${targets.join(", ")} may be removed`,
    remedy: 'run where the registry can be read, or set onDelete: "retain" and run pulumi up first',
  }),
} as const;

/** The time limit of create or update is reached in a step that cannot tell better what it was doing. */
export function operationTimedOut(target: string, seconds: number): Failure {
  return {
    code: "IMPORT_TIMED_OUT",
    summary: `target: ${target} is not finished after ${Math.round(seconds)} s`,
    remedy: "run the command again: what is done by then is adopted; allow more time with opts.customTimeouts",
  };
}
