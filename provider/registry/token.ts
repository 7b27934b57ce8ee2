import { ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { isObject, parseJson } from "../json";
import type { HttpRequest, HttpResponse } from "./transport";

/** Where a registry's tokens come from, as its challenge says. */
export interface TokenService {
  readonly realm: URL;
  readonly service?: string | undefined;
}

/** A registry's access token, good for one scope. */
export interface AccessToken {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

// The specification's default, where an response does not say: https://distribution.github.io/distribution/spec/auth/token/
const DEFAULT_LIFETIME_MS = 60_000;

/** Asks a token service as distribution describes it. `headers` carry credentials only where the realm may have them. */
export function requestToken(
  { realm, service }: TokenService,
  scope: string,
  headers: { authorization?: string },
): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.append("scope", scope);
  return { method: "GET", url: url.href, headers };
}

/** Azure: an Entra access token becomes a refresh token of the registry. */
export function exchangeEntraToken(host: string, entraToken: string): HttpRequest {
  return form(`https://${host}/oauth2/exchange`, {
    grant_type: "access_token",
    service: host,
    access_token: entraToken,
  });
}

/** Azure: a refresh token of the registry becomes an access token. */
export function refreshToken(host: string, refresh: string, scope: string): HttpRequest {
  return form(`https://${host}/oauth2/token`, {
    grant_type: "refresh_token",
    service: host,
    scope,
    refresh_token: refresh,
  });
}

/** Reads `access_token` or `token`. */
export function readAccessToken(side: Side, response: HttpResponse, askedAt: number): AccessToken {
  const body = readObject(side, response);
  const value = readToken(side, response, body.access_token || body.token);
  const lifetime = typeof body.expires_in === "number" && body.expires_in > 0 ? body.expires_in * 1000 : undefined;
  const lasts = lifetime ?? (jwtExpiry(value) ?? askedAt + DEFAULT_LIFETIME_MS) - askedAt;
  // renewed a little early, since the way to the registry takes time
  return { value, expires: askedAt + lasts * 0.9 };
}

/** Reads `refresh_token`. */
export function readRefreshToken(side: Side, response: HttpResponse): string {
  return readToken(side, response, readObject(side, response).refresh_token);
}

/** Whether a password is an Entra access token: a JWT, but not one with which an Azure registry renews its own tokens. */
export function isEntraToken(password: string): boolean {
  const claims = jwtClaims(password);
  return claims !== undefined && claims.grant_type !== "refresh_token";
}

function jwtExpiry(token: string): number | undefined {
  const exp = jwtClaims(token)?.exp;
  return typeof exp === "number" ? exp * 1000 : undefined;
}

function jwtClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, claims] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  const parsed = claims === undefined ? undefined : parseJson(Buffer.from(claims, "base64url").toString("utf8"));
  return isObject(parsed) ? parsed : undefined;
}

function form(url: string, fields: Record<string, string>): HttpRequest {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", url, headers, body: new URLSearchParams(fields).toString() };
}

function readObject(side: Side, { body, url }: HttpResponse): Readonly<Record<string, unknown>> {
  const parsed = parseJson(body.toString("utf8"));
  if (isObject(parsed)) return parsed;
  throw new ImportError(registryFailure.invalidResponse(side, url.host, "its token is not JSON"));
}

function readToken(side: Side, { url }: HttpResponse, token: unknown): string {
  if (typeof token === "string" && isHeaderSafe(token)) return token;
  throw new ImportError(registryFailure.invalidResponse(side, url.host, "it grants no token"));
}

/** Whether a token can stand in a header. */
export function isHeaderSafe(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token);
}
