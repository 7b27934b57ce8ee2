/** Authentication and authorization of one Azure container registry. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { bearerChallenge, unauthorized } from "./challenge";
import { basicCredentials, bearerToken } from "./http";
import type { RegistryError } from "./registry-error";
import { type Access, covers, intersect } from "./scope";
import { TokenIssuer } from "./token-issuer";

/** An Entra identity. */
export interface RegistryPrincipal {
  readonly objectId: string;
  readonly tenantId: string;
}

/** What a principal may do: in one repository, or, for `catalog`, list all of them. */
export type AcrAction = "pull" | "push" | "delete" | "metadata_read" | "metadata_write" | "catalog";

/** A repository-scoped token with its scope map. */
export interface ScopedToken {
  readonly name: string;
  readonly passwords: readonly string[];
  /** Repository, which may end in `*`, to actions in Azure's words, such as `content/read`. */
  readonly repositories: Readonly<Record<string, readonly string[]>>;
  /** @default "enabled" */
  readonly status?: "enabled" | "disabled";
}

/** Identities and permissions of one registry. They are read at each request, so the caller may change them. */
export interface AcrAuthorityOptions<P extends RegistryPrincipal> {
  /** Login server. */
  readonly host: string;
  /** Tenant of the registry; tokens of other tenants are rejected. */
  readonly tenantId: string;
  /** The principal of a valid Entra access token for one of the audiences. */
  readonly verifyEntra: (token: string, audiences: readonly string[]) => P | undefined;
  /** The principal of a service principal's ID and secret, used as user name and password. */
  readonly verifyServicePrincipal?: (clientId: string, secret: string) => P | undefined;
  /** Permissions of a principal. */
  readonly allows: (principal: P, action: AcrAction, repository: string) => boolean;
  readonly anonymousPull?: boolean;
  readonly scopedTokens?: readonly ScopedToken[];
  readonly adminUser?: { readonly username: string; readonly password: string } | null;
  /** Accepted audiences of Entra tokens. @default those of the registry service and of Resource Manager */
  readonly audiences?: readonly string[];
  /** Lifetimes of issued tokens in seconds. @default 3 hours and 75 minutes */
  readonly lifetimes?: { readonly refresh: number; readonly access: number };
}

/** An authenticated client of the registry and its permissions. */
export interface RegistryClient {
  name: string;
  isAllowed: (action: AcrAction, repository: string) => boolean;
}

/** The user name that marks the password as a token. */
export const tokenUsername = "00000000-0000-0000-0000-000000000000";

const defaultAudiences = [
  "https://containerregistry.azure.net",
  "https://management.azure.com",
  "https://management.core.windows.net",
];

const scopeMapActions: Readonly<Record<string, AcrAction>> = {
  "content/read": "pull",
  "content/write": "push",
  "content/delete": "delete",
  "metadata/read": "metadata_read",
  "metadata/write": "metadata_write",
};

const anonymousActions: ReadonlySet<AcrAction> = new Set(["pull", "metadata_read", "catalog"]);

const authenticationRequired = "authentication required, visit https://aka.ms/acr/authorization for more information.";

/** Authenticates clients, and issues and verifies the tokens of one registry. */
export class AcrAuthority<P extends RegistryPrincipal = RegistryPrincipal> {
  private readonly refreshTokens: TokenIssuer<{ grant_type: "refresh_token"; tenant: string }>;
  private readonly accessTokens: TokenIssuer<{ grant_type: "access_token"; access: Access[] }>;
  /** The client of each refresh token: permissions are evaluated when it is used, not when it was issued. */
  private readonly clients = new Map<string, RegistryClient>();

  constructor(private readonly options: AcrAuthorityOptions<P>) {
    this.refreshTokens = new TokenIssuer("Azure Container Registry", options.host);
    this.accessTokens = new TokenIssuer("Azure Container Registry", options.host);
  }

  get host(): string {
    return this.options.host;
  }

  /** Exchanges an Entra token for a refresh token of this registry. */
  exchange(entraToken: string): string | undefined {
    const { verifyEntra, audiences = defaultAudiences, tenantId } = this.options;
    const principal = verifyEntra(entraToken, audiences);
    if (principal?.tenantId !== tenantId) return undefined;
    const subject = randomUUID();
    this.clients.set(subject, this.principalClient(principal));
    const { refresh } = this.lifetimes();
    return this.refreshTokens.issue(subject, refresh, { grant_type: "refresh_token", tenant: tenantId });
  }

