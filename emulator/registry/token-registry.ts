/** A registry with a token service: https://distribution.github.io/distribution/spec/auth/token/ */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bearerChallenge, unauthorized } from "./challenge";
import { type DistributionOptions, distribution } from "./distribution";
import {
  basicCredentials,
  bearerToken,
  type Handler,
  readForm,
  requestTarget,
  sendJson,
  withErrorResponses,
} from "./http";
import { RegistryError } from "./registry-error";
import { type Access, covers, intersect, parseScopes } from "./scope";
import { TokenIssuer } from "./token-issuer";

export interface Account {
  username: string;
  /** Password or personal access token. */
  password: string;
}

/**
 * What a request for several scopes gets: all that the client may have (as the specification says), the first one only,
 * nothing if one of them is refused (403), or nothing at all (400).
 */
export const severalScopes = ["all", "first", "allOrNothing", "rejected"] as const;

/** The ways in which token services differ, read at each request. */
export interface TokenServiceOptions {
  /** @default "all" */
  readonly severalScopes?: (typeof severalScopes)[number];
  /** Issue tokens that only the registry can read, not JWTs. */
  readonly opaqueTokens?: boolean;
  /** Lifetime of a token in seconds. @default 300 */
  readonly tokenLifetime?: number;
}

/** The ways in which registries with a token service differ. */
export interface TokenRegistryOptions extends Omit<DistributionOptions, "authorize"> {
  /** Full URL of the token service, on the registry's own host or another one. */
  realm: string;
  service: string;
  accounts: readonly Account[];
  /** Whether an account, or an anonymous client, may perform an action in a repository. */
  allows: (account: Account | undefined, action: string, repository: string) => boolean;
  /** Scope in the challenge to `GET /v2/`. @default none: the scope comes with the 401 of a manifest or blob */
  pingScope?: string;
  /** Field of the token service's response that holds the token. @default "both" */
  tokenField?: "token" | "access_token" | "both";
  /** Schemes that a 401 offers, in this order; with `basic`, Basic credentials open the registry itself too. @default ["bearer"] */
  challenges?: readonly ("bearer" | "basic")[];
  /** Put all challenges into one header line instead of one line each. */
  joinChallenges?: boolean;
  tokens?: TokenServiceOptions;
}

/** The handlers of the registry and of its token service. */
export function tokenRegistry(options: TokenRegistryOptions): { registry: Handler; auth: Handler } {
  const issuer = new TokenIssuer<{ access: Access[] }>(options.realm, options.service);
  const registry = distribution({
    ...options,
    authorize: (request, needed) => authorize(options, issuer, request, needed),
  });
  const auth = withErrorResponses((request, response) => handleTokenRequest(options, issuer, request, response));
  return { registry, auth };
}

function authorize(
  options: TokenRegistryOptions,
  issuer: TokenIssuer<{ access: Access[] }>,
  request: IncomingMessage,
  needed: Access | undefined,
): void {
  const basic = options.challenges?.includes("basic") ? basicCredentials(request) : undefined;
  if (basic !== undefined) {
    const account = findAccount(options, basic);
    if (account !== undefined && (needed === undefined || isAllowed(options, account, needed))) return;
    throw unauthorizedError(options, needed);
  }
  const token = bearerToken(request);
  const claims = token === undefined ? undefined : issuer.verify(token);
  if (token !== undefined && claims === undefined) throw unauthorizedError(options, needed, "invalid_token");
  if (claims === undefined) throw unauthorizedError(options, needed);
  if (needed !== undefined && !covers(claims.access, needed))
    throw unauthorizedError(options, needed, "insufficient_scope");
}

function unauthorizedError(options: TokenRegistryOptions, needed: Access | undefined, error?: string): RegistryError {
  const { realm, service, pingScope, challenges = ["bearer"], joinChallenges } = options;
  const scope = needed ?? pingScope;
  const lines = challenges.map((scheme) =>
    scheme === "basic"
      ? `Basic realm="${service}"`
      : bearerChallenge({ realm, service, scope, ...(error === undefined ? {} : { error }) }),
  );
  const detail = needed?.actions.map((action) => ({ Type: needed.type, Name: needed.name, Action: action }));
  return unauthorized("authentication required", joinChallenges ? [lines.join(", ")] : lines, detail ?? null);
}

async function handleTokenRequest(
  options: TokenRegistryOptions,
  issuer: TokenIssuer<{ access: Access[] }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "POST")
    throw new RegistryError(405, "UNSUPPORTED", "the operation is unsupported", undefined, { allow: "GET, POST" });
  const form = request.method === "POST" ? await readForm(request) : requestTarget(request).query;
  if (form.get("service") !== options.service)
    throw new RegistryError(400, "UNSUPPORTED", `unknown service "${form.get("service") ?? ""}"`);
  const given = request.method === "POST" ? formCredentials(form) : basicCredentials(request);
  const account = given && findAccount(options, given);
  const isAnonymous = given === undefined && request.headers.authorization === undefined;
  if (account === undefined && !isAnonymous) throw unauthorized("incorrect username or password", []);
  const { tokens: { opaqueTokens = false, tokenLifetime = 300 } = {}, tokenField = "both" } = options;
  const access = grantedAccess(options, account, parseScopes(form.getAll("scope")));
  const token = issuer.issue(account?.username ?? "", tokenLifetime, { access }, opaqueTokens);
  sendJson(response, 200, {
    ...(tokenField === "access_token" ? {} : { token }),
    ...(tokenField === "token" ? {} : { access_token: token }),
    expires_in: tokenLifetime,
    issued_at: new Date().toISOString(),
  });
}

function grantedAccess(
  { tokens = {}, allows }: TokenRegistryOptions,
  account: Account | undefined,
  requested: readonly Access[],
): Access[] {
  const isSeveral = requested.length > 1;
  if (isSeveral && tokens.severalScopes === "rejected")
    throw new RegistryError(400, "UNSUPPORTED", "duplicate field scope");
  const considered = isSeveral && tokens.severalScopes === "first" ? requested.slice(0, 1) : requested;
  const granted = intersect(
    considered,
    ({ type, name }, action) => type === "repository" && allows(account, action, name),
  );
  if (isSeveral && tokens.severalScopes === "allOrNothing" && granted.length < requested.length)
    throw new RegistryError(403, "DENIED", "requested access to the resource is denied");
  return granted;
}

function formCredentials(form: URLSearchParams): { username: string; password: string } | undefined {
  if (form.get("grant_type") !== "password") throw new RegistryError(400, "UNSUPPORTED", "unsupported grant type");
  return { username: form.get("username") ?? "", password: form.get("password") ?? "" };
}

function findAccount(
  { accounts }: TokenRegistryOptions,
  given: { username: string; password: string },
): Account | undefined {
  return accounts.find(({ username, password }) => username === given.username && password === given.password);
}

function isAllowed({ allows }: TokenRegistryOptions, account: Account, { type, name, actions }: Access): boolean {
  return type === "repository" && actions.every((action) => allows(account, action, name));
}
