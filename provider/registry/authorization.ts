import { type Failure, ImportError, registryFailure, type Side } from "../failure";
import { ask } from "./ask";
import { type Challenge, parseChallenges } from "./challenge";
import { mayReceiveCredentials } from "./realm";
import { refusal, saidBy } from "./refusal";
import { Shared } from "./shared";
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
import type { Answer, Budget } from "./transport";

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
export interface Proof {
  readonly headers: Readonly<Record<string, string>>;
  readonly scheme: Scheme;
  readonly token?: AccessToken;
  /** The token was granted for this request, not for an earlier one. */
  readonly fresh: boolean;
}

/** How a registry wants to be asked. */
type Scheme =
  | { readonly kind: "open" }
  | { readonly kind: "basic" }
  /** The credential itself is the bearer token. */
  | { readonly kind: "own token" }
  | { readonly kind: "token"; readonly service: TokenService };

/** How a host answered `GET /v2/`. */
export interface Greeting {
  readonly status: number;
  readonly challenges: readonly Challenge[];
}

// The user name under which Azure registries take their own tokens as passwords.
const AZURE_TOKEN_USER = "00000000-0000-0000-0000-000000000000";

// Docker Hub's has been the same for years, so that an anonymous client need not ask for it first.
const knownServices: ReadonlyMap<string, TokenService> = new Map([
  ["registry-1.docker.io", { realm: new URL("https://auth.docker.io/token"), service: "registry.docker.io" }],
]);

// Learned once per host and process, whoever asks.
const greetings = new Shared<Greeting>();

/** Proves to one registry who asks, and keeps what it was granted. */
export class Authorization {
  readonly #tokens = new Shared<AccessToken>();
  readonly #refreshTokens = new Shared<string>();
  readonly #secrets = new Set<string>();
  /** Learned from a refused request: some hosts greet everybody and ask for more later. */
  #learned: Scheme | undefined;
  /** Asking again and again with wrong credentials would lock the account. */
  #rejection: ImportError | undefined;
  /** Credentials that were good for one repository are not wrong, whatever another one says. */
  #accepted = false;
  /** The status of `GET /v2/`, if the host had to be asked. */
  greetingStatus: number | undefined;

  /** `name` is the host as users write it, `host` the one that is asked. */
  constructor(
    private readonly side: Side,
    private readonly name: string,
    private readonly host: string,
    private readonly credential: RegistryCredential,
    private readonly isAzure: boolean,
  ) {
    if (credential.kind === "entra" && !isAzure) throw new ImportError(registryFailure.entraRefused(side, name));
    if (credential.kind === "password") this.#hide(credential.password);
  }

  /** Whoever asks, in the words of a failure. */
  get who(): string {
    const { credential } = this;
    if (credential.kind === "anonymous") return "an anonymous client";
    if (credential.kind === "entra") return credential.who ?? "the Azure identity of this run";
    return credential.username === undefined
      ? "the holder of the given token"
      : `user ${JSON.stringify(credential.username)}`;
  }

