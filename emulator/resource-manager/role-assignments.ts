/** Role assignments, as clients of Resource Manager create and delete them. */
import { send, sendJson } from "../registry/http";
import { equalsIgnoreCase, findRegistry, type RoleAssignment } from "../state";
import {
  type ArmContext,
  readJsonObject,
  requirePermission,
  requireResourceGroup,
  requireSubscription,
} from "./arm-context";
import { ArmError, registryNotFound } from "./arm-error";
import { findRole, roleDefinitionId } from "./permissions";

const action = "Microsoft.Authorization/roleAssignments";
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function getRoleAssignment(context: ArmContext): void {
  const { scope, name } = locate(context, "read");
  const assignment = find(context, scope, name);
  if (!assignment) {
    throw new ArmError(404, "RoleAssignmentNotFound", `The role assignment '${name}' is not found.`);
  }
  sendJson(context.res, 200, resourceOf(assignment, context));
}

export async function putRoleAssignment(context: ArmContext): Promise<void> {
  const { scope, name } = locate(context, "write");
  const { principalId, role } = parseBody(await readJsonObject(context.req), context);
  const { state, res } = context;
  const isSame = (other: RoleAssignment) => other.principalId === principalId && other.role === role;
  const existing = find(context, scope, name);
  if (existing) {
    if (isSame(existing)) return sendJson(res, 200, resourceOf(existing, context));
    throw new ArmError(
      409,
      "RoleAssignmentUpdateNotPermitted",
      "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
    );
  }
  if (state.roleAssignments.some((other) => equalsIgnoreCase(other.scope, scope) && isSame(other))) {
    throw new ArmError(409, "RoleAssignmentExists", "The role assignment already exists.");
  }
  const assignment = { name, principalId, role, scope, createdAt: Date.now() };
  state.roleAssignments.push(assignment);
  sendJson(res, 201, resourceOf(assignment, context));
}

export function deleteRoleAssignment(context: ArmContext): void {
  const { scope, name } = locate(context, "delete");
  const { state, res } = context;
  const assignment = find(context, scope, name);
  if (assignment) {
    state.roleAssignments.splice(state.roleAssignments.indexOf(assignment), 1);
    sendJson(res, 200, resourceOf(assignment, context));
  } else {
    send(res, 204, {});
  }
}

/** The scope and name in the path, if the caller may do `verb` there and the scope exists. */
function locate(context: ArmContext, verb: "read" | "write" | "delete"): { scope: string; name: string } {
  const [subscriptionId = "", below = "", name = ""] = context.params;
  requireSubscription(context);
  const scope = `/subscriptions/${subscriptionId}${below}`;
  requirePermission(context, `${action}/${verb}`, scope);
  if (!guid.test(name)) {
    throw new ArmError(
      400,
      "InvalidRoleAssignmentId",
      `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
    );
  }
  const [, group, registry] =
    /^\/resourceGroups\/([^/]+)(?:\/providers\/Microsoft\.ContainerRegistry\/registries\/([^/]+))?$/i.exec(below) ?? [];
  if (group !== undefined) requireResourceGroup(context, group);
  if (group !== undefined && registry !== undefined && !findRegistry(context.state, scope)) {
    throw registryNotFound(registry, group);
  }
  return { scope, name };
}

function parseBody(body: Record<string, unknown>, { state, principal }: ArmContext) {
  const { principalId = "", roleDefinitionId: id = "" } = Object(body.properties) as Record<string, string>;
  const role = findRole(id);
  if (role === undefined) {
    throw new ArmError(
      400,
      "RoleDefinitionDoesNotExist",
      `The specified role definition with ID '${id.split("/").at(-1)}' does not exist.`,
    );
  }
  if (!state.identities.some(({ objectId }) => equalsIgnoreCase(objectId, principalId))) {
    throw new ArmError(
      400,
      "PrincipalNotFound",
      `Principal ${principalId} does not exist in the directory ${principal.tenantId}. Check that you have the correct principal ID.`,
    );
  }
  return { principalId, role };
}

function find({ state }: ArmContext, scope: string, name: string): RoleAssignment | undefined {
  return state.roleAssignments.find(
    (assignment) => equalsIgnoreCase(assignment.scope, scope) && equalsIgnoreCase(assignment.name ?? "", name),
  );
}

function resourceOf({ name, principalId, role, scope, createdAt = 0 }: RoleAssignment, { params }: ArmContext): object {
  const [subscriptionId = ""] = params;
  const createdOn = new Date(createdAt).toISOString();
  return {
    id: `${scope}/providers/${action}/${name}`,
    name,
    type: action,
    properties: {
      principalId,
      principalType: "ServicePrincipal",
      roleDefinitionId: roleDefinitionId(role, subscriptionId),
      scope,
      createdOn,
      updatedOn: createdOn,
    },
  };
}
