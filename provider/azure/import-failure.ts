/**
 * Explains a failed import by the service's error message.
 *
 * The message decides, never the status: a failed operation responds to a poll with a 400. The patterns come from
 * messages that users have reported; a message that matches none is passed on as it is.
 */
import { azureFailure } from "../failure/azure";
import type { Failure, Side } from "../failure/failure";
import { importFailure } from "../failure/import";
import { registryFailure } from "../failure/registry";
import { lookupFailure } from "../failure/registry-lookup";
import { sourceFailure } from "../failure/source";
import { targetFailure } from "../failure/target";
import type { ArmResponse } from "./resource-manager";
import { errorDetail, requestFailure, type ServiceError, serviceError } from "./service-error";

/** The import in messages. */
export interface ImportSubject {
  /** `ghcr.io/owner/app@sha256:…` */
  readonly source: string;
  readonly sourceHost: string;
  /** The identity with which Azure reads the source. */
  readonly reader: string;
  readonly hasCredentials: boolean;
  /** `myregistry/app:1` */
  readonly target: string;
  readonly targetName: string;
  readonly targetId: string;
  /** The Azure identity of this run. */
  readonly identity: string;
}

/** The failure of a rejected request or a failed operation. */
export function explainImportFailure(host: string, response: ArmResponse, subject: ImportSubject): Failure {
  const error = serviceError(response);
  const explain = error && EXPLANATIONS.find(([pattern]) => pattern.test(`${error.code}: ${error.message}`))?.[1];
  if (explain) return { ...explain(subject, error), detail: errorDetail(error) };
  return requestFailure(host, response, scopeOf(subject, error)) ?? otherFailure(subject, error, response);
}

/**
 * Whether a failed operation does not tell what happened to a layer: the source may have rate limited Azure there as well as
 * have refused it.
 */
export function isUnclearFailure(response: ArmResponse): boolean {
  return /Unexpected response status code(?!:? ?\d)|Error copying blobs/i.test(serviceError(response)?.message ?? "");
}

type Explanation = (subject: ImportSubject, error: ServiceError) => Failure;