  /** The proof for what is going to be done. */
  async prove(scope: Scope, budget: Budget): Promise<Proof> {
    if (this.#rejection && !this.#accepted) throw this.#rejection;
    return (await this.#guess(scope, budget)) ?? this.#proof(await this.#scheme(budget), scope, budget);
  }

  /** Another proof after a 401, or `undefined` when the registry wants none that it has not seen. */
  async proveAgain(scope: Scope, shown: Proof, answer: Answer, budget: Budget): Promise<Proof | undefined> {
    if (answer.url.host !== this.host || shown.scheme.kind === "own token") return undefined;
    const challenges = parseChallenges(answer.header("www-authenticate") ?? "");
    const wanted = this.#schemeOf(challenges);
    if (wanted.kind === "open") return undefined;

    const wider = wantedActions(challenges, scope);
    if (isSameScheme(wanted, shown.scheme) && wider === undefined && (shown.fresh || wanted.kind === "basic")) {
      return undefined;
    }
    this.#learned = wanted;
    if (shown.token) this.#tokens.forget(scopeText(scope), shown.token);
    return this.#proof(wanted, wider ?? scope, budget);
  }

  /** The failure of an answer by which the registry refuses the credentials or the access. */
  refused(answer: Answer, proof: Proof, denied: (who: string, said: string | undefined) => Failure): ImportError {
    const said = this.said(answer);
    const { kind } = proof.scheme;
    const showedCredentials = this.credential.kind === "password" && (kind === "basic" || kind === "own token");
    return answer.status === 401 && showedCredentials && answer.url.host === this.host
      ? this.#reject(said)
      : refusal(this.side, answer, said, denied(this.who, said));
  }

  /** What the server gives as its reason, without any of our secrets. */
  said(answer: Answer): string | undefined {
    return saidBy(answer, this.#secrets);
  }

  /**
   * Spares a round trip where the token service is known. Only for a client with nothing to lose: credentials go where the
   * registry itself says. Where something else answers to the name, such as a mirror, the registry is asked after all.
   */
  async #guess(scope: Scope, budget: Budget): Promise<Proof | undefined> {
    const service = knownServices.get(this.host);
    if (!service || this.#learned || this.credential.kind !== "anonymous") return undefined;
    try {
      return await this.#proof({ kind: "token", service }, scope, budget);
    } catch (error) {
      if (budget.signal?.aborted) throw error;
      this.#learned = await this.#scheme(budget);
      return undefined;
    }
  }

  async #scheme(budget: Budget): Promise<Scheme> {
    if (this.#learned) return this.#learned;
    if (this.isAzure) return this.#azureScheme();
    if (this.credential.kind === "password" && this.credential.username === undefined) return { kind: "own token" };
    const greeting = await greetings.get(this.host, budget.signal, () => this.#greet(unbound(budget)));
    this.greetingStatus = greeting.status;
    return this.#schemeOf(greeting.challenges);
  }

  async #greet(budget: Budget): Promise<Greeting> {
    const answer = await ask(this.side, { method: "GET", url: `https://${this.host}/v2/` }, budget);
    const isOwn = answer.status === 401 && answer.url.host === this.host;
    return { status: answer.status, challenges: isOwn ? parseChallenges(answer.header("www-authenticate") ?? "") : [] };
  }

  #schemeOf(challenges: readonly Challenge[]): Scheme {
    if (challenges.length === 0) return { kind: "open" };
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

  async #proof(scheme: Scheme, scope: Scope, budget: Budget): Promise<Proof> {
    switch (scheme.kind) {
      case "open":
        return { headers: {}, scheme, fresh: true };
      case "basic":
        return { headers: this.#basic(), scheme, fresh: true };
      case "own token":
        return { headers: { authorization: `Bearer ${this.#ownToken()}` }, scheme, fresh: true };
      case "token": {
        const { token, fresh } = await this.#token(scheme.service, scope, budget);
        return { headers: { authorization: `Bearer ${token.value}` }, scheme, token, fresh };
      }
    }
  }

  async #token(service: TokenService, scope: Scope, budget: Budget): Promise<{ token: AccessToken; fresh: boolean }> {
    const key = scopeText(scope);
    for (;;) {
      let fresh = false;
      const token = await this.#tokens.get(key, budget.signal, () => {
        fresh = true;
        return this.#grant(service, scope, unbound(budget));
      });
      if (fresh || token.expires > Date.now()) return { token, fresh };
      this.#tokens.forget(key, token);
    }
  }

  async #grant(service: TokenService, scope: Scope, budget: Budget): Promise<AccessToken> {
    const askedAt = Date.now();
    const token = readAccessToken(this.side, await this.#askForToken(service, scope, budget), askedAt);
    this.#hide(token.value);
    this.#accepted = true;
    return token;
  }

