import { newRegistry } from "../default-world";
import { send, sendJson } from "../registry/http";
import {
  cloudOf,
  findRegistry,
  findSubscription,
  type Registry,
  type RegistryProperties,
  registryId,
  same,
  tenantOf,
  type World,
} from "../world";
import { may, readAction } from "./access";
import { assertGroupExists, assertMay, type Call, ownSubscription, readObject, registryFor, scopeOf } from "./call";
import { ArmError } from "./errors";
import { registryListing, registryResource } from "./registry-resource";
import { queryResources } from "./resource-graph";

export function listResources(call: Call): void {
  const { query } = call;
  const conditions = [...(query.get("$filter") ?? "").matchAll(/(\w+)\s+eq\s+'([^']*)'/gi)];
  const resources = readableRegistries(call).filter((registry) =>
    conditions.every(([, field = "", value = ""]) => {
      if (same(field, "resourceType")) return same(value, "Microsoft.ContainerRegistry/registries");
      if (same(field, "name")) return same(value, registry.name);
      if (same(field, "resourceGroup")) return same(value, registry.resourceGroup);
      return false;
    }),
  );
  sendJson(call.res, 200, { value: resources.map(registryListing) });
}

export function listRegistries(call: Call): void {
  const [, group] = call.caught;
  const registries = readableRegistries(call).filter(
    ({ resourceGroup }) => group === undefined || same(resourceGroup, group),
  );
  if (group !== undefined && registries.length === 0) assertGroupExists(call, group);
  sendJson(call.res, 200, { value: registries.map(registryResource) });
}

function readableRegistries(call: Call): Registry[] {
  const { id } = ownSubscription(call);
  const { world, principal } = call;
  return world.registries.filter(
    (registry) => same(registry.subscriptionId, id) && may(world, principal, readAction, registryId(registry)),
  );
}

export function getRegistry(call: Call): void {
  sendJson(call.res, 200, registryResource(registryFor(call, readAction)));
}

export async function writeRegistry(call: Call): Promise<void> {
  const [subscriptionId = "", resourceGroup = "", name = ""] = call.caught;
  ownSubscription(call);
  const place = { subscriptionId, resourceGroup, name };
  assertMay(call, "Microsoft.ContainerRegistry/registries/write", scopeOf(place));
  assertGroupExists(call, resourceGroup);
  const body = await readObject(call.req);
  const { registry, isNew } = putRegistry(call.world, place, body);
  sendJson(call.res, isNew ? 201 : 200, registryResource(registry));
}

export function removeRegistry(call: Call): void {
  const [subscriptionId = "", resourceGroup = "", name = ""] = call.caught;
  ownSubscription(call);
  const scope = scopeOf({ subscriptionId, resourceGroup, name });
  assertMay(call, "Microsoft.ContainerRegistry/registries/delete", scope);
  const registry = findRegistry(call.world, scope);
  if (registry) call.world.registries.splice(call.world.registries.indexOf(registry), 1);
  send(call.res, registry ? 200 : 204, {});
}

export function listCredentials(call: Call): void {
  const registry = registryFor(call, "Microsoft.ContainerRegistry/registries/listCredentials/action");
  const { adminUser } = registry;
  if (!adminUser) {
    throw new ArmError(
      400,
      "UnAuthorizedForCredentialOperations",
      `Cannot perform credential operations for ${registryId(registry)} as admin user is disabled.`,
    );
  }
  const passwords = [{ name: "password", value: adminUser.password }];
  sendJson(call.res, 200, { username: adminUser.username, passwords });
}

export async function resourceGraph(call: Call): Promise<void> {
  const { world, principal, res } = call;
  const visible = world.registries.filter(
    (registry) =>
      findSubscription(world, registry.subscriptionId)?.tenantId === principal.tenantId &&
      may(world, principal, readAction, registryId(registry)),
  );
  const body = await readObject(call.req);
  sendJson(res, 200, queryResources(world, visible, principal.tenantId, body));
}

/** The members of a PUT or PATCH body that mean something here. */
interface RegistryBody {
  readonly location?: string;
  readonly sku?: { readonly name?: Registry["sku"] };
  readonly properties?: {
    readonly adminUserEnabled?: boolean;
    readonly anonymousPullEnabled?: boolean;
    readonly publicNetworkAccess?: Registry["publicNetworkAccess"];
    readonly networkRuleBypassOptions?: Registry["networkRuleBypassOptions"];
    readonly networkRuleSet?: {
      readonly defaultAction?: Registry["defaultAction"];
      readonly ipRules?: readonly { readonly value: string }[];
    };
    readonly policies?: { readonly exportPolicy?: { readonly status?: Registry["exportPolicy"] } };
  };
}

/** Creates or changes a registry as PUT and PATCH do; says whether it is new. */
function putRegistry(
  world: World,
  place: { subscriptionId: string; resourceGroup: string; name: string },
  body: RegistryBody,
): { registry: Registry; isNew: boolean } {
  const changes = propertiesOf(place.name, body);
  const existing = world.registries.find((registry) =>
    same(registryId(registry), registryId({ ...newRegistry(place) })),
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
  const tenantId = tenantOf(world, candidate);
  const suffix = (tenantId && cloudOf(world, tenantId)?.registrySuffix) ?? "azurecr.io";
  candidate.loginServer = `${place.name.toLowerCase()}.${suffix}`;
  if (world.registries.some(({ loginServer }) => same(loginServer, candidate.loginServer))) {
    throw new ArmError(
      409,
      "AlreadyInUse",
      `The registry DNS name ${candidate.loginServer} is already in use. You can check if the name is already claimed using following API: https://docs.microsoft.com/rest/api/containerregistry/registries/checknameavailability`,
    );
  }
  world.registries.push(candidate);
  return { registry: candidate, isNew: true };
}

function propertiesOf(name: string, { location, sku, properties = {} }: RegistryBody): Partial<RegistryProperties> {
  const { networkRuleSet, policies } = properties;
  const changes: { [K in keyof RegistryProperties]?: RegistryProperties[K] | undefined } = {
    location: location?.replaceAll(" ", "").toLowerCase(),
    sku: sku?.name,
    anonymousPull: properties.anonymousPullEnabled,
    adminUser: adminUserOf(name, properties.adminUserEnabled),
    publicNetworkAccess: properties.publicNetworkAccess,
    networkRuleBypassOptions: properties.networkRuleBypassOptions,
    defaultAction: networkRuleSet?.defaultAction,
    ipRules: networkRuleSet?.ipRules?.map(({ value }) => value),
    exportPolicy: policies?.exportPolicy?.status,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function adminUserOf(name: string, isEnabled: boolean | undefined): RegistryProperties["adminUser"] | undefined {
  if (isEnabled === undefined) return undefined;
  return isEnabled ? { username: name, password: `${name}-admin-password` } : null;
}
