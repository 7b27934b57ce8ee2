/** Gets access tokens for one identity at one registry, and caches them until they expire. */
import { ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { denialError } from "./denial";
import type { Identity } from "./identity";
import { PromiseCache } from "./promise-cache";
import { mayReceiveCredentials } from "./realm";
import { sendRequest } from "./request";
import { formatScope, type Scope, type Scopes } from "./scope";
import {
  type AccessToken,
  accessTokenRequest,
  exchangeRequest,
  isEntraToken,
  readAccessToken,
  readRefreshToken,
  refreshRequest,
  type TokenService,
} from "./token";
import { TokenBatches } from "./token-batches";
import type { HttpRequest, HttpResponse } from "./transport/http-message";
import { type RequestOptions, withoutSignal } from "./transport/send";

export interface TokenClientOptions {
  readonly side: Side;
  /** The registry as users write it. */
  readonly name: string;
  /** The host that is contacted. */
  readonly host: string;
  readonly isAzure: boolean;
  readonly identity: Identity;
}

export class TokenClient {
  readonly #tokens = new PromiseCache<AccessToken>();
  readonly #refreshTokens = new PromiseCache<string>();
  readonly #batches = new TokenBatches((...args) => this.#requestToken(...args));

  constructor(private readonly options: TokenClientOptions) {}

  /** A token for the scope; `isNew` when it was issued for this call. */
  async get(
    service: TokenService,
    scope: Scope,
    options: RequestOptions,
  ): Promise<{ token: AccessToken; isNew: boolean }> {
    for (;;) {
      let isNew = false;
      const token = await this.#tokens.get(tokenKey(service, scope), options.signal, () => {
        isNew = true;
        return this.#request(service, scope, withoutSignal(options));
      });
      if (isNew || token.expires > Date.now()) return { token, isNew };
      this.forget(service, scope, token);
    }
  }

  /**
   * Makes the next call get another token. A shared one that has not expired turned out not to work: whatever it says,
   * tokens of this service are for one repository.
   */
  forget(service: TokenService, scope: Scope, token: AccessToken): void {
    if (token.isShared && token.expires > Date.now()) this.#batches.separate(service);
    this.#tokens.forget(tokenKey(service, scope), token);
  }

  /** Whether a token may be requested from a realm with the credentials of the identity. */
  trusts(realm: URL): boolean {
    const { host, identity } = this.options;
    return identity.credential.kind === "anonymous" ? realm.protocol === "https:" : mayReceiveCredentials(host, realm);
  }

  /** Tokens of Azure are never shared: they are long already, https://github.com/regclient/regclient/issues/797 */
  #request(service: TokenService, scope: Scope, options: RequestOptions): Promise<AccessToken> {
    const { isAzure, identity } = this.options;
    const isShareable = identity.credential.kind === "anonymous" && !isAzure && scope.actions === "pull";
    return isShareable ? this.#batches.get(service, scope, options) : this.#requestToken(service, [scope], options);
  }

  async #requestToken(service: TokenService, scopes: Scopes, options: RequestOptions): Promise<AccessToken> {
    const { side, identity } = this.options;
    const [scope] = scopes;
    const requestedAt = Date.now();
    const entraToken = entraTokenOf(identity);
    const response = entraToken
      ? await this.#exchange(entraToken, scope, options)
      : await this.#send(this.#tokenRequest(service, scopes), scope, options);
    const token = readAccessToken(side, response, requestedAt);
    identity.addSecret(token.value);
    identity.accept();
    return token;
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  #tokenRequest(service: TokenService, scopes: Scopes): HttpRequest {
    const { side, name, identity } = this.options;
    const { realm } = service;
    if (this.trusts(realm)) return accessTokenRequest(service, scopes, identity.basic);
    const origin = `${realm.protocol}//${realm.host}`;
    throw new ImportError(
      realm.protocol === "https:"
        ? registryFailure.tokenServerUntrusted(side, name, origin)
        : registryFailure.tokenServerWithoutTls(side, name, origin),
    );
  }

  /**
   * The token exchange of Azure registries, https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
   *
   * 1. POST /oauth2/exchange: an Entra access token becomes a refresh token of the registry, once.
   * 2. POST /oauth2/token: the refresh token becomes an access token, once for each scope.
   * 3. When the refresh token has expired, both steps are repeated once.
   */
  async #exchange(entraToken: EntraToken, scope: Scope, options: RequestOptions): Promise<HttpResponse> {
    const { side, host } = this.options;
    const refreshToken = await this.#refreshToken(entraToken, scope, options);
    const response = await sendRequest(side, refreshRequest(host, refreshToken, scope), options);
    if (response.status !== 401) return this.#checkIssued(response, scope);

    this.#refreshTokens.forget(host, refreshToken);
    const renewed = await this.#refreshToken(entraToken, scope, options);
    return this.#send(refreshRequest(host, renewed, scope), scope, options);
  }

  #refreshToken(entraToken: EntraToken, scope: Scope, options: RequestOptions): Promise<string> {
    const { side, host, identity } = this.options;
    return this.#refreshTokens.get(host, options.signal, async () => {
      const token = await entraToken(options.signal);
      identity.addSecret(token);
      const response = await this.#send(exchangeRequest(host, token), scope, options);
      const refreshToken = readRefreshToken(side, response);
      identity.addSecret(refreshToken);
      return refreshToken;
    });
  }

  async #send(request: HttpRequest, scope: Scope, options: RequestOptions): Promise<HttpResponse> {
    return this.#checkIssued(await sendRequest(this.options.side, request, options), scope);
  }

  /** Returns the response of a token service if it issues a token. */
  #checkIssued(response: HttpResponse, { repository }: Scope): HttpResponse {
    const { side, name, isAzure, identity } = this.options;
    const { status } = response;
    if (status >= 200 && status < 300) return response;
    const message = identity.serverMessage(response);
    const isRejection = status === 401 || (status === 400 && isAzure);
    if (isRejection && identity.credential.kind !== "anonymous") throw identity.reject(message);
    if (status === 401 || status === 403) {
      const denied = registryFailure.accessDenied(side, `${name}/${repository}`, identity.description, message);
      throw denialError(side, response, message, denied);
    }
    const reason = `its token service ${response.url.host} returned ${message ?? `HTTP ${status}`}`;
    throw new ImportError(registryFailure.invalidResponse(side, name, reason));
  }
}

function tokenKey({ realm, service }: TokenService, scope: Scope): string {
  return JSON.stringify([realm, service, formatScope(scope)]);
}

type EntraToken = (signal?: AbortSignal) => Promise<string>;

/** A credential that is, or gets, an Entra token, has to be exchanged. */
function entraTokenOf({ credential }: Identity): EntraToken | undefined {
  if (credential.kind === "entra") return credential.token;
  if (credential.kind === "anonymous" || credential.username !== undefined) return undefined;
  return isEntraToken(credential.password) ? async () => credential.password : undefined;
}
