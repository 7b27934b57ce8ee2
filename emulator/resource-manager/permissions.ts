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
import { equalsIgnoreCase, type RegistryProperties, registryId, type State } from "../state";

const registries = "Microsoft.ContainerRegistry/registries";
const repositories = `${registries}/repositories`;

interface Role {
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly dataActions?: readonly string[];
}

const repositoryReader = [`${repositories}/content/read`, `${repositories}/metadata/read`];
const repositoryWriter = [...repositoryReader, `${repositories}/content/write`, `${repositories}/metadata/write`];

const roles: Readonly<Record<string, Role>> = {
  Owner: { actions: ["*"] },
  Contributor: { actions: ["*"], notActions: ["Microsoft.Authorization/*/write", "Microsoft.Authorization/*/delete"] },
  Reader: { actions: ["*/read"] },
  AcrPull: { actions: [`${registries}/pull/read`] },
  AcrPush: { actions: [`${registries}/pull/read`, `${registries}/push/write`] },
  AcrDelete: { actions: [`${registries}/artifacts/delete`] },
  "Container Registry Data Importer and Data Reader": {
    actions: [`${registries}/importImage/action`, `${registries}/read`, `${registries}/pull/read`],
    dataActions: repositoryReader,
  },
  "Container Registry Repository Reader": { dataActions: repositoryReader },
  "Container Registry Repository Writer": { dataActions: repositoryWriter },
  "Container Registry Repository Contributor": {
    dataActions: [...repositoryWriter, `${repositories}/content/delete`, `${repositories}/metadata/delete`],
  },
  "Container Registry Repository Catalog Lister": { dataActions: [`${registries}/catalog/read`] },
};

export const roleNames: readonly string[] = Object.keys(roles);

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
    .flatMap(({ role }) => roles[role] ?? []);
}

function isWithin(scope: string, inner: string): boolean {
  return equalsIgnoreCase(scope, inner) || inner.toLowerCase().startsWith(`${scope.toLowerCase()}/`);
}

function matchesAction(action: string): (pattern: string) => boolean {
  return (pattern) => {
    const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    return new RegExp(`^${source}$`, "i").test(action);
  };
}
