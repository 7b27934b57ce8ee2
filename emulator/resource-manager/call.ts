import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "../entra/tokens";
import type { ImportFault } from "../faults";
import { readBody } from "../registry/http";
import { type Cloud, cloudOf, findRegistry, findSubscription, type Registry, type Subscription, same } from "../world";
import { may } from "./access";
import {
  ArmError,
  authorizationFailed,
  registryNotFound,
  resourceGroupNotFound,
  subscriptionNotFound,
  unauthorized,
} from "./errors";
import type { ImportServices } from "./import-image";

/** One request on its way through a route. */
export interface Call extends ImportServices {
  readonly cloud: Cloud;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
  readonly principal: Principal;
  readonly fault: ImportFault | undefined;
  /** What the route's parentheses caught. */
  readonly caught: readonly string[];
}

/** The subscription of the path, if the caller's tenant owns it. */
export function ownSubscription({ world, caught, principal, cloud }: Call): Subscription {
  const [id = ""] = caught;
  const subscription = findSubscription(world, id);
  if (!subscription || cloudOf(world, subscription.tenantId) !== cloud) throw subscriptionNotFound(id);
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

/** The registry of the path, if the caller may do `action` there. Rights come first: nobody learns what exists. */
export function registryFor(call: Call, action: string): Registry {
  const [subscriptionId = "", resourceGroup = "", name = ""] = call.caught;
  ownSubscription(call);
  const scope = scopeOf({ subscriptionId, resourceGroup, name });
  assertMay(call, action, scope);
  const registry = findRegistry(call.world, scope);
  if (registry) return registry;
  assertGroupExists(call, resourceGroup);
  throw registryNotFound(name, resourceGroup);
}

export function assertMay({ world, principal }: Call, action: string, scope: string): void {
  if (!may(world, principal, action, scope)) throw authorizationFailed(principal, action, scope);
}

export function assertGroupExists({ world, caught }: Call, name: string): void {
  const [subscriptionId = ""] = caught;
  const isThere = (place: { subscriptionId: string }, group: string) =>
    same(place.subscriptionId, subscriptionId) && same(group, name);
  const exists =
    world.registries.some((registry) => isThere(registry, registry.resourceGroup)) ||
    world.resourceGroups.some((group) => isThere(group, group.name));
  if (!exists) throw resourceGroupNotFound(name);
}

export function scopeOf({
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

/** The body as a JSON object. */
export async function readObject(req: IncomingMessage): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse((await readBody(req)).toString("utf8") || "{}");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  throw new ArmError(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.");
}