/** The first match wins, so the more precise patterns come first. */
const EXPLANATIONS: readonly (readonly [RegExp, Explanation])[] = [
  [
    /\btag\b.*already exists/i,
    ({ target, targetName }, { message }) => {
      const tag = /\btag (\S+) already exists/i.exec(message)?.[1];
      return targetFailure.tagExists(tag ? `the tag ${tag} in ${targetName}` : target);
    },
  ],
  [
    /not authorized to access linked subscription/i,
    ({ sourceHost, identity }) => azureFailure.foreignTenant("source", sourceHost, identity),
  ],
  [
    /AuthorizationFailed|does not have (authorization|permission) to perform action/i,
    (subject, error) => {
      const { side, scope, identity } = scopeOf(subject, error);
      return azureFailure.permissionDenied(side, scope, identity);
    },
  ],
  [
    /MissingSubscriptionRegistration|not registered to use namespace/i,
    ({ target }) => importFailure.providerNotRegistered(target),
  ],
  [
    /export ?policy|export\w* (is |has been )?(disabled|not allowed|forbidden)/i,
    ({ sourceHost }) => sourceFailure.exportForbidden(sourceHost),
  ],
  [
    /(too many|more than \d+|exceed\w*|maximum|limit)\b.*manifest|manifest.*\b(exceed\w*|limit|maximum|more than)/i,
    ({ source }) => sourceFailure.tooManyManifests(source),
  ],
  [
    /toomanyrequests|too many requests|rate limit|throttl|status code:? 429\b/i,
    ({ sourceHost }) => registryFailure.throttled("source", sourceHost, undefined),
  ],
  [
    /RFC ?7233|Unexpected response status code|Unexpected length of body in response/i,
    ({ source }) => sourceFailure.rangeUnsupported(source),
  ],
  [
    /quota|storage (limit|size|capacity)|exceed\w* .*storage/i,
    ({ targetName }) => targetFailure.quotaExceeded(targetName),
  ],
  [/soft[- ]?deleted/i, ({ source, target }) => importFailure.softDeleted(source, target)],
  [
    /\blocked\b|write.?enabled|operation is disallowed|DISALLOWED_OPERATION|(write|change|update) operations? (are|is) not (enabled|allowed|permitted)/i,
    ({ target, targetName }) => targetFailure.lockedForImport(target.split(", "), targetName),
  ],
  [
    /firewall|network (rule|access|acl)|client with ip|private (endpoint|link)|not allowed access/i,
    (subject, error) => {
      const side = sideOf(subject, error);
      return importFailure.networkBlocked(side, side === "source" ? subject.sourceHost : subject.targetName);
    },
  ],
  [/Docker-Content-Digest/i, ({ sourceHost }) => sourceFailure.digestHeaderMissing(sourceHost)],
  [
    /Unable to find manifest digest|manifest[ _]unknown|name[ _]unknown|(manifest|image|tag|repository) .*not found/i,
    ({ source }) => registryFailure.notFound("source", source),
  ],
  [
    /incorrect (user ?name|password)|invalid (user ?name|password|credential)|authentication (is )?(required|failed)|unauthorized/i,
    ({ sourceHost, source, reader, hasCredentials }) =>
      hasCredentials
        ? registryFailure.credentialsRejected("source", sourceHost)
        : registryFailure.accessDenied("source", source, reader),
  ],
  [
    /\b(denied|forbidden|insufficient_scope)\b/i,
    (subject, error) =>
      sideOf(subject, error) === "source"
        ? registryFailure.accessDenied("source", subject.source, subject.reader)
        : registryFailure.accessDenied("target", subject.target, subject.identity),
  ],
  [
    /source\.(documentId|resourceId) is invalid/i,
    ({ sourceHost }) =>
      lookupFailure.notFound(
        "source",
        sourceHost,
        "Resource Manager, which rejected the resource ID",
        "Check source.registry",
      ),
  ],
  [
    /ResourceNotFound|ResourceGroupNotFound|SubscriptionNotFound|RegistryNotFound|registry .*(not found|does not exist)/i,
    (subject, error) => {
      const side = sideOf(subject, error, "target");
      return lookupFailure.notFound(
        side,
        side === "source" ? subject.sourceHost : subject.targetId,
        "Resource Manager",
        "Check that the registry still exists and that the identity can see it",
      );
    },
  ],
  [
    /no such host|name or service not known|could not be resolved|connection (refused|timed out)|unable to connect/i,
    ({ sourceHost }) => sourceFailure.unreachableFromAzure(sourceHost),
  ],
  [/Error copying blobs/i, ({ source, target }) => importFailure.blobsNotCopied(source, target)],
];

/**
 * The side that a message is about: the one whose host or ID it contains, if it contains only one. The target in the
 * prefix of every failed operation does not count.
 */
function sideOf(subject: ImportSubject, { message }: ServiceError, otherwise: Side = "source"): Side {
  const text = message.replace(PREFIX, "");
  const namesSource = names(text, subject.sourceHost);
  const namesTarget = names(text, subject.targetName);
  return namesSource === namesTarget ? otherwise : namesSource ? "source" : "target";
}

function names(text: string, registry: string): boolean {
  return new RegExp(`(?<![a-z0-9-])${registry.replaceAll(".", "\\.")}(?![a-z0-9])`, "i").test(text);
}

/** `Operation registries-<guid> failed. Resource <target ID>`: the prefix of every failed operation. */
const PREFIX = /^Operation \S+ failed\.\s*(Resource \S+\s*)?/i;

/** The scope on which permissions are missing: the one in the message, otherwise the target registry. */
function scopeOf(
  { identity, targetId }: ImportSubject,
  error: ServiceError | undefined,
): { side: Side; scope: string; identity: string } {
  const linked = /linked scope\(s\) '([^',]+)/i.exec(error?.message ?? "")?.[1];
  const scope = /over scope '([^']+)'/i.exec(error?.message ?? "")?.[1];
  return linked && linked.toLowerCase() !== targetId.toLowerCase()
    ? { side: "source", scope: linked, identity }
    : { side: "target", scope: scope ?? targetId, identity };
}

function otherFailure(
  { source, target }: ImportSubject,
  error: ServiceError | undefined,
  response: ArmResponse,
): Failure {
  const message = error?.message.replace(PREFIX, "").slice(0, 300).replace(/\.$/, "");
  const reason = message || error?.code || `Resource Manager responded with HTTP ${response.status}`;
  return importFailure.failed(source, target, reason, error && errorDetail(error));
}
