import { readBody, sendJson } from "../registry/http";
import type { Subscription } from "../world";
import { hasAnyRole } from "./access";
import { assertGroupExists, assertMay, type Call, ownSubscription } from "./call";

export function listTenants({ res, world, principal }: Call): void {
  const tenants = world.tenants.filter(({ id }) => id === principal.tenantId);
  sendJson(res, 200, {
    value: tenants.map(({ id, domain }) => ({ id: `/tenants/${id}`, tenantId: id, defaultDomain: domain })),
  });
}

export function listSubscriptions({ res, world, principal }: Call): void {
  const visible = world.subscriptions.filter(
    ({ id, tenantId }) => tenantId === principal.tenantId && hasAnyRole(world, principal, `/subscriptions/${id}`),
  );
  sendJson(res, 200, { value: visible.map(subscriptionResource), count: { type: "Total", value: visible.length } });
}

export function getSubscription(call: Call): void {
  sendJson(call.res, 200, subscriptionResource(ownSubscription(call)));
}

export function subscriptionResource({ id, tenantId, name }: Subscription): object {
  return {
    id: `/subscriptions/${id}`,
    subscriptionId: id,
    tenantId,
    displayName: name,
    state: "Enabled",
    authorizationSource: "RoleBased",
    managedByTenants: [],
    subscriptionPolicies: {
      locationPlacementId: "Public_2014-09-01",
      quotaId: "PayAsYouGo_2014-09-01",
      spendingLimit: "Off",
    },
  };
}

export function getResourceGroup(call: Call): void {
  const [subscriptionId = "", name = ""] = call.caught;
  ownSubscription(call);
  assertGroupExists(call, name);
  sendJson(call.res, 200, groupResource(subscriptionId, name));
}

export async function putResourceGroup(call: Call): Promise<void> {
  const [subscriptionId = "", name = ""] = call.caught;
  const { id } = ownSubscription(call);
  const scope = `/subscriptions/${subscriptionId}/resourceGroups/${name}`;
  assertMay(call, "Microsoft.Resources/subscriptions/resourceGroups/write", scope);
  await readBody(call.req);
  call.world.resourceGroups.push({ subscriptionId: id, name });
  sendJson(call.res, 201, groupResource(subscriptionId, name));
}

export function groupResource(subscriptionId: string, name: string): object {
  return {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${name}`,
    name,
    type: "Microsoft.Resources/resourceGroups",
    location: "westus",
    properties: { provisioningState: "Succeeded" },
  };
}
