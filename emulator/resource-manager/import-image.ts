/** `importImage`: validates the request, then copies the image in the background. */
import { isNativeError } from "node:util/types";
import { type Principal, registryAudience, type TokenService } from "../entra/token-service";
import type { ImportFault } from "../faults/fault";
import type { AzureNetwork } from "../importer/azure-network";
import { copyTree, readTree, resolveDigest, type SourceName } from "../importer/copy-image";
import { ImportFailure } from "../importer/import-failure";
import { type SourceCredential, SourceRegistry } from "../importer/source-registry";
import { RegistryError } from "../registry/registry-error";
import type { Replication } from "../replication";
import {
  findRegistry,
  findRegistryByHost,
  findSubscription,
  type Registry,
  registryId,
  type Settings,
  type State,
} from "../state";
import { ArmError, linkedAuthorizationFailed, registryNotFound } from "./arm-error";
import {
  type ImportParameters,
  parseImportParameters,
  parseSourceImage,
  parseTargetTag,
  type SourceImage,
} from "./import-parameters";
import type { Operation, Operations } from "./operations";
import { hasPermission, importAction, readAction } from "./permissions";

export interface ArmServices {
  readonly state: State;
  readonly tokens: TokenService;
  readonly operations: Operations;
  readonly network: AzureNetwork;
  readonly replication: Replication;
  /** Puts a new image behind a tag (for the importFault that does so while an import runs). */
  moveTag(reference: string): Promise<unknown>;
}

export interface ImportRequest {
  readonly target: Registry;
  readonly principal: Principal;
  readonly body: string;
  readonly host: string;
  readonly apiVersion: string;
  readonly importFault: ImportFault | undefined;
}

/** Validates the request as Resource Manager does, and starts the operation. */
export function startImport(services: ArmServices, request: ImportRequest): Operation {
  const { target, principal, host, apiVersion, importFault } = request;
  const parameters = parseImportParameters(request.body);
  if (target.sku === "Classic") {
    throw new ArmError(
      400,
      "InvalidSku",
      `The registry '${target.name}' is not of a managed SKU and cannot import images.`,
    );
  }
  const source = findLinkedSource(services.state, parameters, principal, target);
  const image = parseSourceImage(parameters.source.sourceImage);
  const [firstTag] = parameters.targetTags;
  const firstTarget = firstTag && parseTargetTag(firstTag, image);
  const operation = services.operations.start({
    subscriptionId: target.subscriptionId,
    location: target.location,
    host,
    apiVersion,
    tenantId: principal.tenantId,
    label: firstTarget
      ? `${firstTarget.repository}:${firstTarget.tag}`
      : (parameters.untaggedTargetRepositories[0] ?? image.repository),
  });
  runImport(services, { parameters, source, target, principal, importFault })
    .then((state) => {
      operation.status = state === "pending" ? { kind: "pending" } : { kind: "succeeded" };
    })
    .catch((error: unknown) => {
      operation.status = { kind: "failed", error: toFailedStatus(services.state, operation, target, error) };
    });
  return operation;
}

/** The registry of `source.resourceId`; an error unless the caller may read it. */
function findLinkedSource(
  state: State,
  { source }: ImportParameters,
  principal: Principal,
  target: Registry,
): Registry | undefined {
  const { resourceId } = source;
  if (resourceId === undefined) return undefined;
  const [, , subscriptionId = "", , group = "", , , , name = ""] = resourceId.split("/");
  const subscription = findSubscription(state, subscriptionId);
  const scope = registryId(target);
  if (subscription && subscription.tenantId !== principal.tenantId) {
    throw new ArmError(
      403,
      "LinkedAuthorizationFailed",
      `The client '${principal.clientId}' with object id '${principal.objectId}' has permission to perform action '${importAction}' on scope '${scope}'; however, the current tenant '${principal.tenantId}' is not authorized to access linked subscription '${subscriptionId}'.`,
    );
  }
  if (!hasPermission(state, principal, readAction, resourceId)) {
    throw linkedAuthorizationFailed(principal, importAction, scope, "read", resourceId);
  }
  const found = findRegistry(state, resourceId);
  if (!found) throw registryNotFound(name, group);
  return found;
}

interface ImportContext {
  readonly parameters: ImportParameters;
  readonly source: Registry | undefined;
  readonly target: Registry;
  readonly principal: Principal;
  readonly importFault: ImportFault | undefined;
}

