/** What the routes of Resource Manager share: the request, and the checks that come first. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "../entra/token-service";
import type { ImportFault } from "../faults/fault";
import { readBody } from "../registry/http";
import {
  type Cloud,
  cloudOf,
  equalsIgnoreCase,
  findRegistry,
  findSubscription,
  isWithin,
  type Registry,
  type ResourceGroup,
  registryId,
  type State,
  type Subscription,
} from "../state";
import {
  ArmError,
  authorizationFailed,
  registryNotFound,
  resourceGroupNotFound,
  subscriptionNotFound,
  unauthorized,
} from "./arm-error";
import type { ArmServices } from "./import-image";
import { hasPermission } from "./permissions";

/** One request to Resource Manager, with its caller and its route. */
export interface ArmContext extends ArmServices {
  readonly cloud: Cloud;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
  readonly principal: Principal;
  readonly importFault: ImportFault | undefined;
  /** The groups of the route's pattern: subscription, resource group, registry. */
  readonly params: readonly string[];
}

/** The subscription of the path; an error unless it belongs to the caller's tenant. */
export function requireSubscription({ state, params, principal, cloud }: ArmContext): Subscription {
  const [id = ""] = params;
  const subscription = findSubscription(state, id);
  if (!subscription || cloudOf(state, subscription.tenantId) !== cloud) throw subscriptionNotFound(id);
  if (subscription.tenantId !== principal.tenantId) {
    throw unauthorized(
      cloud.login,
      subscription.tenantId,
      "InvalidAuthenticationTokenTenant",
      `The access token is from the wrong issuer 'https://sts.windows.net/${principal.tenantId}/'. It must match the tenant 'https://sts.windows.net/${subscription.tenantId}/' associated with this subscription. Please use the authority (URL) 'https://${cloud.login}/${subscription.tenantId}' to get the token.`,
    );
  }
  return subscription;
}

/** The registry of the path. Permissions are checked first, so that an error does not reveal what exists. */
export function requireRegistry(context: ArmContext, action: string): Registry {
  const [subscriptionId = "", resourceGroup = "", name = ""] = context.params;
  requireSubscription(context);
  const scope = registryScope({ subscriptionId, resourceGroup, name });
  requirePermission(context, action, scope);
  const registry = findRegistry(context.state, scope);
  if (registry) return registry;
  requireResourceGroup(context, resourceGroup);
  throw registryNotFound(name, resourceGroup);
}

export function requirePermission({ state, principal }: ArmContext, action: string, scope: string): void {
  if (!hasPermission(state, principal, action, scope)) throw authorizationFailed(principal, action, scope);
}

export function requireResourceGroup({ state, params }: ArmContext, name: string): void {
  const [subscriptionId = ""] = params;
  if (!findResourceGroup(state, subscriptionId, name)) throw resourceGroupNotFound(name);
}

/** A group that was created, or one that exists because a registry of the default state is in it. */
export function findResourceGroup(state: State, subscriptionId: string, name: string): ResourceGroup | undefined {
  const isThere = (place: { subscriptionId: string }, group: string) =>
    equalsIgnoreCase(place.subscriptionId, subscriptionId) && equalsIgnoreCase(group, name);
  const created = state.resourceGroups.find((group) => isThere(group, group.name));
  const registry = state.registries.find((candidate) => isThere(candidate, candidate.resourceGroup));
  return created ?? (registry && { subscriptionId, name: registry.resourceGroup });
}

/** Deletes what is at or below a scope, with its role assignments. */
export function deleteWithin(state: State, scope: string): void {
  const isKept = (id: string) => !isWithin(scope, id);
  keep(state.registries, (registry) => isKept(registryId(registry)));
  keep(state.otherResources, ({ id }) => isKept(id));
  keep(state.roleAssignments, (assignment) => isKept(assignment.scope));
}

function keep<T>(items: T[], isKept: (item: T) => boolean): void {
  items.splice(0, items.length, ...items.filter(isKept));
}

export function registryScope({
  subscriptionId,
  resourceGroup,
  name,
}: {
  subscriptionId: string;
  resourceGroup: string;
  name: string;
}): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerRegistry/registries/${name}`;
}

/** Reads the body as a JSON object. */
export async function readJsonObject(req: IncomingMessage): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse((await readBody(req)).toString("utf8") || "{}");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  throw new ArmError(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.");
}
