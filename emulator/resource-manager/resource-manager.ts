/** Azure Resource Manager of one cloud: authentication, routes, and errors. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Principal } from "../entra/token-service";
import type { ImportFault } from "../faults/fault";
import { bearerToken, requestTarget, sendJson } from "../registry/http";
import { RegistryError } from "../registry/registry-error";
import { type Cloud, cloudOf } from "../state";
import type { ArmContext } from "./arm-context";
import { ArmError, unauthorized } from "./arm-error";
import { importImage, pollOperation } from "./import-endpoints";
import type { ArmServices } from "./import-image";
import { deleteOtherResource, getOtherResource, otherTypes, putOtherResource } from "./other-resources";
import {
  deleteRegistry,
  getRegistry,
  listCredentials,
  listRegistries,
  listResources,
  putRegistry,
  queryResourceGraph,
} from "./registries";
import { deleteRoleAssignment, getRoleAssignment, putRoleAssignment } from "./role-assignments";
import {
  deleteResourceGroup,
  getResourceGroup,
  getSubscription,
  listSubscriptions,
  listTenants,
  putResourceGroup,
} from "./subscriptions";

type Route = readonly [method: string, path: RegExp, run: (context: ArmContext) => void | Promise<void>];

const subscriptionPath = "/subscriptions/([^/]+)";
const groupPath = `${subscriptionPath}/resourceGroups/([^/]+)`;
const registriesPath = "/providers/Microsoft\\.ContainerRegistry/registries";
const registryPath = `${groupPath}${registriesPath}/([^/]+)`;
const otherPath = `${groupPath}/providers/(${otherTypes})/([^/]+)`;
const roleAssignmentPath = `${subscriptionPath}(/.+)?/providers/Microsoft\\.Authorization/roleAssignments/([^/]+)`;

const routes: readonly Route[] = [
  ["GET", pathPattern("/tenants"), listTenants],
  ["GET", pathPattern("/subscriptions"), listSubscriptions],
  ["GET", pathPattern(subscriptionPath), getSubscription],
  ["GET", pathPattern(`${subscriptionPath}/resources`), listResources],
  ["GET", pathPattern(groupPath), getResourceGroup],
  ["PUT", pathPattern(groupPath), putResourceGroup],
  ["DELETE", pathPattern(groupPath), deleteResourceGroup],
  ["GET", pathPattern(roleAssignmentPath), getRoleAssignment],
  ["PUT", pathPattern(roleAssignmentPath), putRoleAssignment],
  ["DELETE", pathPattern(roleAssignmentPath), deleteRoleAssignment],
  ["GET", pathPattern(otherPath), getOtherResource],
  ["PUT", pathPattern(otherPath), putOtherResource],
  ["DELETE", pathPattern(otherPath), deleteOtherResource],
  ["GET", pathPattern(`${subscriptionPath}${registriesPath}`), listRegistries],
  ["GET", pathPattern(`${groupPath}${registriesPath}`), listRegistries],
  ["GET", pathPattern(registryPath), getRegistry],
  ["PUT", pathPattern(registryPath), putRegistry],
  ["PATCH", pathPattern(registryPath), putRegistry],
  ["DELETE", pathPattern(registryPath), deleteRegistry],
  ["POST", pathPattern(`${registryPath}/importImage`), importImage],
  ["POST", pathPattern(`${registryPath}/listCredentials`), listCredentials],
  [
    "GET",
    pathPattern(`${subscriptionPath}/providers/Microsoft\\.ContainerRegistry/locations/[^/]+/operationResults/([^/]+)`),
    pollOperation,
  ],
  ["POST", pathPattern("/providers/Microsoft\\.ResourceGraph/resources"), queryResourceGraph],
];

/** The handler of a cloud's Resource Manager. */
export function resourceManagerHost(cloud: Cloud, services: ArmServices) {
  return async (req: IncomingMessage, res: ServerResponse, importFault?: ImportFault): Promise<void> => {
    const { path, query } = requestTarget(req);
    for (const [name, value] of Object.entries(commonHeaders(req))) res.setHeader(name, value);
    try {
      if (path === "/metadata/endpoints") return sendJson(res, 200, cloudMetadata(services.state.clouds, cloud, query));
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
        if (match)
          return await run({ ...services, cloud, req, res, query, principal, importFault, params: match.slice(1) });
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

function pathPattern(path: string): RegExp {
  return new RegExp(`^${path}/?$`, "i");
}

function authenticate(req: IncomingMessage, cloud: Cloud, { state, tokens }: ArmServices): Principal {
  const token = bearerToken(req);
  const fail = (code: string, message: string) => unauthorized(cloud.login, "common", code, message);
  if (token === undefined)
    throw fail("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
  const found = tokens.inspect(token);
  if (!found || cloudOf(state, found.principal.tenantId) !== cloud) {
    throw fail("InvalidAuthenticationToken", "The access token is invalid.");
  }
  if (found.isExpired) {
    const expiry = new Date(Math.min(found.expiresAt, Date.now())).toISOString();
    throw fail(
      "ExpiredAuthenticationToken",
      `The access token expiry UTC time '${expiry}' is earlier than current UTC time '${new Date().toISOString()}'.`,
    );
  }
  if (!cloud.audiences.includes(found.audience)) {
    throw fail(
      "InvalidAuthenticationTokenAudience",
      `The access token has been obtained for wrong audience or resource '${found.audience}'. It should exactly match with one of the allowed audiences '${cloud.audiences.join("','")}'.`,
    );
  }
  return found.principal;
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

/** The endpoints of a cloud: newer API versions return one cloud, older ones all of them. */
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
