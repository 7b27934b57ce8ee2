import { type Failure, ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { type Challenge, parseChallenges } from "./challenge";
import { denialError, serverMessage } from "./denial";
import { PromiseCache } from "./promise-cache";
import { mayReceiveCredentials } from "./realm";
import { sendRequest } from "./request";
import {
  type AccessToken,
  exchangeEntraToken,
  isEntraToken,
  isHeaderSafe,
  readAccessToken,
  readRefreshToken,
  refreshToken,
  requestToken,
  type TokenService,
} from "./token";
import type { HttpResponse, RequestOptions } from "./transport";

/** Who asks. */
export type RegistryCredential =
  | { readonly kind: "anonymous" }
  /** User and password or access token, service principal, repository-scoped token; or a token alone. */
  | { readonly kind: "password"; readonly username?: string; readonly password: string }
  /** An Entra access token for Azure registries. Used only where Azure vouches for the host. */
  | {
      readonly kind: "entra";
      readonly token: (signal?: AbortSignal) => Promise<string>;
      /** Whose token it is, for messages. */
      readonly who?: string;
    };

/** What is going to be done to which repository. */
export interface Scope {
  readonly repository: string;
  readonly actions: string;
}

/** What a request carries to prove who asks. */
export interface AuthHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly scheme: Scheme;
  readonly token?: AccessToken;
  /** The token was granted for this request, not for an earlier one. */
  readonly isNew: boolean;
}

/** How a registry wants to be asked. */
type Scheme =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic" }
  /** The credential itself is the bearer token. */
  | { readonly kind: "bearer" }
  | { readonly kind: "token"; readonly service: TokenService };

/** How a host answered `GET /v2/`. */
export interface PingResponse {
  readonly status: number;
  readonly challenges: readonly Challenge[];
}

// The user name under which Azure registries take their own tokens as passwords.
const AZURE_TOKEN_USER = "00000000-0000-0000-0000-000000000000";

// Docker Hub's has been the same for years, so that an anonymous client need not ask for it first.
const KNOWN_TOKEN_SERVICES: ReadonlyMap<string, TokenService> = new Map([
  ["registry-1.docker.io", { realm: new URL("https://auth.docker.io/token"), service: "registry.docker.io" }],
]);

// Learned once per host and process, whoever asks.
const pings = new PromiseCache<PingResponse>();

/** Proves to one registry who asks, and keeps what it was granted. */
export class Authorization {
  readonly #tokens = new PromiseCache<AccessToken>();
  readonly #refreshTokens = new PromiseCache<string>();
  readonly #secrets = new Set<string>();
  /** Learned from a refused request: some hosts greet everybody and ask for more later. */
  #scheme: Scheme | undefined;
  /** Asking again and again with wrong credentials would lock the account. */
  #rejected: ImportError | undefined;
  /** Credentials that were good for one repository are not wrong, whatever another one says. */
  #accepted = false;
  /** The status of `GET /v2/`, if the host had to be asked. */
  pingStatus: number | undefined;

  /** `name` is the host as users write it, `host` the one that is asked. */
  constructor(
    private readonly side: Side,
    private readonly name: string,
    private readonly host: string,
    private readonly credential: RegistryCredential,
    private readonly isAzure: boolean,
  ) {
    if (credential.kind === "entra" && !isAzure) throw new ImportError(registryFailure.entraTokenWithheld(side, name));
    if (credential.kind === "password") this.#addSecret(credential.password);
  }

  /** Whoever asks, in the words of a failure. */
  get identity(): string {
    const { credential } = this;
    if (credential.kind === "anonymous") return "an anonymous client";
    if (credential.kind === "entra") return credential.who ?? "the Azure identity of this run";
    return credential.username === undefined
      ? "the holder of the given token"
      : `user ${JSON.stringify(credential.username)}`;
  }

