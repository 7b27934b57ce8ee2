import { randomUUID } from "node:crypto";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Principal } from "../entra/tokens";
import type { ImportFault } from "../faults";
import { bearerToken, readBody, send, sendJson, targetOf } from "../registry/http";
import { RegistryError } from "../registry/registry-error";
import {
  type Cloud,
  cloudOf,
  findRegistry,
  findSubscription,
  type Registry,
  registryId,
  type Subscription,
  same,
} from "../world";
import { hasAnyRole, importAction, may, readAction } from "./access";
import {
  ArmError,
  authorizationFailed,
  registryNotFound,
  resourceGroupNotFound,
  subscriptionNotFound,
  unauthorized,
} from "./errors";
import { type ImportServices, startImport } from "./import-image";
import { deleteRegistry, putRegistry, registryListing, registryResource } from "./registries";
import { queryResources } from "./resource-graph";

/** One request on its way through a route. */
interface Call extends ImportServices {
  readonly cloud: Cloud;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
  readonly principal: Principal;
  readonly fault: ImportFault | undefined;
  /** What the route's parentheses caught. */
  readonly caught: readonly string[];
}

type Route = readonly [method: string, path: RegExp, run: (call: Call) => void | Promise<void>];

const subscriptionPath = "/subscriptions/([^/]+)";
const groupPath = `${subscriptionPath}/resourceGroups/([^/]+)`;
const registriesPath = "/providers/Microsoft\\.ContainerRegistry/registries";
const registryPath = `${groupPath}${registriesPath}/([^/]+)`;

const routes: readonly Route[] = [
  ["GET", route("/tenants"), listTenants],
  ["GET", route("/subscriptions"), listSubscriptions],
  ["GET", route(subscriptionPath), getSubscription],
  ["GET", route(`${subscriptionPath}/resources`), listResources],
  ["GET", route(groupPath), getResourceGroup],
  ["PUT", route(groupPath), putResourceGroup],
  ["GET", route(`${subscriptionPath}${registriesPath}`), listRegistries],
  ["GET", route(`${groupPath}${registriesPath}`), listRegistries],
  ["GET", route(registryPath), getRegistry],
  ["PUT", route(registryPath), writeRegistry],
  ["PATCH", route(registryPath), writeRegistry],
  ["DELETE", route(registryPath), removeRegistry],
  ["POST", route(`${registryPath}/importImage`), importImage],
  ["POST", route(`${registryPath}/listCredentials`), listCredentials],
  [
    "GET",
    route(`${subscriptionPath}/providers/Microsoft\\.ContainerRegistry/locations/[^/]+/operationResults/([^/]+)`),
    pollOperation,
  ],
  ["POST", route("/providers/Microsoft\\.ResourceGraph/resources"), resourceGraph],
];

/** Azure Resource Manager of one cloud. */
export function resourceManagerHost(cloud: Cloud, services: ImportServices) {
  return async (req: IncomingMessage, res: ServerResponse, fault?: ImportFault): Promise<void> => {
    const { path, query } = targetOf(req);
    for (const [name, value] of Object.entries(commonHeaders(req))) res.setHeader(name, value);
    try {
      if (path === "/metadata/endpoints") return sendJson(res, 200, cloudMetadata(services.world.clouds, cloud, query));
      const principal = authenticate(req, cloud, services);
      if (!query.has("api-version")) {
        throw new ArmError(
          400,
          "MissingApiVersionParameter",
          "The api-version query parameter (?api-version=) is required for all requests.",
        );
      }
      for (const [method, pattern, run] of routes) {
        const match = method === req.method ? pattern.exec(path) : null;
        if (match) return await run({ ...services, cloud, req, res, query, principal, fault, caught: match.slice(1) });
      }
      throw new ArmError(404, "InvalidResourceType", `The emulator has no resource at '${req.method} ${path}'.`);
    } catch (error) {
      if (error instanceof RegistryError)
        return sendJson(res, error.status, { error: { code: error.code, message: error.message } });
      if (!(error instanceof ArmError)) throw error;
      sendJson(res, error.status, error.body(), { "x-ms-failure-cause": "gateway", ...error.headers });
    }
  };
}

function route(path: string): RegExp {
  return new RegExp(`^${path}/?$`, "i");
}

