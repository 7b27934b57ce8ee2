import { isNativeError } from "node:util/types";
import { type Principal, registryAudience, type TokenService } from "../entra/tokens";
import type { ImportFault } from "../faults";
import type { AzureNetwork } from "../importer/azure-network";
import { copyTree, readTree, resolveDigest, type SourceNames } from "../importer/copy-image";
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
  type World,
} from "../world";
import { importAction, may, readAction } from "./access";
import { ArmError, linkedAuthorizationFailed, registryNotFound } from "./errors";
import {
  type ImportParameters,
  parseImportParameters,
  parseSourceImage,
  parseTargetTag,
  type SourceImage,
} from "./import-parameters";
import type { Operation, Operations } from "./operations";

export interface ImportServices {
  readonly world: World;
  readonly tokens: TokenService;
  readonly operations: Operations;
  readonly network: AzureNetwork;
  readonly replication: Replication;
  /** Puts a new image behind a tag (for the fault that does so while an import runs). */
  moveTag(reference: string): Promise<unknown>;
}

export interface ImportRequest {
  readonly target: Registry;
  readonly principal: Principal;
  readonly body: string;
  readonly host: string;
  readonly apiVersion: string;
  readonly fault: ImportFault | undefined;
}

/** Checks the request as Resource Manager does, and starts the operation. */
export function startImport(services: ImportServices, request: ImportRequest): Operation {
  const { target, principal, host, apiVersion, fault } = request;
  const parameters = parseImportParameters(request.body);
  if (target.sku === "Classic") {
    throw new ArmError(
      400,
      "InvalidSku",
      `The registry '${target.name}' is not of a managed SKU and cannot import images.`,
    );
  }
  const source = linkedSource(services.world, parameters, principal, target);
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
  runImport(services, { parameters, source, target, principal, fault })
    .then((state) => {
      operation.state = state === "pending" ? { kind: "pending" } : { kind: "succeeded" };
    })
    .catch((error: unknown) => {
      operation.state = { kind: "failed", error: failedOperation(services.world, operation, target, error) };
    });
  return operation;
}

/** The registry behind `source.resourceId`, if the caller may read it. */
function linkedSource(
  world: World,
  { source }: ImportParameters,
  principal: Principal,
  target: Registry,
): Registry | undefined {
  const { resourceId } = source;
  if (resourceId === undefined) return undefined;
  const [, , subscriptionId = "", , group = "", , , , name = ""] = resourceId.split("/");
  const subscription = findSubscription(world, subscriptionId);
  const scope = registryId(target);
  if (subscription && subscription.tenantId !== principal.tenantId) {
    throw new ArmError(
      403,
      "LinkedAuthorizationFailed",
      `The client '${principal.clientId}' with object id '${principal.objectId}' has permission to perform action '${importAction}' on scope '${scope}'; however, the current tenant '${principal.tenantId}' is not authorized to access linked subscription '${subscriptionId}'.`,
    );
  }
  if (!may(world, principal, readAction, resourceId)) {
    throw linkedAuthorizationFailed(principal, importAction, scope, "read", resourceId);
  }
  const found = findRegistry(world, resourceId);
  if (!found) throw registryNotFound(name, group);
  return found;
}

interface ImportJob {
  readonly parameters: ImportParameters;
  readonly source: Registry | undefined;
  readonly target: Registry;
  readonly principal: Principal;
  readonly fault: ImportFault | undefined;
}

