/**
 * Built-in roles, cut down to what concerns container registries, and what their assignments allow.
 *
 * A registry honours one of two sets of data-plane permissions, by its role assignment mode: `LegacyRegistryPermissions`
 * honours the actions of a role, `AbacRepositoryPermissions` its data actions. So `AcrPull`, `AcrPush` and `AcrDelete`,
 * and the data plane of `Owner`, `Contributor` and `Reader`, count in the first mode only, the repository roles in the
 * second only. https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-directory-reference
 */
import type { Principal } from "../entra/token-service";
import type { AcrAction } from "../registry/acr-authority";
import { isWithin, type RegistryProperties, type RoleAssignment, registryId, type State } from "../state";

const registries = "Microsoft.ContainerRegistry/registries";
const repositories = `${registries}/repositories`;

const authorization = "Microsoft.Authorization";

interface Role {
  /** The GUID of its definition, by which clients of Resource Manager assign it. */
  readonly id: string;
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly dataActions?: readonly string[];
}

const repositoryReader = [`${repositories}/content/read`, `${repositories}/metadata/read`];
const repositoryWriter = [...repositoryReader, `${repositories}/content/write`, `${repositories}/metadata/write`];

const roles: Readonly<Record<string, Role>> = {
  Owner: { id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", actions: ["*"] },
  Contributor: {
    id: "b24988ac-6180-42a0-ab88-20f7382dd24c",
    actions: ["*"],
    notActions: [`${authorization}/*/write`, `${authorization}/*/delete`],
  },
  Reader: { id: "acdd72a7-3385-48ef-bd42-f606fba81ae7", actions: ["*/read"] },
  "Role Based Access Control Administrator": {
    id: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    actions: [`${authorization}/roleAssignments/write`, `${authorization}/roleAssignments/delete`, "*/read"],
  },
  AcrPull: { id: "7f951dda-4ed3-4680-a7ca-43fe172d538d", actions: [`${registries}/pull/read`] },
  AcrPush: {
    id: "8311e382-0749-4cb8-b61a-304f252e45ec",
    actions: [`${registries}/pull/read`, `${registries}/push/write`],
  },
  AcrDelete: { id: "c2f4ef07-c644-48eb-af81-4b1b4947fb11", actions: [`${registries}/artifacts/delete`] },
  "Container Registry Data Importer and Data Reader": {
    id: "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
    actions: [`${registries}/importImage/action`, `${registries}/read`, `${registries}/pull/read`],
    dataActions: repositoryReader,
  },
  "Container Registry Repository Reader": {
    id: "b93aa761-3e63-49ed-ac28-beffa264f7ac",
    dataActions: repositoryReader,
  },
  "Container Registry Repository Writer": {
    id: "2a1e307c-b015-4ebd-883e-5b7698a07328",
    dataActions: repositoryWriter,
  },
  "Container Registry Repository Contributor": {
    id: "2efddaa5-3f1f-4df3-97df-af3f13818f4c",
    dataActions: [...repositoryWriter, `${repositories}/content/delete`, `${repositories}/metadata/delete`],
  },
  "Container Registry Repository Catalog Lister": {
    id: "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
    dataActions: [`${registries}/catalog/read`],
  },
};

export const roleNames: readonly string[] = Object.keys(roles);

/** The role that a role definition ID names, whatever its scope. */
export function findRole(roleDefinitionId: string): string | undefined {
  const id = roleDefinitionId.split("/").at(-1)?.toLowerCase();
  return roleNames.find((name) => roles[name]?.id === id);
}

export function roleDefinitionId(role: string, subscriptionId: string): string {
  return `/subscriptions/${subscriptionId}/providers/${authorization}/roleDefinitions/${roles[role]?.id}`;
}

export const importAction = `${registries}/importImage/action`;
export const readAction = `${registries}/read`;

/** The role actions of which one allows an action of the data plane. */
const legacyActions: Readonly<Record<AcrAction, readonly string[]>> = {
  pull: [`${registries}/pull/read`],
  push: [`${registries}/push/write`],
  delete: [`${registries}/artifacts/delete`],
  metadata_read: [`${registries}/metadata/read`, `${registries}/pull/read`],
  metadata_write: [`${registries}/metadata/write`],
  catalog: [`${registries}/catalog/read`, `${registries}/pull/read`],
};

const repositoryDataActions: Readonly<Record<AcrAction, string>> = {
  pull: `${repositories}/content/read`,
  push: `${repositories}/content/write`,
  delete: `${repositories}/content/delete`,
  metadata_read: `${repositories}/metadata/read`,
  metadata_write: `${repositories}/metadata/write`,
  catalog: `${registries}/catalog/read`,
};

/** Whether a role of the principal allows `action` at `scope`. A role at a scope holds for everything below it. */
export function hasPermission(state: State, principal: Principal, action: string, scope: string): boolean {
  return rolesAt(state, principal, scope).some(
    ({ actions = [], notActions = [] }) =>
      actions.some(matchesAction(action)) && !notActions.some(matchesAction(action)),
  );
}

/** Whether the principal has any role at or below `scope`: Azure lists the subscriptions of which this is true. */
export function hasAnyRole(state: State, principal: Principal, scope: string): boolean {
  return state.roleAssignments.some(
    (assignment) =>
      isEffective(state, assignment) &&
      assignment.principalId === principal.objectId &&
      (isWithin(assignment.scope, scope) || isWithin(scope, assignment.scope)),
  );
}

/** Whether a role allows the data-plane action. The data plane itself rejects principals of other tenants. */
export function hasDataPermission(
  state: State,
  registry: RegistryProperties,
  principal: Principal,
  action: AcrAction,
): boolean {
  const scope = registryId(registry);
  if (registry.roleAssignmentMode === "LegacyRegistryPermissions") {
    return legacyActions[action].some((roleAction) => hasPermission(state, principal, roleAction, scope));
  }
  const dataAction = repositoryDataActions[action];
  return rolesAt(state, principal, scope).some(({ dataActions = [] }) => dataActions.includes(dataAction));
}

function rolesAt(state: State, principal: Principal, scope: string): Role[] {
  return state.roleAssignments
    .filter((assignment) => assignment.principalId === principal.objectId && isWithin(assignment.scope, scope))
    .filter((assignment) => isEffective(state, assignment))
    .flatMap(({ role }) => roles[role] ?? []);
}

/** A new assignment takes a while to reach the services that enforce it. */
function isEffective({ settings }: State, { createdAt = 0 }: RoleAssignment): boolean {
  return createdAt + settings.roleAssignmentDelayMs <= Date.now();
}

function matchesAction(action: string): (pattern: string) => boolean {
  return (pattern) => {
    const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    return new RegExp(`^${source}$`, "i").test(action);
  };
}
