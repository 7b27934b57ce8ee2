import type { Principal, TokenService } from "../entra/tokens";
import { registryAudience } from "../entra/tokens";
import type { ImportFault } from "../faults";
import type { AzureNetwork } from "../importer/azure-network";
import { copyTree, readTree, resolveDigest, type SourceNames } from "../importer/copy-image";
import { ImportFailure } from "../importer/import-failure";
import { type SourceCredential, SourceRegistry } from "../importer/source-registry";
import { RegistryError } from "../registry/registry-error";
import type { Replication } from "../replication";
import { findRegistry, findSubscription, type Registry, registryId, same, type World } from "../world";
import { importAction, may, readAction } from "./access";
import { ArmError, linkedAuthorizationFailed, registryNotFound } from "./errors";
import { type ImportParameters, parseImportParameters, parseSourceImage, parseTargetTag } from "./import-parameters";
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
  const { world, network, tokens } = services;
  const { parameters, target, principal, fault } = job;
  await sleep(world.settings.importDurationMs);
  if (fault?.stayPending === true) return "pending";
  if (fault?.stayPending !== undefined) await sleep(fault.stayPending);
  if (fault?.failWith !== undefined) {
    const { message, code } =
      typeof fault.failWith === "string" ? { message: fault.failWith, code: undefined } : fault.failWith;
    throw new ImportFailure(message, code);
  }
  assertTargetReachable(target);

  const image = parseSourceImage(parameters.source.sourceImage);
  const host = job.source?.loginServer ?? parameters.source.registryUri ?? "";
  const sourceRegistry = job.source ?? registryOfHost(world, host);
  assertExportAllowed(sourceRegistry, target);

  const targets = parameters.targetTags.map((targetTag) => parseTargetTag(targetTag, image));
  if (parameters.mode === "NoForce") {
    for (const { repository, tag } of targets) {
      if (target.store.tag(repository, tag)) throw ImportFailure.tagExists(`${repository}:${tag}`);
    }
  }

  const names: SourceNames = { ...image, host, isAzureRegistry: sourceRegistry !== undefined };
  const credential: SourceCredential = job.source
    ? { kind: "entra", token: tokens.issue(principal, registryAudience).token }
    : parameters.source.credentials
      ? { kind: "password", ...parameters.source.credentials }
      : { kind: "anonymous" };
  const source = new SourceRegistry(
    { host, repository: image.repository, credential, trusted: job.source !== undefined },
    network,
  );

  const reference = image.digest ?? image.tag ?? "latest";
  const tree = await readTree(source, reference, names);
  if (fault?.moveTag && image.tag) await services.moveTag(`${host}/${image.repository}:${image.tag}`);
  const repositories = new Set([
    ...targets.map(({ repository }) => repository),
    ...parameters.untaggedTargetRepositories,
  ]);
  const { store, replicationLagMs } = target;
  for (const repository of repositories) {
    if (replicationLagMs > 0) services.replication.delay(store, repository, tree.root.digest);
    await copyTree(source, tree, store, repository, names);
  }

  // An import by tag asks again what the tag is before it sets its own: the race that digests avoid.
  const digest =
    image.digest ?? (targets.length > 0 ? await resolveDigest(source, reference, names) : tree.root.digest);
  for (const { repository, tag } of targets) {
    if (replicationLagMs > 0) services.replication.delay(store, repository, tag);
    store.setTag(repository, tag, tree.root.digest);
    const set = store.tag(repository, tag);
    if (set) set.digest = digest;
  }
  return "done";
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

function registryOfHost(world: World, host: string): Registry | undefined {
  return world.registries.find((registry) => same(registry.loginServer, host));
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
  return error instanceof Error && ("code" in error || /resolved|no answer|hang up/.test(error.message));
}

function sleep(ms: number): Promise<void> {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms).unref()) : Promise.resolve();
}