async function runImport(services: ImportServices, job: ImportJob): Promise<"done" | "pending"> {
  const { parameters, target, fault } = job;
  const image = parseSourceImage(parameters.source.sourceImage);
  const tags = parameters.targetTags.map((targetTag) => parseTargetTag(targetTag, image));
  await passDuration(services.world.settings);
  if (fault?.stayPending === true) return "pending";
  await sleep(fault?.stayPending ?? 0);
  if (fault?.failWith !== undefined) throw givenFailure(fault.failWith);

  const { source, names } = openSource(services, job, image);
  assertTargetReachable(target);
  if (parameters.mode === "NoForce") assertTagsFree(target, tags);

  const reference = image.digest ?? image.tag ?? "latest";
  const tree = await readTree(source, reference, names);
  if (fault?.moveTag && image.tag) await services.moveTag(`${names.host}/${image.repository}:${image.tag}`);
  for (const repository of new Set([...tags, ...untagged(parameters)].map((place) => place.repository))) {
    if (target.replicationLagMs > 0) services.replication.delay(target.store, repository, tree.root.digest);
    await copyTree(source, tree, target.store, repository, names);
  }

  if (tags.length === 0) return "done";
  // An import by tag asks again what the tag is before it sets its own: the race that digests avoid.
  const digest = image.digest ?? (await resolveDigest(source, reference, names));
  for (const { repository, tag } of tags) {
    if (target.replicationLagMs > 0) services.replication.delay(target.store, repository, tag);
    target.store.setTag(repository, tag, tree.root.digest);
    const set = target.store.tag(repository, tag);
    if (set) set.digest = digest;
  }
  return "done";
}

/** The source registry with the credential of the request, and how failure texts call it. */
function openSource(
  { world, tokens, network }: ImportServices,
  { parameters, source, target, principal }: ImportJob,
  image: SourceImage,
): { source: SourceRegistry; names: SourceNames } {
  const host = source?.loginServer ?? parameters.source.registryUri ?? "";
  const registry = source ?? findRegistryByHost(world, host)?.registry;
  assertExportAllowed(registry, target);
  const { credentials } = parameters.source;
  const credential: SourceCredential = source
    ? { kind: "entra", token: tokens.issue(principal, registryAudience).token }
    : credentials
      ? { kind: "password", ...credentials }
      : { kind: "anonymous" };
  const place = { host, repository: image.repository, credential, trusted: source !== undefined };
  return {
    source: new SourceRegistry(place, network),
    names: { ...image, host, isAzureRegistry: registry !== undefined },
  };
}

function untagged({ untaggedTargetRepositories }: ImportParameters): { repository: string }[] {
  return untaggedTargetRepositories.map((repository) => ({ repository }));
}

function assertTagsFree(target: Registry, tags: readonly { repository: string; tag: string }[]): void {
  const taken = tags.find(({ repository, tag }) => target.store.tag(repository, tag));
  if (taken) throw ImportFailure.tagExists(`${taken.repository}:${taken.tag}`);
}

function givenFailure(failure: NonNullable<ImportFault["failWith"]>): ImportFailure {
  return typeof failure === "string" ? new ImportFailure(failure) : new ImportFailure(failure.message, failure.code);
}

/** A target with closed network lets the importer in as a trusted service, or not at all. */
function assertTargetReachable(target: Registry): void {
  const isOpen = target.publicNetworkAccess === "Enabled" && target.defaultAction === "Allow";
  if (!isOpen && target.networkRuleBypassOptions === "None") throw ImportFailure.accessDenied(target.loginServer);
}

function assertExportAllowed(source: Registry | undefined, target: Registry): void {
  if (!source || source === target || source.exportPolicy === "enabled") return;
  throw new ImportFailure(
    `The export policy of registry '${source.loginServer}' is disabled: artifacts cannot be exported from it.`,
  );
}

function failedOperation(world: World, operation: Operation, target: Registry, error: unknown): ArmError {
  const code = error instanceof ImportFailure ? error.code : "InvalidParameters";
  const reason = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ImportFailure || error instanceof RegistryError || isNetworkError(error))) {
    process.stderr.write(`emulator: import failed unexpectedly: ${error instanceof Error ? error.stack : reason}\n`);
  }
  const message = `Operation ${operation.id} failed. Resource ${registryId(target)} ${reason}`;
  if (world.settings.importErrorsIn === "message") return new ArmError(400, code, message);
  return new ArmError(400, code, "The import operation failed.", {}, [{ code, message }]);
}

function isNetworkError(error: unknown): boolean {
  return isNativeError(error) && ("code" in error || /resolved|no answer|hang up/.test(error.message));
}

/** Waits for the duration that is set at the moment: a shorter one also ends the imports that are running. */
async function passDuration(settings: Settings): Promise<void> {
  const began = performance.now();
  while (performance.now() - began < settings.importDurationMs) await sleep(10);
}

function sleep(ms: number): Promise<void> {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms).unref()) : Promise.resolve();
}