async function runImport(services: ArmServices, job: ImportContext): Promise<"done" | "pending"> {
  const { parameters, target, importFault } = job;
  const image = parseSourceImage(parameters.source.sourceImage);
  const tags = parameters.targetTags.map((targetTag) => parseTargetTag(targetTag, image));
  await passDuration(services.state.settings);
  if (importFault?.stayPending === true) return "pending";
  await sleep(importFault?.stayPending ?? 0);
  if (importFault?.failWith !== undefined) throw injectedFailure(importFault.failWith);

  const { source, name } = openSource(services, job, image);
  requireReachableTarget(target);
  if (parameters.mode === "NoForce") requireFreeTags(target, tags);

  const reference = image.digest ?? image.tag ?? "latest";
  const tree = await readTree(source, reference, name);
  if (importFault?.moveTag && image.tag) await services.moveTag(`${name.host}/${image.repository}:${image.tag}`);
  for (const repository of new Set([...tags, ...untaggedTargets(parameters)].map((place) => place.repository))) {
    if (target.replicationLagMs > 0) services.replication.recordImport(target.store, repository, tree.root.digest);
    await copyTree(source, tree, target.store, repository, name);
  }

  if (tags.length === 0) return "done";
  // An import by tag resolves the tag a second time before it sets the target's: a race that importing by digest avoids.
  const digest = image.digest ?? (await resolveDigest(source, reference, name));
  for (const { repository, tag } of tags) {
    if (target.replicationLagMs > 0) services.replication.recordImport(target.store, repository, tag);
    target.store.setTag(repository, tag, tree.root.digest);
    const set = target.store.tag(repository, tag);
    if (set) set.digest = digest;
  }
  return "done";
}

/** Opens the source registry with the credential of the request; `name` is for failure messages. */
function openSource(
  { state, tokens, network }: ArmServices,
  { parameters, source, target, principal }: ImportContext,
  image: SourceImage,
): { source: SourceRegistry; name: SourceName } {
  const host = source?.loginServer ?? parameters.source.registryUri ?? "";
  const registry = source ?? findRegistryByHost(state, host)?.registry;
  requireExportAllowed(registry, target);
  const { credentials } = parameters.source;
  const credential: SourceCredential = source
    ? { kind: "entra", token: tokens.issue(principal, registryAudience).token }
    : credentials
      ? { kind: "password", ...credentials }
      : { kind: "anonymous" };
  const place = { host, repository: image.repository, credential, trusted: source !== undefined };
  return {
    source: new SourceRegistry(place, network),
    name: { ...image, host, isAzureRegistry: registry !== undefined },
  };
}

function untaggedTargets({ untaggedTargetRepositories }: ImportParameters): { repository: string }[] {
  return untaggedTargetRepositories.map((repository) => ({ repository }));
}

function requireFreeTags(target: Registry, tags: readonly { repository: string; tag: string }[]): void {
  const taken = tags.find(({ repository, tag }) => target.store.tag(repository, tag));
  if (taken) throw ImportFailure.tagExists(`${taken.repository}:${taken.tag}`);
}

function injectedFailure(failure: NonNullable<ImportFault["failWith"]>): ImportFailure {
  return typeof failure === "string" ? new ImportFailure(failure) : new ImportFailure(failure.message, failure.code);
}

/** A target with network restrictions accepts the importer only as a trusted service. */
function requireReachableTarget(target: Registry): void {
  const isOpen = target.publicNetworkAccess === "Enabled" && target.defaultAction === "Allow";
  if (!isOpen && target.networkRuleBypassOptions === "None") throw ImportFailure.accessDenied(target.loginServer);
}

function requireExportAllowed(source: Registry | undefined, target: Registry): void {
  if (!source || source === target || source.exportPolicy === "enabled") return;
  throw new ImportFailure(
    `The export policy of registry '${source.loginServer}' is disabled: artifacts cannot be exported from it.`,
  );
}

function toFailedStatus(state: State, operation: Operation, target: Registry, error: unknown): ArmError {
  const code = error instanceof ImportFailure ? error.code : "InvalidParameters";
  const reason = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ImportFailure || error instanceof RegistryError || isNetworkError(error))) {
    process.stderr.write(`emulator: import failed unexpectedly: ${error instanceof Error ? error.stack : reason}\n`);
  }
  const message = `Operation ${operation.id} failed. Resource ${registryId(target)} ${reason}`;
  if (state.settings.importErrorsIn === "message") return new ArmError(400, code, message);
  return new ArmError(400, code, "The import operation failed.", {}, [{ code, message }]);
}

function isNetworkError(error: unknown): boolean {
  return isNativeError(error) && ("code" in error || /resolved|no response|hang up/.test(error.message));
}

/** Waits for the duration that is set at the moment: a shorter one also ends the imports that are running. */
async function passDuration(settings: Settings): Promise<void> {
  const began = performance.now();
  while (performance.now() - began < settings.importDurationMs) await sleep(10);
}

function sleep(ms: number): Promise<void> {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms).unref()) : Promise.resolve();
}