  async #askForToken(service: TokenService, scope: Scope, budget: Budget): Promise<Answer> {
    const { credential, side, host } = this;
    const text = scopeText(scope);
    if (credential.kind === "entra") return this.#askWithEntra(credential.token, scope, budget);
    if (credential.kind === "password" && credential.username === undefined && isEntraToken(credential.password)) {
      return this.#askWithEntra(async () => credential.password, scope, budget);
    }
    const allowed =
      credential.kind === "anonymous"
        ? service.realm.protocol === "https:"
        : mayReceiveCredentials(host, service.realm);
    if (!allowed)
      throw new ImportError(
        registryFailure.realmRefused(side, this.name, `${service.realm.protocol}//${service.realm.host}`),
      );
    const answer = await ask(side, requestToken(service, text, this.#basic()), budget);
    return this.#granted(answer, scope);
  }

  /**
   * Azure's way, https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
   *
   * 1. An Entra token becomes a refresh token of the registry, once.
   * 2. The refresh token becomes an access token, once per scope.
   */
  async #askWithEntra(entra: (signal?: AbortSignal) => Promise<string>, scope: Scope, budget: Budget): Promise<Answer> {
    const renew = async () => {
      const token = await entra(budget.signal);
      this.#hide(token);
      const answer = await ask(this.side, exchangeEntraToken(this.host, token), budget);
      const refresh = readRefreshToken(this.side, this.#granted(answer, scope));
      this.#hide(refresh);
      return refresh;
    };
    const held = await this.#refreshTokens.get("", budget.signal, renew);
    const answer = await ask(this.side, refreshToken(this.host, held, scopeText(scope)), budget);
    if (answer.status !== 401) return this.#granted(answer, scope);

    this.#refreshTokens.forget("", held);
    const renewed = await this.#refreshTokens.get("", budget.signal, renew);
    return this.#granted(await ask(this.side, refreshToken(this.host, renewed, scopeText(scope)), budget), scope);
  }

  /** An answer of a token service, if it grants something. */
  #granted(answer: Answer, { repository }: Scope): Answer {
    const { status } = answer;
    if (status === 200) return answer;
    const said = this.said(answer);
    const anonymous = this.credential.kind === "anonymous";
    if (!anonymous && (status === 401 || (status === 400 && this.isAzure))) throw this.#reject(said);
    if (status === 401 || status === 403) {
      const denied = registryFailure.accessDenied(this.side, `${this.name}/${repository}`, this.who, said);
      throw refusal(this.side, answer, said, denied);
    }
    throw this.#invalid(`its token service ${answer.url.host} answers ${status}`);
  }

  #basic(): { authorization?: string } {
    if (this.credential.kind !== "password") return {};
    const { username = AZURE_TOKEN_USER, password } = this.credential;
    const encoded = Buffer.from(`${username}:${password}`).toString("base64");
    this.#hide(encoded);
    return { authorization: `Basic ${encoded}` };
  }

  #ownToken(): string {
    const token = this.credential.kind === "password" ? this.credential.password : "";
    if (!isHeaderSafe(token)) throw this.#reject("the token has characters that no token has, such as a line break");
    return token;
  }

  #hide(secret: string): void {
    if (secret !== "") this.#secrets.add(secret);
  }

  #reject(said: string | undefined): ImportError {
    this.#rejection = new ImportError(registryFailure.credentialsRejected(this.side, this.name, said));
    return this.#rejection;
  }

  #invalid(reason: string): ImportError {
    return new ImportError(registryFailure.invalidAnswer(this.side, this.name, reason));
  }
}

/** For work that several callers share: it goes on when one of them gives up. */
function unbound({ signal, ...patience }: Budget): Budget {
  return patience;
}

function scopeText({ repository, actions }: Scope): string {
  return `repository:${repository}:${actions}`;
}

/** The scope that a refused request asks for, when it goes beyond what was shown and concerns the same repository. */
function wantedActions(challenges: readonly Challenge[], { repository, actions }: Scope): Scope | undefined {
  const asked = challenges.find(({ scheme }) => scheme === "bearer")?.parameters.get("scope") ?? "";
  const prefix = `repository:${repository}:`;
  const wanted = asked.startsWith(prefix) ? asked.slice(prefix.length) : "";
  if (!/^[a-z_*]+(,[a-z_*]+)*$/.test(wanted)) return undefined;
  const shown = actions.split(",");
  return wanted.split(",").every((action) => shown.includes(action)) ? undefined : { repository, actions: wanted };
}

function isSameScheme(one: Scheme, other: Scheme): boolean {
  if (one.kind !== "token" || other.kind !== "token") return one.kind === other.kind;
  return one.service.realm.href === other.service.realm.href && one.service.service === other.service.service;
}