function authenticate(req: IncomingMessage, cloud: Cloud, { world, tokens }: ImportServices): Principal {
  const token = bearerToken(req);
  const refuse = (code: string, message: string) => unauthorized(cloud.login, "common", code, message);
  if (token === undefined)
    throw refuse("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
  const found = tokens.inspect(token);
  if (!found || cloudOf(world, found.principal.tenantId) !== cloud) {
    throw refuse("InvalidAuthenticationToken", "The access token is invalid.");
  }
  if (found.expired) {
    const expiry = new Date(Math.min(found.expiresAt, Date.now())).toISOString();
    throw refuse(
      "ExpiredAuthenticationToken",
      `The access token expiry UTC time '${expiry}' is earlier than current UTC time '${new Date().toISOString()}'.`,
    );
  }
  if (!cloud.audiences.includes(found.audience)) {
    throw refuse(
      "InvalidAuthenticationTokenAudience",
      `The access token has been obtained for wrong audience or resource '${found.audience}'. It should exactly match with one of the allowed audiences '${cloud.audiences.join("','")}'.`,
    );
  }
  return found.principal;
}

function listTenants({ res, world, principal }: Call): void {
  const tenants = world.tenants.filter(({ id }) => id === principal.tenantId);
  sendJson(res, 200, {
    value: tenants.map(({ id, domain }) => ({ id: `/tenants/${id}`, tenantId: id, defaultDomain: domain })),
  });
}

function listSubscriptions({ res, world, principal }: Call): void {
  const visible = world.subscriptions.filter(
    ({ id, tenantId }) => tenantId === principal.tenantId && hasAnyRole(world, principal, `/subscriptions/${id}`),
  );
  sendJson(res, 200, { value: visible.map(subscriptionResource), count: { type: "Total", value: visible.length } });
}

function getSubscription(call: Call): void {
  sendJson(call.res, 200, subscriptionResource(ownSubscription(call)));
}

function subscriptionResource({ id, tenantId, name }: Subscription): object {
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

function listResources(call: Call): void {
  const { query } = call;
  const conditions = [...(query.get("$filter") ?? "").matchAll(/(\w+)\s+eq\s+'([^']*)'/gi)];
  const resources = readableRegistries(call).filter((registry) =>
    conditions.every(([, field = "", value = ""]) => {
      if (same(field, "resourceType")) return same(value, "Microsoft.ContainerRegistry/registries");
      if (same(field, "name")) return same(value, registry.name);
      if (same(field, "resourceGroup")) return same(value, registry.resourceGroup);
      return false;
    }),
  );
  sendJson(call.res, 200, { value: resources.map(registryListing) });
}

function listRegistries(call: Call): void {
  const [, group] = call.caught;
  const registries = readableRegistries(call).filter(
    ({ resourceGroup }) => group === undefined || same(resourceGroup, group),
  );
  if (group !== undefined && registries.length === 0) assertGroupExists(call, group);
  sendJson(call.res, 200, { value: registries.map(registryResource) });
}

function readableRegistries(call: Call): Registry[] {
  const { id } = ownSubscription(call);
  const { world, principal } = call;
  return world.registries.filter(
    (registry) => same(registry.subscriptionId, id) && may(world, principal, readAction, registryId(registry)),
  );
}

function getResourceGroup(call: Call): void {
  const [subscriptionId = "", name = ""] = call.caught;
  ownSubscription(call);
  assertGroupExists(call, name);
  sendJson(call.res, 200, groupResource(subscriptionId, name));
}

async function putResourceGroup(call: Call): Promise<void> {
  const [subscriptionId = "", name = ""] = call.caught;
  const { id } = ownSubscription(call);
  const scope = `/subscriptions/${subscriptionId}/resourceGroups/${name}`;
  assertMay(call, "Microsoft.Resources/subscriptions/resourceGroups/write", scope);
  await readBody(call.req);
  call.world.resourceGroups.push({ subscriptionId: id, name });
  sendJson(call.res, 201, groupResource(subscriptionId, name));
}

function groupResource(subscriptionId: string, name: string): object {
  return {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${name}`,
    name,
    type: "Microsoft.Resources/resourceGroups",
    location: "westus",
    properties: { provisioningState: "Succeeded" },
  };
}

function getRegistry(call: Call): void {
  sendJson(call.res, 200, registryResource(registryFor(call, readAction)));
}

async function writeRegistry(call: Call): Promise<void> {
  const [subscriptionId = "", resourceGroup = "", name = ""] = call.caught;
  ownSubscription(call);
  const place = { subscriptionId, resourceGroup, name };
  assertMay(call, "Microsoft.ContainerRegistry/registries/write", scopeOf(place));
  assertGroupExists(call, resourceGroup);
  const body = parseObject(await readBody(call.req));
  const { registry, isNew } = putRegistry(call.world, place, body);
  sendJson(call.res, isNew ? 201 : 200, registryResource(registry));
}

function removeRegistry(call: Call): void {
  const [subscriptionId = "", resourceGroup = "", name = ""] = call.caught;
  ownSubscription(call);
  const scope = scopeOf({ subscriptionId, resourceGroup, name });
  assertMay(call, "Microsoft.ContainerRegistry/registries/delete", scope);
  const registry = findRegistry(call.world, scope);
  if (registry) deleteRegistry(call.world, registry);
  send(call.res, registry ? 200 : 204, {});
}

function listCredentials(call: Call): void {
  const registry = registryFor(call, "Microsoft.ContainerRegistry/registries/listCredentials/action");
  const { adminUser } = registry;
  if (!adminUser) {
    throw new ArmError(
      400,
      "UnAuthorizedForCredentialOperations",
      `Cannot perform credential operations for ${registryId(registry)} as admin user is disabled.`,
    );
  }
  const passwords = [{ name: "password", value: adminUser.password }];
  sendJson(call.res, 200, { username: adminUser.username, passwords });
}

async function importImage(call: Call): Promise<void> {
  const { req, res, query, principal, fault, operations, cloud } = call;
  const body = (await readBody(req)).toString("utf8");
  const target = registryFor(call, importAction);
  const apiVersion = query.get("api-version") ?? "";
  const operation = startImport(call, { target, principal, body, host: cloud.resourceManager, apiVersion, fault });
  send(res, 202, { location: operations.url(operation), ...retryAfter(call) });
}

function pollOperation(call: Call): void {
  const { res, operations, query, caught, principal } = call;
  const operation = operations.poll(caught[1] ?? "", query);
  if (operation.tenantId !== principal.tenantId) {
    throw new ArmError(401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.");
  }
  const { state, label } = operation;
  if (state.kind === "failed") throw state.error;
  if (state.kind === "succeeded") sendJson(res, 200, { status: "Succeeded" });
  else {
    const body = { [label]: "Pending", status: "Accepted" };
    sendJson(res, 202, body, { location: operations.url(operation), ...retryAfter(call) });
  }
}

async function resourceGraph(call: Call): Promise<void> {
  const { world, principal, res } = call;
  const visible = world.registries.filter(
    (registry) =>
      findSubscription(world, registry.subscriptionId)?.tenantId === principal.tenantId &&
      may(world, principal, readAction, registryId(registry)),
  );
  const body = parseObject(await readBody(call.req));
  sendJson(res, 200, queryResources(world, visible, principal.tenantId, body));
}

/** The subscription of the path, if the caller's tenant owns it. */
function ownSubscription({ world, caught, principal, cloud }: Call): Subscription {
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
function registryFor(call: Call, action: string): Registry {
  const [subscriptionId = "", resourceGroup = "", name = ""] = call.caught;
  ownSubscription(call);
  const scope = scopeOf({ subscriptionId, resourceGroup, name });
  assertMay(call, action, scope);
  const registry = findRegistry(call.world, scope);
  if (registry) return registry;
  assertGroupExists(call, resourceGroup);
  throw registryNotFound(name, resourceGroup);
}

function assertMay({ world, principal }: Call, action: string, scope: string): void {
  if (!may(world, principal, action, scope)) throw authorizationFailed(principal, action, scope);
}

function assertGroupExists({ world, caught }: Call, name: string): void {
  const [subscriptionId = ""] = caught;
  const isThere = (place: { subscriptionId: string }, group: string) =>
    same(place.subscriptionId, subscriptionId) && same(group, name);
  const exists =
    world.registries.some((registry) => isThere(registry, registry.resourceGroup)) ||
    world.resourceGroups.some((group) => isThere(group, group.name));
  if (!exists) throw resourceGroupNotFound(name);
}

function scopeOf({
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

function retryAfter({ world }: Call): OutgoingHttpHeaders {
  const { retryAfter: seconds } = world.settings;
  return seconds === null ? {} : { "retry-after": String(seconds) };
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8") || "{}");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  throw new ArmError(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.");
}

function commonHeaders(req: IncomingMessage): OutgoingHttpHeaders & Record<string, string> {
  const correlation = String(req.headers["x-ms-correlation-request-id"] ?? randomUUID());
  const clientRequest = req.headers["x-ms-client-request-id"];
  const rates: Record<string, string> =
    req.method === "GET" || req.method === "HEAD"
      ? { "x-ms-ratelimit-remaining-subscription-global-reads": "16499" }
      : {
          "x-ms-ratelimit-remaining-subscription-writes": "799",
          "x-ms-ratelimit-remaining-subscription-global-writes": "11999",
        };
  return {
    "cache-control": "no-cache",
    pragma: "no-cache",
    expires: "-1",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-ms-request-id": randomUUID(),
    "x-ms-correlation-request-id": correlation,
    "x-ms-routing-request-id": `WESTUS:${correlation}`,
    ...(clientRequest === undefined ? {} : { "x-ms-client-request-id": String(clientRequest) }),
    ...rates,
  };
}

/** Where the services of a cloud are: one cloud in the newer API versions, all of them in the older. */
function cloudMetadata(all: readonly Cloud[], own: Cloud, query: URLSearchParams): unknown {
  const describe = (cloud: Cloud) => ({
    name: cloud.name,
    portal: "",
    authentication: {
      loginEndpoint: `https://${cloud.login}`,
      audiences: cloud.audiences,
      tenant: "common",
      identityProvider: "AAD",
    },
    resourceManager: `https://${cloud.resourceManager}/`,
    microsoftGraphResourceId: "https://graph.microsoft.com/",
    suffixes: { acrLoginServer: cloud.registrySuffix, storage: "core.windows.net", keyVaultDns: "vault.azure.net" },
  });
  const isOld = (query.get("api-version") ?? "") < "2022-09-01";
  return isOld ? all.map(describe) : describe(own);
}
