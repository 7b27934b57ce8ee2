/** Entra's login host of one cloud: discovery documents and the token endpoint. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Handler, readForm, requestTarget, sendJson } from "../registry/http";
import { type Cloud, cloudOf, equalsIgnoreCase, findTenant, type Identity, type State, type Tenant } from "../state";
import { checkAssertion } from "./check-assertion";
import { githubIssuer, type OidcIssuer } from "./oidc-issuer";
import { registryAudience, type TokenService } from "./token-service";

/** An error response with its AADSTS number. */
class EntraError extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    readonly number: number,
    text: string,
  ) {
    super(text);
  }
}

interface LoginOptions {
  readonly state: State;
  readonly cloud: Cloud;
  readonly tokens: TokenService;
  readonly issuer: OidcIssuer;
}

/** The handler of a cloud's login host. */
export function loginHost(login: LoginOptions): Handler {
  return async (req, res) => {
    try {
      const body = await handleRequest(login, req);
      sendJson(res, body ? 200 : 404, body ?? { error: "not_found" }, { "cache-control": "no-store, no-cache" });
    } catch (error) {
      if (!(error instanceof EntraError)) throw error;
      sendJson(res, error.status, describeError(error));
    }
  };
}

async function handleRequest(login: LoginOptions, req: IncomingMessage): Promise<object | undefined> {
  const { state, cloud, tokens } = login;
  const { path, query } = requestTarget(req);
  if (path === "/common/discovery/instance") return instanceDiscovery(state, query);
  const [, tenantName = "", ...rest] = path.split("/");
  const endpoint = rest.join("/");
  if (/discovery\/(v2\.0\/)?keys$/.test(endpoint)) return tokens.key.keySet();

  const tenant = findTenant(state, tenantName);
  if (!tenant || cloudOf(state, tenant.id) !== cloud) {
    const text = `Tenant '${tenantName}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`;
    throw new EntraError(400, "invalid_request", 90002, text);
  }
  if (endpoint.endsWith(".well-known/openid-configuration")) return openidConfiguration(cloud, tenant);
  if (req.method !== "POST" || !/^oauth2\/(v2\.0\/)?token$/.test(endpoint)) return undefined;
  return issueToken(login, tenant, await readForm(req));
}

function issueToken(login: LoginOptions, tenant: Tenant, form: URLSearchParams): object {
  const { state, cloud, tokens } = login;
  const grant = form.get("grant_type");
  if (grant !== "client_credentials") {
    throw new EntraError(
      400,
      "unsupported_grant_type",
      70003,
      `The app requested an unsupported grant type '${grant}'.`,
    );
  }
  const clientId = form.get("client_id") ?? "";
  const identity = state.identities.find(
    (candidate) =>
      candidate.kind === "servicePrincipal" &&
      equalsIgnoreCase(candidate.clientId, clientId) &&
      candidate.tenantId === tenant.id,
  );
  if (!identity) {
    const text = `Application with identifier '${clientId}' was not found in the directory '${tenant.domain}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`;
    throw new EntraError(400, "unauthorized_client", 700016, text);
  }
  const audience = requestedAudience(form);
  if (!isKnownAudience(cloud, audience)) {
    const text = `The resource principal named ${audience} was not found in the tenant named ${tenant.domain}.`;
    throw new EntraError(400, "invalid_resource", 500011, text);
  }
  checkCredential(identity, login, tenant, form);
  const { token, expiresIn } = tokens.issue(identity, audience);
  return { token_type: "Bearer", expires_in: expiresIn, ext_expires_in: expiresIn, access_token: token };
}

function checkCredential(
  identity: Identity,
  { cloud, issuer }: LoginOptions,
  tenant: Tenant,
  form: URLSearchParams,
): void {
  const assertion = form.get("client_assertion");
  if (assertion !== null) {
    const authority = `https://${cloud.login}/${tenant.id}`;
    const audiences = [`${authority}/oauth2/v2.0/token`, `${authority}/v2.0`, `${authority}/oauth2/token`];
    const error = checkAssertion(assertion, identity, audiences, issuer.key, githubIssuer);
    if (error) throw new EntraError(401, "invalid_client", error.code, error.text);
    return;
  }
  const secret = form.get("client_secret");
  if (secret === null) {
    const text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    throw new EntraError(401, "invalid_client", 7000218, text);
  }
  if (!identity.secrets.includes(secret)) {
    const text = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${identity.clientId}'.`;
    throw new EntraError(401, "invalid_client", 7000215, text);
  }
}

/** The audience: `scope` in version 2 of the protocol, `resource` in version 1. */
function requestedAudience(form: URLSearchParams): string {
  const resource = form.get("resource");
  if (resource !== null) return resource;
  const scope = (form.get("scope") ?? "").split(" ").find((value) => value.endsWith("/.default")) ?? "";
  return scope.slice(0, -"/.default".length);
}

function isKnownAudience(cloud: Cloud, audience: string): boolean {
  const plain = audience.replace(/\/+$/, "");
  return plain === registryAudience || cloud.audiences.includes(plain);
}

function describeError({ error, number, message }: EntraError): object {
  const trace = randomUUID();
  const correlation = randomUUID();
  const timestamp = new Date()
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
  return {
    error,
    error_description: `AADSTS${number}: ${message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: [number],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
  };
}

function openidConfiguration(cloud: Cloud, tenant: Tenant): object {
  const authority = `https://${cloud.login}/${tenant.id}`;
  return {
    token_endpoint: `${authority}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${authority}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256", "ES256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: `${authority}/v2.0`,
    authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${authority}/oauth2/v2.0/devicecode`,
    end_session_endpoint: `${authority}/oauth2/v2.0/logout`,
    tenant_region_scope: "NA",
    cloud_instance_name: cloud.login.replace("login.", ""),
  };
}

function instanceDiscovery(state: State, query: URLSearchParams): object {
  const endpoint = query.get("authorization_endpoint") ?? "";
  const host = URL.canParse(endpoint) ? new URL(endpoint).host : "login.microsoftonline.com";
  return {
    tenant_discovery_endpoint: endpoint.replace(
      /\/oauth2\/v2\.0\/authorize$/,
      "/v2.0/.well-known/openid-configuration",
    ),
    "api-version": "1.1",
    metadata: state.clouds.map(({ login }) => ({ preferred_network: login, preferred_cache: login, aliases: [login] })),
    ...(state.clouds.some(({ login }) => login === host) ? {} : { error: "invalid_instance" }),
  };
}