  clientOfRefreshToken(token: string): RegistryClient | undefined {
    const claims = this.refreshTokens.verify(token);
    return claims && this.clients.get(claims.sub);
  }

  /** The client of a refresh token as password, a repository-scoped token, the admin user, or a service principal. */
  clientOfPassword(username: string, password: string): RegistryClient | undefined {
    if (username === tokenUsername) return this.clientOfRefreshToken(password);
    const { adminUser, scopedTokens = [], verifyServicePrincipal, tenantId } = this.options;
    if (adminUser?.username === username && adminUser.password === password)
      return { name: username, isAllowed: () => true };
    const scoped = scopedTokens.find(({ name }) => name === username);
    if (scoped !== undefined) return this.scopedTokenClient(scoped, password);
    const principal = verifyServicePrincipal?.(username, password);
    return principal?.tenantId === tenantId ? this.principalClient(principal) : undefined;
  }

  anonymousClient(): RegistryClient | undefined {
    if (!this.options.anonymousPull) return undefined;
    return { name: "anonymous", isAllowed: (action) => anonymousActions.has(action) };
  }

  /** Issues an access token for the allowed part of the requested access, which may be nothing. */
  issueAccessToken(client: RegistryClient, requested: readonly Access[]): string {
    const access = intersect(requested, ({ type, name }, action) => isAllowedOn(client, type, name, action));
    return this.accessTokens.issue(client.name, this.lifetimes().access, { grant_type: "access_token", access });
  }

  authorize(request: IncomingMessage, needed: Access | undefined): void {
    const basic = basicCredentials(request);
    if (basic !== undefined) {
      const identity = this.clientOfPassword(basic.username, basic.password);
      if (identity === undefined) throw this.unauthorizedError(needed);
      if (needed?.actions.every((action) => isAllowedOn(identity, needed.type, needed.name, action)) === false)
        throw this.unauthorizedError(needed, "insufficient_scope");
      return;
    }
    const token = bearerToken(request);
    const claims = token === undefined ? undefined : this.accessTokens.verify(token);
    if (claims === undefined) throw this.unauthorizedError(needed, token === undefined ? undefined : "invalid_token");
    if (needed !== undefined && !covers(claims.access, needed))
      throw this.unauthorizedError(needed, "insufficient_scope");
  }

  /** 401 in Azure's words; `needed` is absent for `/v2/` and the token service. */
  unauthorizedError(needed?: Access, error?: string): RegistryError {
    const { host } = this.options;
    const challenge = bearerChallenge({
      realm: `https://${host}/oauth2/token`,
      service: host,
      scope: needed,
      ...(error === undefined ? {} : { error }),
    });
    const detail = needed?.actions.map((action) => ({ Type: needed.type, Name: needed.name, Action: action }));
    return unauthorized(authenticationRequired, [challenge], detail);
  }

  private lifetimes(): { refresh: number; access: number } {
    return this.options.lifetimes ?? { refresh: 3 * 60 * 60, access: 75 * 60 };
  }

  private principalClient(principal: P): RegistryClient {
    const { allows } = this.options;
    return { name: principal.objectId, isAllowed: (action, repository) => allows(principal, action, repository) };
  }

  private scopedTokenClient(token: ScopedToken, password: string): RegistryClient | undefined {
    if (token.status === "disabled" || !token.passwords.includes(password)) return undefined;
    // A scope map has no action for the catalog: reading the metadata of every repository allows it.
    const wanted = (action: AcrAction) => (action === "catalog" ? "metadata_read" : action);
    return {
      name: token.name,
      isAllowed: (action, repository) =>
        Object.entries(token.repositories)
          .filter(([pattern]) => matchesRepository(pattern, repository))
          .some(([, granted]) => granted.some((verb) => scopeMapActions[verb] === wanted(action))),
    };
  }
}

function isAllowedOn({ isAllowed }: RegistryClient, type: string, name: string, action: string): boolean {
  if (type === "registry") return name === "catalog" && action === "*" && isAllowed("catalog", "");
  if (type !== "repository") return false;
  if (action === "*") return Object.values(scopeMapActions).every((every) => isAllowed(every, name));
  return Object.values<string>(scopeMapActions).includes(action) && isAllowed(action as AcrAction, name);
}

function matchesRepository(pattern: string, repository: string): boolean {
  return pattern.endsWith("*") ? repository.startsWith(pattern.slice(0, -1)) : repository === pattern;
}