  /** The auth for what is going to be done. */
  async authorize(scope: Scope, options: RequestOptions): Promise<AuthHeaders> {
    if (this.#rejected && !this.#accepted) throw this.#rejected;
    return (
      (await this.#authorizeByKnownService(scope, options)) ??
      this.#headersFor(await this.#findScheme(options), scope, options)
    );
  }

  /** Another auth after a 401, or `undefined` when the registry wants none that it has not seen. */
  async reauthorize(
    scope: Scope,
    used: AuthHeaders,
    response: HttpResponse,
    options: RequestOptions,
  ): Promise<AuthHeaders | undefined> {
    if (response.url.host !== this.host || used.scheme.kind === "bearer") return undefined;
    const challenges = parseChallenges(response.header("www-authenticate") ?? "");
    const wanted = this.#schemeOf(challenges);
    if (wanted.kind === "anonymous") return undefined;

    const wider = widerScope(challenges, scope);
    if (isSameScheme(wanted, used.scheme) && wider === undefined && (used.isNew || wanted.kind === "basic")) {
      return undefined;
    }
    this.#scheme = wanted;
    if (used.token) this.#tokens.forget(scopeText(scope), used.token);
    return this.#headersFor(wanted, wider ?? scope, options);
  }

  /** The failure of an response by which the registry refuses the credentials or the access. */
  deniedError(
    response: HttpResponse,
    auth: AuthHeaders,
    denied: (who: string, message: string | undefined) => Failure,
  ): ImportError {
    const message = this.serverMessage(response);
    const { kind } = auth.scheme;
    const showedCredentials = this.credential.kind === "password" && (kind === "basic" || kind === "bearer");
    return response.status === 401 && showedCredentials && response.url.host === this.host
      ? this.#reject(message)
      : denialError(this.side, response, message, denied(this.identity, message));
  }

  /** What the server gives as its reason, without any of our secrets. */
  serverMessage(response: HttpResponse): string | undefined {
    return serverMessage(response, this.#secrets);
  }

  /**
   * Spares a round trip where the token service is known. Only for a client with nothing to lose: credentials go where the
   * registry itself says. Where something else answers to the name, such as a mirror, the registry is asked after all.
   */
  async #authorizeByKnownService(scope: Scope, options: RequestOptions): Promise<AuthHeaders | undefined> {
    const service = KNOWN_TOKEN_SERVICES.get(this.host);
    if (!service || this.#scheme || this.credential.kind !== "anonymous") return undefined;
    try {
      return await this.#headersFor({ kind: "token", service }, scope, options);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      this.#scheme = await this.#findScheme(options);
      return undefined;
    }
  }

  async #findScheme(options: RequestOptions): Promise<Scheme> {
    if (this.#scheme) return this.#scheme;
    if (this.isAzure) return this.#azureScheme();
    if (this.credential.kind === "password" && this.credential.username === undefined) return { kind: "bearer" };
    const pingResponse = await pings.get(this.host, options.signal, () => this.#ping(withoutSignal(options)));
    this.pingStatus = pingResponse.status;
    return this.#schemeOf(pingResponse.challenges);
  }

  async #ping(options: RequestOptions): Promise<PingResponse> {
    const response = await sendRequest(this.side, { method: "GET", url: `https://${this.host}/v2/` }, options);
    const isOwn = response.status === 401 && response.url.host === this.host;
    return {
      status: response.status,
      challenges: isOwn ? parseChallenges(response.header("www-authenticate") ?? "") : [],
    };
  }

  #schemeOf(challenges: readonly Challenge[]): Scheme {
    if (challenges.length === 0) return { kind: "anonymous" };
    if (this.isAzure) return this.#azureScheme();
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer) return { kind: "token", service: this.#tokenService(bearer) };
    if (challenges.some(({ scheme }) => scheme === "basic")) return { kind: "basic" };
    const schemes = challenges.map(({ scheme }) => scheme).join(", ");
    throw this.#invalid(`it asks for authentication by ${schemes}, only Bearer and Basic are known`);
  }

  /** Known without asking, so that nothing the host says about realms is believed. */
  #azureScheme(): Scheme {
    return { kind: "token", service: { realm: new URL(`https://${this.host}/oauth2/token`), service: this.host } };
  }

  #tokenService({ parameters }: Challenge): TokenService {
    const realm = parameters.get("realm") ?? "";
    if (!URL.canParse(realm)) throw this.#invalid("it names no address that grants tokens");
    return { realm: new URL(realm), service: parameters.get("service") };
  }

  async #headersFor(scheme: Scheme, scope: Scope, options: RequestOptions): Promise<AuthHeaders> {
    switch (scheme.kind) {
      case "anonymous":
        return { headers: {}, scheme, isNew: true };
      case "basic":
        return { headers: this.#basic(), scheme, isNew: true };
      case "bearer":
        return { headers: { authorization: `Bearer ${this.#bearerToken()}` }, scheme, isNew: true };
      case "token": {
        const { token, isNew } = await this.#token(scheme.service, scope, options);
        return { headers: { authorization: `Bearer ${token.value}` }, scheme, token, isNew };
      }
    }
  }

