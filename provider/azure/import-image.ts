/** Imports an image by Resource Manager and explains the result. */
import { azureFailure } from "../failure/azure";
import { type Code, type Failure, failureOf, type Side } from "../failure/failure";
import { importFailure } from "../failure/import";
import { redact } from "../failure/redact";
import { parseRegistryName, type RegistryName, type RegistryResource } from "../reference/registry-name";
import { type Cloud, isRegistryOf } from "./cloud";
import { explainImportFailure, type ImportSubject, isUnclearFailure } from "./import-failure";
import {
  type ImportRequest,
  type ImportSource,
  type ImportWatch,
  type OperationResult,
  runImport,
} from "./import-operation";
import { type ArmResponse, type ResourceManager, resourceManager } from "./resource-manager";
import { noResponseFailure } from "./service-error";
import type { Session } from "./session";

/** The result of an import as Azure reports it. The evidence is in the target. */
export type ImportResult =
  /** `isSeen`: the watch saw the image in its targets. */
  | { readonly state: "succeeded"; readonly isSeen?: true }
  /** `TARGET_CONFLICT`: a target tag exists already. `isUnclear`: the reason may be one that passes. */
  | { readonly state: "failed"; readonly failure: Failure; readonly isUnclear?: boolean }
  /** The import may have been done or may still be running: read the target, and fail with `failure` if it is missing there. */
  | {
      readonly state: "timedOut" | "unknown";
      readonly failure: Failure;
      /** Azure has accepted the import. */
      readonly accepted: boolean;
    };

/** Imports an image into a registry and resolves with the result, whatever it is. */
export async function importImage(
  session: Session,
  registry: RegistryResource,
  request: ImportRequest,
  signal: AbortSignal,
  watch?: ImportWatch,
): Promise<ImportResult> {
  const arm = resourceManager(session, registry.subscriptionId);
  const subject = subjectOf(registry, request, session.identity);
  const began = Date.now();
  const result = await runImport(arm, registry, request, signal, watch);
  switch (result.state) {
    case "succeeded":
      return result;
    case "timedOut": {
      const seconds = Math.round((Date.now() - began) / 1_000);
      return { ...result, failure: importFailure.timedOut(subject.source, subject.target, seconds) };
    }
    case "unknown":
      return { ...result, failure: explain(result.reason, arm, request, subject) };
    case "failed": {
      const failure = explain(result.reason, arm, request, subject);
      const isUnclear = "status" in result.reason && isUnclearFailure(result.reason);
      return { state: "failed", failure: await explainDenial(failure, request.source, registry, session), isUnclear };
    }
  }
}

type Reason = Extract<OperationResult, { reason: unknown }>["reason"];

function explain(reason: Reason, arm: ResourceManager, { source }: ImportRequest, subject: ImportSubject): Failure {
  if (typeof reason === "string") return importFailure.untraceable(subject.source, subject.target, reason);
  if (reason instanceof Error) return noResponseFailure(arm.host, reason, "target");
  if (reason.status === 429) return azureFailure.throttled("target", arm.host);
  return explainImportFailure(arm.host, withoutSecrets(reason, source), subject);
}

/** A service may repeat what it was sent. */
function withoutSecrets(response: ArmResponse, { credentials }: ImportSource): ArmResponse {
  const { username = "", password = "" } = credentials ?? {};
  if (password === "") return response;
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  return { ...response, body: redact(response.body, [password, basic]) };
}

/**
 * Azure responds "denied" to missing permissions and to blocked networks alike. The settings of the registry tell which it is;
 * that the identity cannot find the registry is a better reason than either.
 */
async function explainDenial(
  failure: Failure,
  source: ImportSource,
  target: RegistryResource,
  { cloud, finder }: Session,
): Promise<Failure> {
  const side = DENIALS[failure.code];
  if (side === undefined) return failure;
  try {
    const name: RegistryName | undefined =
      side === "target" ? { kind: "id", ...target } : sourceRegistry(source, cloud);
    if (name === undefined) return failure;
    const registry = await finder.find(name, side);
    // A source behind network rules admits the import by its resource ID, never by credentials.
    const admitsAzure = registry.isOpen || (registry.trustsAzure && !(side === "source" && source.credentials));
    return admitsAzure ? failure : importFailure.networkBlocked(side, registry.name, failure.detail);
  } catch (error) {
    return (side === "source" && !source.credentials && failureOf(error)) || failure;
  }
}

const DENIALS: Partial<Record<Code, Side>> = { SOURCE_ACCESS_DENIED: "source", TARGET_ACCESS_DENIED: "target" };

/** The Azure registry that an import reads from, if it is one. */
function sourceRegistry({ resourceId, registryUri }: ImportSource, cloud: Cloud): RegistryName | undefined {
  if (resourceId !== undefined) return parseRegistryName(resourceId);
  return registryUri !== undefined && isRegistryOf(cloud, registryUri) ? parseRegistryName(registryUri) : undefined;
}

function subjectOf(
  { id, name: targetName, loginServer }: RegistryResource,
  { source, targetTags, untaggedTargetRepositories }: ImportRequest,
  identity: string,
): ImportSubject {
  const sourceHost = (source.registryUri ?? source.resourceId?.split("/").at(-1) ?? "").toLowerCase();
  return {
    source: `${sourceHost}/${source.sourceImage}`,
    sourceHost,
    reader: source.resourceId
      ? identity
      : source.credentials
        ? "the identity in source.credentials"
        : "an anonymous client",
    hasCredentials: source.credentials !== undefined,
    target: [...targetTags, ...untaggedTargetRepositories].map((name) => `${loginServer}/${name}`).join(", "),
    targetName,
    targetId: id,
    identity,
  };
}
