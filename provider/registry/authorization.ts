/**
 * Authorizes requests to one registry.
 *
 * 1. The scheme is known (Azure, a token without a user, Docker Hub), or a ping asks the registry for it.
 * 2. The scheme gives the request its `Authorization` header; a token service issues a token for the scope.
 * 3. A 401 after that may name another scheme, a wider scope, or an expired token: the request is authorized once more.
 *
 * https://distribution.github.io/distribution/spec/auth/token/
 */
import { ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { type Challenge, parseChallenges } from "./challenge";
import type { Identity } from "./identity";
import { ping } from "./ping";
import { azureScheme, chooseScheme, isSameScheme, knownScheme, type Scheme } from "./scheme";
import { type Scope, widerScope } from "./scope";
import { type AccessToken, isHeaderSafe } from "./token";
import { TokenClient, type TokenClientOptions } from "./token-client";
import type { HttpResponse } from "./transport/http-message";
import type { RequestOptions } from "./transport/send";

/** The headers that authorize a request. */
export interface AuthHeaders {
  readonly headers: { readonly authorization?: string };
  readonly scheme: Scheme;
  readonly token?: AccessToken;
  /** The token was issued for this request, not for an earlier one. */
  readonly isNew: boolean;
}

export class Authorization {
  readonly #side: Side;
  readonly #name: string;
  readonly #host: string;
  readonly #isAzure: boolean;
  readonly #identity: Identity;
  readonly #tokens: TokenClient;
  /** The scheme that the registry is known to want; a response with another challenge changes it. */
  #scheme: Scheme | undefined;

  constructor(options: TokenClientOptions) {
    const { side, name, host, isAzure, identity } = options;
    const { kind } = identity.credential;
    if (kind === "entra" && !isAzure) throw new ImportError(registryFailure.entraTokenWithheld(side, name));
    this.#side = side;
    this.#name = name;
    this.#host = host;
    this.#isAzure = isAzure;
    this.#identity = identity;
    this.#tokens = new TokenClient(options);
    if (isAzure) this.#scheme = azureScheme(host);
    else if (kind === "password" && identity.credential.username === undefined) this.#scheme = { kind: "bearer" };
  }

  async authorize(scope: Scope, options: RequestOptions): Promise<AuthHeaders> {
    this.#identity.throwIfRejected();
    return (await this.#authorizeByGuess(scope, options)) ?? this.#headers(await this.#pinged(options), scope, options);
  }

  /** Other headers after a 401, or `undefined` when the registry asks for nothing that it has not seen. */
  async reauthorize(
    scope: Scope,
    used: AuthHeaders,
    response: HttpResponse,
    options: RequestOptions,
  ): Promise<AuthHeaders | undefined> {
    if (response.url.host !== this.#host || used.scheme.kind === "bearer") return undefined;
    const challenges = parseChallenges(response.header("www-authenticate") ?? "");
    const scheme = this.#schemeOf(challenges);
    if (scheme.kind === "anonymous") return undefined;

    const wider = widerScope(challenges, scope);
    const wasTried = isSameScheme(scheme, used.scheme) && (used.isNew || scheme.kind === "basic");
    if (wasTried && wider === undefined) return undefined;
    this.#scheme = scheme;
    if (used.token) this.#tokens.forget(scope, used.token);
    return this.#headers(scheme, wider ?? scope, options);
  }

  /**
   * Saves a ping where the scheme can be guessed. Only for an anonymous client: credentials go where the registry itself
   * names a token service. Where the guess fails, for example for a mirror under this name, a ping follows.
   */
  async #authorizeByGuess(scope: Scope, options: RequestOptions): Promise<AuthHeaders | undefined> {
    const guess = this.#identity.credential.kind === "anonymous" ? knownScheme(this.#host) : undefined;
    if (!guess || this.#scheme) return undefined;
    try {
      return await this.#headers(guess, scope, options);
    } catch {
      options.signal?.throwIfAborted();
      return undefined;
    }
  }

  async #pinged(options: RequestOptions): Promise<Scheme> {
    if (this.#scheme) return this.#scheme;
    const { challenges } = await ping(this.#side, this.#host, options);
    this.#scheme ??= this.#schemeOf(challenges);
    return this.#scheme;
  }

  #schemeOf(challenges: readonly Challenge[]): Scheme {
    if (this.#isAzure && challenges.length > 0) return azureScheme(this.#host);
    const scheme = chooseScheme(challenges);
    if ("kind" in scheme) return scheme;
    throw new ImportError(registryFailure.invalidResponse(this.#side, this.#name, scheme.invalid));
  }

  async #headers(scheme: Scheme, scope: Scope, options: RequestOptions): Promise<AuthHeaders> {
    switch (scheme.kind) {
      case "anonymous":
        return { headers: {}, scheme, isNew: true };
      case "basic": {
        const { basic } = this.#identity;
        return { headers: basic === undefined ? {} : { authorization: `Basic ${basic}` }, scheme, isNew: true };
      }
      case "bearer":
        return { headers: { authorization: `Bearer ${this.#password()}` }, scheme, isNew: true };
      case "token": {
        const { token, isNew } = await this.#tokens.get(scheme.service, scope, options);
        return { headers: { authorization: `Bearer ${token.value}` }, scheme, token, isNew };
      }
    }
  }

  #password(): string {
    const { credential } = this.#identity;
    const token = credential.kind === "password" ? credential.password : "";
    if (isHeaderSafe(token)) return token;
    throw this.#identity.reject("the token contains characters that no token has, such as a line break");
  }
}