  async #token(
    service: TokenService,
    scope: Scope,
    options: RequestOptions,
  ): Promise<{ token: AccessToken; isNew: boolean }> {
    const key = scopeText(scope);
    for (;;) {
      let isNew = false;
      const token = await this.#tokens.get(key, options.signal, () => {
        isNew = true;
        return this.#grant(service, scope, withoutSignal(options));
      });
      if (isNew || token.expires > Date.now()) return { token, isNew };
      this.#tokens.forget(key, token);
    }
  }

  async #grant(service: TokenService, scope: Scope, options: RequestOptions): Promise<AccessToken> {
    const askedAt = Date.now();
    const token = readAccessToken(this.side, await this.#requestToken(service, scope, options), askedAt);
    this.#addSecret(token.value);
    this.#accepted = true;
    return token;
  }

  async #requestToken(service: TokenService, scope: Scope, options: RequestOptions): Promise<HttpResponse> {
    const { credential, side, host } = this;
    const text = scopeText(scope);
    if (credential.kind === "entra") return this.#exchangeEntraToken(credential.token, scope, options);
    if (credential.kind === "password" && credential.username === undefined && isEntraToken(credential.password)) {
      return this.#exchangeEntraToken(async () => credential.password, scope, options);
    }
    const allowed =
      credential.kind === "anonymous"
        ? service.realm.protocol === "https:"
        : mayReceiveCredentials(host, service.realm);
    if (!allowed)
      throw new ImportError(
        registryFailure.tokenServerUntrusted(side, this.name, `${service.realm.protocol}//${service.realm.host}`),
      );
    const response = await sendRequest(side, requestToken(service, text, this.#basic()), options);
    return this.#checkGranted(response, scope);
  }

  /**
   * Azure's way, https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
   *
   * 1. An Entra token becomes a refresh token of the registry, once.
   * 2. The refresh token becomes an access token, once per scope.
   */
  async #exchangeEntraToken(
    entra: (signal?: AbortSignal) => Promise<string>,
    scope: Scope,
    options: RequestOptions,
  ): Promise<HttpResponse> {
    const renew = async () => {
      const token = await entra(options.signal);
      this.#addSecret(token);
      const response = await sendRequest(this.side, exchangeEntraToken(this.host, token), options);
      const refresh = readRefreshToken(this.side, this.#checkGranted(response, scope));
      this.#addSecret(refresh);
      return refresh;
    };
    const held = await this.#refreshTokens.get("", options.signal, renew);
    const response = await sendRequest(this.side, refreshToken(this.host, held, scopeText(scope)), options);
    if (response.status !== 401) return this.#checkGranted(response, scope);

    this.#refreshTokens.forget("", held);
    const renewed = await this.#refreshTokens.get("", options.signal, renew);
    return this.#checkGranted(
      await sendRequest(this.side, refreshToken(this.host, renewed, scopeText(scope)), options),
      scope,
    );
  }

  /** An response of a token service, if it grants something. */
  #checkGranted(response: HttpResponse, { repository }: Scope): HttpResponse {
    const { status } = response;
    if (status === 200) return response;
    const message = this.serverMessage(response);
    const anonymous = this.credential.kind === "anonymous";
    if (!anonymous && (status === 401 || (status === 400 && this.isAzure))) throw this.#reject(message);
    if (status === 401 || status === 403) {
      const denied = registryFailure.accessDenied(this.side, `${this.name}/${repository}`, this.identity, message);
      throw denialError(this.side, response, message, denied);
    }
    throw this.#invalid(`its token service ${response.url.host} answers ${status}`);
  }

  #basic(): { authorization?: string } {
    if (this.credential.kind !== "password") return {};
    const { username = AZURE_TOKEN_USER, password } = this.credential;
    const encoded = Buffer.from(`${username}:${password}`).toString("base64");
    this.#addSecret(encoded);
    return { authorization: `Basic ${encoded}` };
  }

  #bearerToken(): string {
    const token = this.credential.kind === "password" ? this.credential.password : "";
    if (!isHeaderSafe(token)) throw this.#reject("the token has characters that no token has, such as a line break");
    return token;
  }

  #addSecret(secret: string): void {
    if (secret !== "") this.#secrets.add(secret);
  }

  #reject(message: string | undefined): ImportError {
    this.#rejected = new ImportError(registryFailure.credentialsRejected(this.side, this.name, message));
    return this.#rejected;
  }

  #invalid(reason: string): ImportError {
    return new ImportError(registryFailure.invalidResponse(this.side, this.name, reason));
  }
}

/** For work that several callers share: it goes on when one of them gives up. */
function withoutSignal({ signal, ...patience }: RequestOptions): RequestOptions {
  return patience;
}

function scopeText({ repository, actions }: Scope): string {
  return `repository:${repository}:${actions}`;
}

/** The scope that a refused request asks for, when it goes beyond what was used and concerns the same repository. */
function widerScope(challenges: readonly Challenge[], { repository, actions }: Scope): Scope | undefined {
  const asked = challenges.find(({ scheme }) => scheme === "bearer")?.parameters.get("scope") ?? "";
  const prefix = `repository:${repository}:`;
  const wanted = asked.startsWith(prefix) ? asked.slice(prefix.length) : "";
  if (!/^[a-z_*]+(,[a-z_*]+)*$/.test(wanted)) return undefined;
  const used = actions.split(",");
  return wanted.split(",").every((action) => used.includes(action)) ? undefined : { repository, actions: wanted };
}

function isSameScheme(one: Scheme, other: Scheme): boolean {
  if (one.kind !== "token" || other.kind !== "token") return one.kind === other.kind;
  return one.service.realm.href === other.service.realm.href && one.service.service === other.service.service;
}
