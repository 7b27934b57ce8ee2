/**
 * Resources that programs create beside a registry: user-assigned identities, and Container Apps with their environments.
 *
 * They are stored as the client describes them. A container app is rejected unless its image can be pulled, as in production.
 */
import { randomUUID } from "node:crypto";
import { parseImageReference } from "../image-reference";
import { send, sendJson } from "../registry/http";
import { equalsIgnoreCase, findRegistryByHost, type OtherResource } from "../state";
import {
  type ArmContext,
  deleteWithin,
  readJsonObject,
  requirePermission,
  requireResourceGroup,
  requireSubscription,
} from "./arm-context";
import { ArmError } from "./arm-error";
import { hasDataPermission } from "./permissions";

type Body = Readonly<Record<string, unknown>>;

/** What the service adds to the properties of a new resource, by its type in lower case. */
const services: Readonly<Record<string, (context: ArmContext, name: string, properties: Body) => Body>> = {
  "microsoft.managedidentity/userassignedidentities": createIdentity,
  "microsoft.app/managedenvironments": (_, name) => ({ defaultDomain: `${name}.westus.azurecontainerapps.io` }),
  "microsoft.app/containerapps": (context, name, properties) => {
    for (const image of imagesOf(properties)) requirePullable(context, image, properties);
    return { latestRevisionFqdn: `${name}--1.westus.azurecontainerapps.io` };
  },
};

/** A pattern of their types. */
export const otherTypes =
  "Microsoft\\.ManagedIdentity/userAssignedIdentities|Microsoft\\.App/(?:managedEnvironments|containerApps)";

export function getOtherResource(context: ArmContext): void {
  const { id, name, type } = locate(context, "read");
  const found = find(context, id);
  if (!found) throw new ArmError(404, "ResourceNotFound", `The Resource '${type}/${name}' was not found.`);
  sendJson(context.res, 200, resourceOf(found, name, type));
}

export async function putOtherResource(context: ArmContext): Promise<void> {
  const { id, name, type } = locate(context, "write");
  const body = await readJsonObject(context.req);
  const existing = find(context, id);
  const given = Object(body.properties) as Body;
  const before = Object(existing?.body.properties) as Body;
  const properties = {
    ...before,
    ...given,
    ...services[type.toLowerCase()]?.(context, name, { ...before, ...given }),
    provisioningState: "Succeeded",
  };
  const resource = { id, body: { ...body, properties } };
  const { otherResources } = context.state;
  if (existing) otherResources[otherResources.indexOf(existing)] = resource;
  else otherResources.push(resource);
  sendJson(context.res, existing ? 200 : 201, resourceOf(resource, name, type));
}

export function deleteOtherResource(context: ArmContext): void {
  const { id } = locate(context, "delete");
  const found = find(context, id);
  deleteWithin(context.state, id);
  send(context.res, found ? 200 : 204, {});
}

function locate(context: ArmContext, verb: "read" | "write" | "delete"): { id: string; name: string; type: string } {
  const [subscriptionId = "", group = "", type = "", name = ""] = context.params;
  requireSubscription(context);
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/${type}/${name}`;
  requirePermission(context, `${type}/${verb}`, id);
  requireResourceGroup(context, group);
  return { id, name, type };
}

function find({ state }: ArmContext, id: string): OtherResource | undefined {
  return state.otherResources.find((resource) => equalsIgnoreCase(resource.id, id));
}

function resourceOf({ id, body }: OtherResource, name: string, type: string): Body {
  return { ...body, id, name, type };
}

/** A managed identity is also a principal, which can be given roles. */
function createIdentity({ state, principal }: ArmContext, name: string, { principalId }: Body): Body {
  if (principalId !== undefined) return {};
  const { tenantId } = principal;
  const [objectId, clientId] = [randomUUID(), randomUUID()];
  const unused = { secrets: [], certificates: [], federatedCredentials: [], systemAssigned: false };
  state.identities.push({ kind: "managedIdentity", tenantId, clientId, objectId, name, ...unused });
  return { principalId: objectId, clientId, tenantId };
}

function imagesOf({ template }: Body): string[] {
  const { containers = [] } = Object(template) as { containers?: readonly { readonly image?: string }[] };
  return containers.flatMap(({ image }) => image ?? []);
}

/** Rejects an image of a registry here that does not exist, or that the app's identity for this registry may not pull. */
function requirePullable({ state, principal }: ArmContext, image: string, { configuration }: Body): void {
  const { host, repository, tag, digest } = parseImageReference(image);
  const { registry } = findRegistryByHost(state, host) ?? {};
  if (!registry) return;
  const { registries = [] } = Object(configuration) as { registries?: { server?: string; identity?: string }[] };
  const { identity = "" } = registries.find(({ server = "" }) => equalsIgnoreCase(server, host)) ?? {};
  const { properties } = state.otherResources.find(({ id }) => equalsIgnoreCase(id, identity))?.body ?? {};
  const { principalId: objectId = "", clientId = "" } = Object(properties) as Record<string, string>;
  const puller = { tenantId: principal.tenantId, objectId, clientId };
  const reason = hasDataPermission(state, registry, puller, "pull")
    ? "MANIFEST_UNKNOWN: manifest is unknown"
    : "UNAUTHORIZED: authentication required";
  if (reason.startsWith("MANIFEST") && registry.store.manifest(repository, digest ?? tag ?? "latest")) return;
  throw new ArmError(
    400,
    "InvalidParameterValueInContainerTemplate",
    `The following field(s) are either invalid or missing. Field 'template.containers.image' is invalid with details: 'Invalid value: "${image}": GET https://${host}: ${reason}'.`,
  );
}
