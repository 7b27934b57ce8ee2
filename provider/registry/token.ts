/** The requests and responses of token services. */
import { ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { isObject, parseJson } from "../json";
import { formatScope, type Scope, type Scopes } from "./scope";
import type { HttpRequest, HttpResponse } from "./transport/http-message";

/** A server that issues tokens, as a challenge names it. */
export interface TokenService {
  readonly realm: URL;
  readonly service?: string | undefined;
}

/** A token that the registry accepts for one scope or several. */
export interface AccessToken {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  /** The repositories that it permits to pull, where it says so itself. */
  readonly repositories?: ReadonlySet<string> | undefined;
  /** It was requested for several repositories. */
  readonly isShared?: boolean;
}

/** The specification's default for a response without a lifetime, https://distribution.github.io/distribution/spec/auth/token/ */
const DEFAULT_LIFETIME_MS = 60_000;

/** Asks a token service for a token; `basic` has the credentials, if the realm may receive them. */
export function accessTokenRequest(
  { realm, service }: TokenService,
  scopes: Scopes,
  basic: string | undefined,
): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", formatScope(scope));
  return { method: "GET", url: url.href, ...(basic !== undefined && { headers: { authorization: `Basic ${basic}` } }) };
}

/** Asks an Azure registry for a refresh token in exchange for an Entra access token. */
export function exchangeRequest(host: string, entraToken: string): HttpRequest {
  const fields = { grant_type: "access_token", service: host, access_token: entraToken };
  return formRequest(`https://${host}/oauth2/exchange`, fields);
}

/** Asks an Azure registry for an access token in exchange for its refresh token. */
export function refreshRequest(host: string, refreshToken: string, scope: Scope): HttpRequest {
  const fields = {
    grant_type: "refresh_token",
    service: host,
    scope: formatScope(scope),
    refresh_token: refreshToken,
  };
  return formRequest(`https://${host}/oauth2/token`, fields);
}

/** Reads `access_token` or `token`. `requestedAt` is in milliseconds since the epoch. */
export function readAccessToken(side: Side, response: HttpResponse, requestedAt: number): AccessToken {
  const body = readObject(side, response);
  const value = readToken(side, response, body.access_token || body.token);
  const seconds = Number(body.expires_in);
  const stated = seconds > 0 && seconds < Number.POSITIVE_INFINITY ? seconds * 1000 : undefined;
  const lifetimeMs = stated ?? (jwtExpiry(value) ?? requestedAt + DEFAULT_LIFETIME_MS) - requestedAt;
  // A little early, so that it does not expire on its way to the registry.
  return { value, expires: requestedAt + lifetimeMs * 0.9, repositories: pullableRepositories(value) };
}

/** Whether a token permits to pull from a repository, as far as it can be read. */
export function permitsPull({ repositories }: AccessToken, repository: string): boolean {
  return repositories?.has(repository) ?? true;
}

/** Reads `refresh_token`. */
export function readRefreshToken(side: Side, response: HttpResponse): string {
  return readToken(side, response, readObject(side, response).refresh_token);
}

/** Whether a password is an Entra access token: a JWT, but not the refresh token of an Azure registry. */
export function isEntraToken(password: string): boolean {
  const claims = jwtClaims(password);
  return claims !== undefined && claims.grant_type !== "refresh_token";
}

function jwtExpiry(token: string): number | undefined {
  const exp = jwtClaims(token)?.exp;
  return typeof exp === "number" ? exp * 1000 : undefined;
}

/** The `access` claim: https://distribution.github.io/distribution/spec/auth/jwt/ */
function pullableRepositories(token: string): ReadonlySet<string> | undefined {
  const access = jwtClaims(token)?.access;
  if (access === undefined) return undefined;
  const names = new Set<string>();
  for (const entry of Array.isArray(access) ? access : []) {
    if (!isObject(entry) || typeof entry.name !== "string" || !Array.isArray(entry.actions)) continue;
    if (entry.type === "repository" && entry.actions.some((action) => action === "pull" || action === "*")) {
      names.add(entry.name);
    }
  }
  return names;
}

function jwtClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, claims] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  const parsed = claims === undefined ? undefined : parseJson(Buffer.from(claims, "base64url").toString("utf8"));
  return isObject(parsed) ? parsed : undefined;
}

function formRequest(url: string, fields: Record<string, string>): HttpRequest {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", url, headers, body: new URLSearchParams(fields).toString() };
}

function readObject(side: Side, { body, url }: HttpResponse): Readonly<Record<string, unknown>> {
  const parsed = parseJson(body.toString("utf8"));
  if (isObject(parsed)) return parsed;
  throw new ImportError(registryFailure.invalidResponse(side, url.host, "the token response is not valid JSON"));
}

function readToken(side: Side, { url }: HttpResponse, token: unknown): string {
  if (typeof token === "string" && isHeaderSafe(token)) return token;
  throw new ImportError(registryFailure.invalidResponse(side, url.host, "the token response contains no token"));
}

/** Whether a token consists of characters that a header may contain. */
export function isHeaderSafe(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token);
}
