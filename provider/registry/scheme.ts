/** The ways in which registries want requests to be authorized. */
import type { Challenge } from "./challenge";
import type { TokenService } from "./token";

export type Scheme =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic" }
  /** The password is itself the bearer token. */
  | { readonly kind: "bearer" }
  /** A token service issues bearer tokens for scopes. */
  | {
      readonly kind: "token";
      readonly service: TokenService;
      /** The registry accepts Basic, too, for a client that gets no token. */
      readonly orBasic?: boolean;
    };

/** The token service of an Azure registry is known, so that the realm of a challenge is never trusted. */
export function azureScheme(host: string): Scheme {
  return { kind: "token", service: { realm: new URL(`https://${host}/oauth2/token`), service: host } };
}

/** Docker Hub's token service has been the same for years: a ping would only cost a round trip. */
export function knownScheme(host: string): Scheme | undefined {
  if (host !== "registry-1.docker.io") return undefined;
  return {
    kind: "token",
    service: { realm: new URL("https://auth.docker.io/token"), service: "registry.docker.io" },
  };
}

/** The client that a challenge is for. */
export interface Challenged {
  /** The host that sent the challenge. */
  readonly host: string;
  /** The client has a user name and a password. */
  readonly hasCredentials: boolean;
  /** The token service of earlier challenges: a later one need not name it again. */
  readonly known: TokenService | undefined;
  /** Whether the client may use the token service of a realm. */
  trusts(realm: URL): boolean;
}

/**
 * The strongest scheme that the client can use, or why there is none: a token service that it trusts, then Basic. Without
 * either, a token service that it does not trust, so that the failure can name that.
 */
export function chooseScheme(
  challenges: readonly Challenge[],
  client: Challenged,
): Scheme | { readonly invalid: string } {
  if (challenges.length === 0) return { kind: "anonymous" };
  const of = (scheme: string) => challenges.filter((challenge) => challenge.scheme === scheme);
  const services = of("bearer").flatMap((challenge) => tokenService(challenge, client) ?? []);
  const trusted = services.find(({ realm }) => client.trusts(realm));
  const orBasic = of("basic").length > 0;
  if (trusted) return { kind: "token", service: trusted, orBasic };
  const [untrusted] = services;
  if (orBasic && (client.hasCredentials || !untrusted)) return { kind: "basic" };
  if (untrusted) return { kind: "token", service: untrusted };
  if (of("bearer").length > 0) return { invalid: "its challenge names no token service" };
  const schemes = challenges.map(({ scheme }) => scheme).join(", ");
  return { invalid: `authentication by ${schemes} is not supported, only Bearer and Basic` };
}

function tokenService({ parameters }: Challenge, { host, known }: Challenged): TokenService | undefined {
  const realm = parameters.get("realm")?.trim() ?? "";
  if (realm === "") return known;
  // A path is one on the same host. Any other text without a scheme is a description, not an address.
  if (!realm.startsWith("/") && !URL.canParse(realm)) return undefined;
  if (!URL.canParse(realm, `https://${host}`)) return undefined;
  return { realm: new URL(realm, `https://${host}`), service: parameters.get("service") };
}

export function isSameScheme(one: Scheme, other: Scheme): boolean {
  if (one.kind !== "token" || other.kind !== "token") return one.kind === other.kind;
  return one.service.realm.href === other.service.realm.href && one.service.service === other.service.service;
}
