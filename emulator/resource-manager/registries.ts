/** The container registries of Resource Manager: list, read, write, delete, credentials, search. */
import { newRegistry } from "../default-state";
import { send, sendJson } from "../registry/http";
import {
  cloudOf,
  equalsIgnoreCase,
  findRegistry,
  findSubscription,
  type Registry,
  type RegistryProperties,
  registryId,
  type State,
  tenantIdOf,
} from "../state";
import {
  type ArmContext,
  deleteWithin,
  readJsonObject,
  registryScope,
  requirePermission,
  requireRegistry,
  requireResourceGroup,
  requireSubscription,
} from "./arm-context";
import { ArmError } from "./arm-error";
import { hasPermission, readAction } from "./permissions";
import { registryResource, registrySummary } from "./registry-resource";
import { searchResources } from "./resource-graph";

export function listResources(context: ArmContext): void {
  const { query } = context;
  const conditions = [...(query.get("$filter") ?? "").matchAll(/(\w+)\s+eq\s+'([^']*)'/gi)];
  const resources = readableRegistries(context).filter((registry) =>
    conditions.every(([, field = "", value = ""]) => {
      if (equalsIgnoreCase(field, "resourceType"))
        return equalsIgnoreCase(value, "Microsoft.ContainerRegistry/registries");
      if (equalsIgnoreCase(field, "name")) return equalsIgnoreCase(value, registry.name);
      if (equalsIgnoreCase(field, "resourceGroup")) return equalsIgnoreCase(value, registry.resourceGroup);
      return false;
    }),
  );
  sendJson(context.res, 200, { value: resources.map(registrySummary) });
}

export function listRegistries(context: ArmContext): void {
  const [, group] = context.params;
  const registries = readableRegistries(context).filter(
    ({ resourceGroup }) => group === undefined || equalsIgnoreCase(resourceGroup, group),
  );
  if (group !== undefined && registries.length === 0) requireResourceGroup(context, group);
  sendJson(context.res, 200, { value: registries.map(registryResource) });
}

function readableRegistries(context: ArmContext): Registry[] {
  const { id } = requireSubscription(context);
  const { state, principal } = context;
  return state.registries.filter(
    (registry) =>
      equalsIgnoreCase(registry.subscriptionId, id) &&
      hasPermission(state, principal, readAction, registryId(registry)),
  );
}

export function getRegistry(context: ArmContext): void {
  sendJson(context.res, 200, registryResource(requireRegistry(context, readAction)));
}

export async function putRegistry(context: ArmContext): Promise<void> {
  const [subscriptionId = "", resourceGroup = "", name = ""] = context.params;
  requireSubscription(context);
  const place = { subscriptionId, resourceGroup, name };
  requirePermission(context, "Microsoft.ContainerRegistry/registries/write", registryScope(place));
  requireResourceGroup(context, resourceGroup);
  const body = await readJsonObject(context.req);
  const { registry, isNew } = createOrUpdate(context.state, place, body);
  sendJson(context.res, isNew ? 201 : 200, registryResource(registry));
}

export function deleteRegistry(context: ArmContext): void {
  const [subscriptionId = "", resourceGroup = "", name = ""] = context.params;
  requireSubscription(context);
  const scope = registryScope({ subscriptionId, resourceGroup, name });
  requirePermission(context, "Microsoft.ContainerRegistry/registries/delete", scope);
  const registry = findRegistry(context.state, scope);
  deleteWithin(context.state, scope);
  send(context.res, registry ? 200 : 204, {});
}

export function listCredentials(context: ArmContext): void {
  const registry = requireRegistry(context, "Microsoft.ContainerRegistry/registries/listCredentials/action");
  const { adminUser } = registry;
  if (!adminUser) {
    throw new ArmError(
      400,
      "UnAuthorizedForCredentialOperations",
      `Cannot perform credential operations for ${registryId(registry)} as admin user is disabled.`,
    );
  }
  const passwords = [{ name: "password", value: adminUser.password }];
  sendJson(context.res, 200, { username: adminUser.username, passwords });
}

