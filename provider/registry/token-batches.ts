/** Requests one token for several repositories, where their clients ask in the same turn of the event loop. */
import { failureOf } from "../failure/failure";
import type { Scope, Scopes } from "./scope";
import { type AccessToken, permitsPull, type TokenService } from "./token";
import type { RequestOptions } from "./transport/send";

const MAX_REPOSITORIES = 20;
/** All names of a request in characters: with more, a token of Docker Hub, which has parameters for each, exceeds 7 kB. */
const MAX_NAMES_LENGTH = 1_200;
/** Many servers accept no header line of more than 8 kB: https://github.com/regclient/regclient/issues/797 */
const MAX_TOKEN_LENGTH = 7 * 1024;

type RequestToken = (service: TokenService, scopes: Scopes, options: RequestOptions) => Promise<AccessToken>;

interface Caller {
  readonly scope: Scope;
  readonly options: RequestOptions;
  readonly resolve: (token: Promise<AccessToken>) => void;
}

type Batch = readonly [Caller, ...Caller[]];

/**
 * A request may name several scopes: https://distribution.github.io/distribution/spec/auth/token/#requesting-a-token
 *
 * Not every service grants them. Some grant one only (https://github.com/cesanta/docker_auth/issues/67), some reject the request
 * (https://github.com/artifact-keeper/artifact-keeper/issues/2277), some refuse all where they refuse one. A repository that gets
 * no token in this way asks alone, so that its failure is its own; and its service is asked for one repository at a time from
 * then on.
 */
export class TokenBatches {
  readonly #callers = new Map<string, Caller[]>();
  readonly #separate = new Set<string>();

  /** @param requestToken - Requests a token for some repositories at once. */
  constructor(private readonly requestToken: RequestToken) {}

  /** A token for a scope, after this turn of the event loop. */
  get(service: TokenService, scope: Scope, options: RequestOptions): Promise<AccessToken> {
    return new Promise((resolve) => {
      const key = serviceKey(service);
      const callers = this.#callers.get(key);
      callers?.push({ scope, options, resolve });
      if (callers) return;
      this.#callers.set(key, [{ scope, options, resolve }]);
      setImmediate(() => this.#requestTokens(service));
    });
  }

  /** Makes the service be asked for one repository at a time. */
  separate(service: TokenService): void {
    this.#separate.add(serviceKey(service));
  }

  #requestTokens(service: TokenService): void {
    const key = serviceKey(service);
    const callers = this.#callers.get(key) ?? [];
    this.#callers.delete(key);
    for (const batch of toBatches(callers, this.#separate.has(key) ? 1 : MAX_REPOSITORIES)) {
      const shared = batch.length > 1 ? this.#requestShared(service, batch) : Promise.resolve(undefined);
      for (const { scope, options, resolve } of batch) {
        resolve(
          shared.then((token) =>
            token && permitsPull(token, scope.repository) ? token : this.requestToken(service, [scope], options),
          ),
        );
      }
    }
  }

  /** A token for all or some of the repositories; without one, each asks alone. */
  async #requestShared(service: TokenService, batch: Batch): Promise<AccessToken | undefined> {
    const [first, ...others] = batch;
    const scopes: Scopes = [first.scope, ...others.map(({ scope }) => scope)];
    const token = await this.requestToken(service, scopes, first.options).catch(async (error: unknown) => {
      if (hasCode(error, "UNREACHABLE|THROTTLED")) throw error;
      if (hasCode(error, "UNAVAILABLE")) await this.#probe(service, first);
    });
    const isUsable = token !== undefined && token.value.length <= MAX_TOKEN_LENGTH;
    if (!isUsable || !scopes.every(({ repository }) => permitsPull(token, repository))) this.separate(service);
    return isUsable ? { ...token, isShared: true } : undefined;
  }

  /** Throws when a service is down, which is then not asked for each repository. */
  async #probe(service: TokenService, { scope, options }: Caller): Promise<void> {
    await this.requestToken(service, [scope], options).catch((error: unknown) => {
      if (hasCode(error, "UNREACHABLE|THROTTLED|UNAVAILABLE")) throw error;
    });
  }
}

function serviceKey({ realm, service }: TokenService): string {
  return JSON.stringify([realm, service]);
}

function toBatches(callers: readonly Caller[], maxRepositories: number): Batch[] {
  const batches: [Caller, ...Caller[]][] = [];
  let namesLength = 0;
  for (const caller of callers) {
    const batch = batches.at(-1);
    const { length } = caller.scope.repository;
    if (batch && batch.length < maxRepositories && namesLength + length <= MAX_NAMES_LENGTH) {
      batch.push(caller);
      namesLength += length;
    } else {
      batches.push([caller]);
      namesLength = length;
    }
  }
  return batches;
}

function hasCode(error: unknown, problems: string): boolean {
  return new RegExp(`_(${problems})$`).test(failureOf(error)?.code ?? "");
}
