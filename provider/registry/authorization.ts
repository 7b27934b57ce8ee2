/**
 * Authorizes requests to one registry.
 *
 * 1. The scheme is known (Azure, a token without a user, Docker Hub), or a ping asks the registry for it.
 * 2. The scheme gives the request its `Authorization` header; a token service issues a token for the scope.
 * 3. A response that refuses the request may name another scheme or scope, or mean that the token has ended: the request is
 *    authorized once more.
 *
 * https://distribution.github.io/distribution/spec/auth/token/
 */
import { failureOf, ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { type Challenge, parseChallenges } from "./challenge";
import type { Identity } from "./identity";
import { ping } from "./ping";
import { azureScheme, chooseScheme, isSameScheme, knownScheme, type Scheme } from "./scheme";
import { requiredScope, type Scope } from "./scope";
import { type AccessToken, isHeaderSafe } from "./token";
import { TokenClient, type TokenClientOptions } from "./token-client";
import type { HttpResponse } from "./transport/http-message";
import type { RequestOptions } from "./transport/send";

/** The headers that authorize a request. */
export interface AuthHeaders {
  readonly headers: { readonly authorization?: string };
  readonly scheme: Scheme;
  /** The scope of the token. */
  readonly scope: Scope;
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

  /** Other headers after a refusal, or `undefined` when the registry asks for nothing that it has not seen. */
  async reauthorize(
    scope: Scope,
    used: AuthHeaders,
    response: HttpResponse,
    options: RequestOptions,
  ): Promise<AuthHeaders | undefined> {
    if (response.url.host !== this.#host || used.scheme.kind === "bearer") return undefined;
    const challenges = parseChallenges(response.header("www-authenticate") ?? "");
    // Without a challenge, a token that was good may have ended.
    const scheme = challenges.length === 0 ? used.scheme : this.#schemeOf(challenges, used.scheme);
    if (scheme.kind === "anonymous" || (scheme.kind === "basic" && this.#identity.basic === undefined))
      return undefined;

    const required = requiredScope(challenges, scope);
    const { token, isNew } = used;
    // A shared token may not open what it names.
    const needsOther = token !== undefined && (token.isShared || !isNew || token.expires <= Date.now());
    if (isSameScheme(scheme, used.scheme) && !needsOther && required === undefined) return undefined;
    this.#scheme = scheme;
    if (needsOther) this.forget(used);
    return this.#headers(scheme, required ?? scope, options);
  }

  /** Makes the next request get another token. */
  forget({ scheme, scope, token }: AuthHeaders): void {
    if (scheme.kind === "token" && token) this.#tokens.forget(scheme.service, scope, token);
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
    const { status, challenges } = await ping(this.#side, this.#host, options);
    // A registry that responds nevertheless only offers to sign in.
    const isOffer = status >= 200 && status < 300 && this.#identity.credential.kind === "anonymous";
    const scheme = isOffer ? undefined : this.#choose(challenges);
    // Where the ping asks for nothing usable, the response to the request itself may.
    this.#scheme ??= scheme && "kind" in scheme ? scheme : { kind: "anonymous" };
    return this.#scheme;
  }

  #schemeOf(challenges: readonly Challenge[], used: Scheme): Scheme {
    const scheme = this.#choose(challenges, used);
    if ("kind" in scheme) return scheme;
    throw new ImportError(registryFailure.invalidResponse(this.#side, this.#name, scheme.invalid));
  }

  #choose(challenges: readonly Challenge[], used?: Scheme): ReturnType<typeof chooseScheme> {
    if (this.#isAzure) return azureScheme(this.#host);
    return chooseScheme(challenges, {
      host: this.#host,
      hasCredentials: this.#identity.basic !== undefined,
      known: used?.kind === "token" ? used.service : undefined,
      trusts: (realm) => this.#tokens.trusts(realm),
    });
  }

  async #headers(scheme: Scheme, scope: Scope, options: RequestOptions): Promise<AuthHeaders> {
    switch (scheme.kind) {
      case "anonymous":
        return { headers: {}, scheme, scope, isNew: true };
      case "basic": {
        const { basic } = this.#identity;
        return { headers: basic === undefined ? {} : { authorization: `Basic ${basic}` }, scheme, scope, isNew: true };
      }
      case "bearer":
        return { headers: { authorization: `Bearer ${this.#password()}` }, scheme, scope, isNew: true };
      case "token": {
        const issued = await this.#tokens.get(scheme.service, scope, options).catch((error: unknown) => {
          if (!scheme.orBasic || this.#identity.basic === undefined || !isBroken(error)) throw error;
        });
        if (!issued) {
          this.#scheme = { kind: "basic" };
          return this.#headers(this.#scheme, scope, options);
        }
        const { token, isNew } = issued;
        return { headers: { authorization: `Bearer ${token.value}` }, scheme, scope, token, isNew };
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

/** Whether a token service does not work, as opposed to one that refuses the credentials or asks for a wait. */
function isBroken(error: unknown): boolean {
  return /_(UNREACHABLE|UNAVAILABLE|INVALID_RESPONSE)$/.test(failureOf(error)?.code ?? "");
}