export async function queryResourceGraph(context: ArmContext): Promise<void> {
  const { state, principal, res } = context;
  const visible = state.registries.filter(
    (registry) =>
      findSubscription(state, registry.subscriptionId)?.tenantId === principal.tenantId &&
      hasPermission(state, principal, readAction, registryId(registry)),
  );
  const body = await readJsonObject(context.req);
  sendJson(res, 200, searchResources(state, visible, principal.tenantId, body));
}

/** The members of a PUT or PATCH body that the emulator reads. */
interface RegistryBody {
  readonly location?: string;
  readonly tags?: Registry["tags"];
  readonly sku?: { readonly name?: Registry["sku"] };
  readonly properties?: {
    readonly adminUserEnabled?: boolean;
    readonly anonymousPullEnabled?: boolean;
    readonly publicNetworkAccess?: Registry["publicNetworkAccess"];
    readonly roleAssignmentMode?: Registry["roleAssignmentMode"];
    readonly networkRuleBypassOptions?: Registry["networkRuleBypassOptions"];
    readonly networkRuleSet?: {
      readonly defaultAction?: Registry["defaultAction"];
      readonly ipRules?: readonly { readonly value: string }[];
    };
    readonly encryption?: { readonly status?: Registry["encryption"] };
    readonly policies?: {
      readonly exportPolicy?: { readonly status?: Registry["exportPolicy"] };
      readonly quarantinePolicy?: { readonly status?: Registry["quarantinePolicy"] };
    };
  };
}

/** Creates or changes a registry; `isNew` distinguishes the two. */
function createOrUpdate(
  state: State,
  place: { subscriptionId: string; resourceGroup: string; name: string },
  body: RegistryBody,
): { registry: Registry; isNew: boolean } {
  const changes = parseProperties(place.name, body);
  const existing = state.registries.find((registry) =>
    equalsIgnoreCase(registryId(registry), registryId({ ...newRegistry(place) })),
  );
  if (existing) {
    Object.assign(existing, changes);
    return { registry: existing, isNew: false };
  }
  if (!/^[a-zA-Z0-9]{5,50}$/.test(place.name)) {
    throw new ArmError(
      400,
      "InvalidRegistryName",
      `The registry name '${place.name}' must be 5 to 50 alphanumeric characters.`,
    );
  }
  const candidate = newRegistry({ ...place, ...changes });
  const tenantId = tenantIdOf(state, candidate);
  const suffix = (tenantId && cloudOf(state, tenantId)?.registrySuffix) ?? "azurecr.io";
  candidate.loginServer = `${place.name.toLowerCase()}.${suffix}`;
  if (state.registries.some(({ loginServer }) => equalsIgnoreCase(loginServer, candidate.loginServer))) {
    throw new ArmError(
      409,
      "AlreadyInUse",
      `The registry DNS name ${candidate.loginServer} is already in use. You can check if the name is already claimed using following API: https://docs.microsoft.com/rest/api/containerregistry/registries/checknameavailability`,
    );
  }
  state.registries.push(candidate);
  return { registry: candidate, isNew: true };
}

function parseProperties(
  name: string,
  { location, tags, sku, properties = {} }: RegistryBody,
): Partial<RegistryProperties> {
  const { networkRuleSet, policies } = properties;
  const changes: { [K in keyof RegistryProperties]?: RegistryProperties[K] | undefined } = {
    location: location?.replaceAll(" ", "").toLowerCase(),
    tags,
    sku: sku?.name,
    anonymousPull: properties.anonymousPullEnabled,
    adminUser: adminUserFor(name, properties.adminUserEnabled),
    publicNetworkAccess: properties.publicNetworkAccess,
    roleAssignmentMode: properties.roleAssignmentMode,
    networkRuleBypassOptions: properties.networkRuleBypassOptions,
    defaultAction: networkRuleSet?.defaultAction,
    ipRules: networkRuleSet?.ipRules?.map(({ value }) => value),
    exportPolicy: policies?.exportPolicy?.status,
    encryption: properties.encryption?.status,
    quarantinePolicy: policies?.quarantinePolicy?.status,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function adminUserFor(name: string, isEnabled: boolean | undefined): RegistryProperties["adminUser"] | undefined {
  if (isEnabled === undefined) return undefined;
  return isEnabled ? { username: name, password: `${name}-admin-password` } : null;
}
