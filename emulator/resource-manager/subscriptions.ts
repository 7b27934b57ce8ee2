/** Tenants, subscriptions and resource groups of Resource Manager. */
import { send, sendJson } from "../registry/http";
import { equalsIgnoreCase, type ResourceGroup, type State, type Subscription } from "../state";
import {
  type ArmContext,
  deleteWithin,
  findResourceGroup,
  readJsonObject,
  requirePermission,
  requireResourceGroup,
  requireSubscription,
} from "./arm-context";
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
  sendJson(context.res, 200, groupResource(context.state, subscriptionId, name));
}

export async function putResourceGroup(context: ArmContext): Promise<void> {
  const [subscriptionId = "", name = ""] = context.params;
  const { id } = requireSubscription(context);
  requirePermission(context, `${groupAction}/write`, groupScope(subscriptionId, name));
  const { state, req, res } = context;
  const { location, tags } = (await readJsonObject(req)) as Pick<ResourceGroup, "location" | "tags">;
  const existing = findResourceGroup(state, id, name);
  const index = existing ? state.resourceGroups.indexOf(existing) : -1;
  const group = { ...(existing ?? { subscriptionId: id, name }), ...(location && { location }), ...(tags && { tags }) };
  if (index >= 0) state.resourceGroups[index] = group;
  else state.resourceGroups.push(group);
  sendJson(res, existing ? 200 : 201, groupResource(state, id, name));
}

/** Deletes a group with everything in it. In production this is a long-running operation. */
export function deleteResourceGroup(context: ArmContext): void {
  const [subscriptionId = "", name = ""] = context.params;
  requireSubscription(context);
  const scope = groupScope(subscriptionId, name);
  requirePermission(context, `${groupAction}/delete`, scope);
  requireResourceGroup(context, name);
  const { state, res } = context;
  deleteWithin(state, scope);
  const isDeleted = (group: ResourceGroup) => equalsIgnoreCase(groupScope(group.subscriptionId, group.name), scope);
  state.resourceGroups.splice(0, state.resourceGroups.length, ...state.resourceGroups.filter((g) => !isDeleted(g)));
  send(res, 200, {});
}

const groupAction = "Microsoft.Resources/subscriptions/resourceGroups";

function groupScope(subscriptionId: string, name: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${name}`;
}

function groupResource(state: State, subscriptionId: string, name: string): object {
  const group = findResourceGroup(state, subscriptionId, name);
  return {
    id: groupScope(subscriptionId, group?.name ?? name),
    name: group?.name ?? name,
    type: "Microsoft.Resources/resourceGroups",
    location: group?.location ?? "westus",
    tags: group?.tags ?? {},
    properties: { provisioningState: "Succeeded" },
  };
}
