import type { Principal } from "../entra/token-service";
import { equalsIgnoreCase, type RegistryProperties, registryId, type State } from "../state";

const acr = "Microsoft.ContainerRegistry/registries";

interface Role {
  readonly actions: readonly string[];
  readonly notActions?: readonly string[];
}

/** Built-in roles, cut down to what concerns registries. */
const roles: Readonly<Record<string, Role>> = {
  Owner: { actions: ["*"] },
  Contributor: { actions: ["*"], notActions: ["Microsoft.Authorization/*/write", "Microsoft.Authorization/*/delete"] },
  Reader: { actions: ["*/read"] },
  AcrPull: { actions: [`${acr}/pull/read`] },
  AcrPush: { actions: [`${acr}/pull/read`, `${acr}/push/write`] },
  AcrDelete: { actions: [`${acr}/artifacts/delete`] },
  "Container Registry Data Importer and Data Reader": {
    actions: [`${acr}/importImage/action`, `${acr}/read`, `${acr}/pull/read`],
  },
  "Container Registry Repository Reader": { actions: [`${acr}/pull/read`, `${acr}/metadata/read`] },
  "Container Registry Repository Writer": {
    actions: [`${acr}/pull/read`, `${acr}/push/write`, `${acr}/metadata/read`, `${acr}/metadata/write`],
  },
};

export const roleNames: readonly string[] = Object.keys(roles);

export const importAction = `${acr}/importImage/action`;
export const readAction = `${acr}/read`;
const pullAction = `${acr}/pull/read`;

/** Does one of the principal's roles allow `action` at `scope`? A role at a scope holds for everything below it. */
export function hasPermission(state: State, principal: Principal, action: string, scope: string): boolean {
  return state.roleAssignments.some((assignment) => {
    const role = roles[assignment.role];
    if (!role || assignment.principalId !== principal.objectId || !isWithin(assignment.scope, scope)) return false;
    return role.actions.some(matchesAction(action)) && !role.notActions?.some(matchesAction(action));
  });
}

/** Has the principal any role at or below `scope`? What Azure lists are subscriptions of which this is true. */
export function hasAnyRole(state: State, principal: Principal, scope: string): boolean {
  return state.roleAssignments.some(
    (assignment) =>
      assignment.principalId === principal.objectId &&
      (isWithin(assignment.scope, scope) || isWithin(scope, assignment.scope)),
  );
}

/** Actions that a data-plane token can carry, and the role actions of which one is enough. */
const dataActions: Readonly<Record<string, readonly string[]>> = {
  pull: [pullAction],
  push: [`${acr}/push/write`],
  delete: [`${acr}/artifacts/delete`],
  metadata_read: [`${acr}/metadata/read`, pullAction],
  metadata_write: [`${acr}/metadata/write`, `${acr}/push/write`],
  catalog: [`${acr}/catalog/read`, pullAction],
};

/** Does the principal's role give the data-plane action? The data plane itself refuses principals of other tenants. */
export function hasDataPermission(
  state: State,
  registry: RegistryProperties,
  principal: Principal,
  action: string,
): boolean {
  const enough = dataActions[action] ?? [];
  return enough.some((roleAction) => hasPermission(state, principal, roleAction, registryId(registry)));
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
