/**
 * What the service's words about a failed import mean.
 *
 * The words decide, never the status: the operation reports its failures as a 400 to a poll. The texts are those that
 * users have reported; whatever is not known here is passed on.
 */
import { azureFailure, type Failure, importFailure, registryFailure, type Side } from "../failure/failure";
import type { ArmResponse } from "./resource-manager";
import { errorDetail, requestFailure, type ServiceError, serviceError } from "./service-error";

/** What was imported, for messages. */
export interface ImportSubject {
  /** `ghcr.io/owner/app@sha256:…` */
  readonly source: string;
  readonly sourceHost: string;
  /** As whom Azure reads the source. */
  readonly reader: string;
  readonly hasCredentials: boolean;
  /** `myregistry/app:1` */
  readonly target: string;
  readonly targetName: string;
  readonly targetId: string;
  /** Who imports. */
  readonly identity: string;
}

/** What a refused request or a failed operation means. */
export function explainImportFailure(host: string, response: ArmResponse, subject: ImportSubject): Failure {
  const error = serviceError(response);
  const meaning = error && MEANINGS.find(([pattern]) => pattern.test(`${error.code}: ${error.message}`))?.[1];
  if (meaning) return { ...meaning(subject, error), detail: errorDetail(error) };
  return requestFailure(host, response, scopeOf(subject, error)) ?? otherFailure(subject, error, response);
}

type Meaning = (subject: ImportSubject, error: ServiceError) => Failure;

/** First match wins: what is more precise stands first. */
const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [
    /\btag\b.*already exists/i,
    ({ target, targetName }, { message }) => {
      const tag = /\btag (\S+) already exists/i.exec(message)?.[1];
      return importFailure.tagExists(tag ? `the tag ${tag} in ${targetName}` : target);
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
    ({ sourceHost }) => importFailure.exportForbidden(sourceHost),
  ],
  [
    /(too many|more than \d+|exceed\w*|maximum|limit)\b.*manifest|manifest.*\b(exceed\w*|limit|maximum|more than)/i,
    ({ source }) => importFailure.tooManyManifests(source),
  ],
  [
    /toomanyrequests|too many requests|rate limit|throttl|status code:? 429\b/i,
    ({ sourceHost }) => registryFailure.throttled("source", sourceHost, undefined),
  ],
  [
    /RFC ?7233|Unexpected response status code|Unexpected length of body in response/i,
    ({ source }) => importFailure.rangeUnsupported(source),
  ],
  [
    /quota|storage (limit|size|capacity)|exceed\w* .*storage/i,
    ({ targetName }) => importFailure.quotaExceeded(targetName),
  ],
  [/soft[- ]?deleted/i, ({ source, target }) => importFailure.softDeleted(source, target)],
  [
    /\blocked\b|write.?enabled|operation is disallowed|DISALLOWED_OPERATION|(write|change|update) operations? (are|is) not (enabled|allowed|permitted)/i,
    ({ target, targetName }) => importFailure.locked(target, targetName),
  ],
  [
    /firewall|network (rule|access|acl)|client with ip|private (endpoint|link)|not allowed access/i,
    (subject, error) => {
      const side = sideOf(subject, error);
      return importFailure.networkClosed(side, side === "source" ? subject.sourceHost : subject.targetName);
    },
  ],
  [
    /Docker-Content-Digest/i,
    ({ sourceHost }) => registryFailure.invalidAnswer("source", sourceHost, "it sends no Docker-Content-Digest"),
  ],
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
      azureFailure.registryNotFound(
        "source",
        sourceHost,
        "Resource Manager, which does not take it for a resource ID",
        "check source.registry",
      ),
  ],
  [
    /ResourceNotFound|ResourceGroupNotFound|SubscriptionNotFound|RegistryNotFound|registry .*(not found|does not exist)/i,
    (subject, error) => {
      const side = sideOf(subject, error, "target");
      return azureFailure.registryNotFound(
        side,
        side === "source" ? subject.sourceHost : subject.targetId,
        "Resource Manager",
        "check that the registry still exists and that the identity may see it",
      );
    },
  ],
  [
    /no such host|name or service not known|could not be resolved|connection (refused|timed out)|unable to connect/i,
    ({ sourceHost }) => importFailure.sourceUnreachable(sourceHost),
  ],
  [/Error copying blobs/i, ({ source, target }) => importFailure.blobsNotCopied(source, target)],
];

/**
 * The side that a text speaks of: the one whose host or ID it names, if it names only one. Every failed operation names
 * the target as its resource, which does not count.
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

/** `Operation registries-<guid> failed. Resource <target ID>`: what every failed operation begins with. */
const PREFIX = /^Operation \S+ failed\.\s*(Resource \S+\s*)?/i;

/** The scope on which rights are missing: the one in the text, else the target registry. */
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
  const words = error?.message.replace(PREFIX, "").slice(0, 300);
  const reason = words || error?.code || `Resource Manager answers ${response.status}`;
  return importFailure.failed(source, target, reason, error && errorDetail(error));
}
