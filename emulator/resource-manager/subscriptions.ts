/** Tenants, subscriptions and resource groups of Resource Manager. */
import { readBody, sendJson } from "../registry/http";
import type { Subscription } from "../state";
import { type ArmContext, requirePermission, requireResourceGroup, requireSubscription } from "./arm-context";
import { hasAnyRole } from "./permissions";

export function listTenants({ res, state, principal }: ArmContext): void {
  const tenants = state.tenants.filter(({ id }) => id === principal.tenantId);
  sendJson(res, 200, {
    value: tenants.map(({ id, domain }) => ({ id: `/tenants/${id}`, tenantId: id, defaultDomain: domain })),
  });
}

export function listSubscriptions({ res, state, principal }: ArmContext): void {
  const visible = state.subscriptions.filter(
    ({ id, tenantId }) => tenantId === principal.tenantId && hasAnyRole(state, principal, `/subscriptions/${id}`),
  );
  sendJson(res, 200, { value: visible.map(subscriptionResource), count: { type: "Total", value: visible.length } });
}

export function getSubscription(context: ArmContext): void {
  sendJson(context.res, 200, subscriptionResource(requireSubscription(context)));
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

export function getResourceGroup(context: ArmContext): void {
  const [subscriptionId = "", name = ""] = context.params;
  requireSubscription(context);
  requireResourceGroup(context, name);
  sendJson(context.res, 200, groupResource(subscriptionId, name));
}

export async function putResourceGroup(context: ArmContext): Promise<void> {
  const [subscriptionId = "", name = ""] = context.params;
  const { id } = requireSubscription(context);
  const scope = `/subscriptions/${subscriptionId}/resourceGroups/${name}`;
  requirePermission(context, "Microsoft.Resources/subscriptions/resourceGroups/write", scope);
  await readBody(context.req);
  context.state.resourceGroups.push({ subscriptionId: id, name });
  sendJson(context.res, 201, groupResource(subscriptionId, name));
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
