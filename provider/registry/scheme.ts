/** The ways in which registries want requests to be authorized. */
import type { Challenge } from "./challenge";
import type { TokenService } from "./token";

export type Scheme =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic" }
  /** The password is itself the bearer token. */
  | { readonly kind: "bearer" }
  /** A token service issues a bearer token for each scope. */
  | { readonly kind: "token"; readonly service: TokenService };

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

/** The scheme that the challenges of a response ask for, Bearer before Basic; or why there is none. */
export function chooseScheme(challenges: readonly Challenge[]): Scheme | { readonly invalid: string } {
  if (challenges.length === 0) return { kind: "anonymous" };
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer) {
    const realm = bearer.parameters.get("realm") ?? "";
    if (!URL.canParse(realm)) return { invalid: "the challenge names no token service" };
    return { kind: "token", service: { realm: new URL(realm), service: bearer.parameters.get("service") } };
  }
  if (challenges.some(({ scheme }) => scheme === "basic")) return { kind: "basic" };
  const schemes = challenges.map(({ scheme }) => scheme).join(", ");
  return { invalid: `authentication by ${schemes} is not supported, only Bearer and Basic` };
}

export function isSameScheme(one: Scheme, other: Scheme): boolean {
  if (one.kind !== "token" || other.kind !== "token") return one.kind === other.kind;
  return one.service.realm.href === other.service.realm.href && one.service.service === other.service.service;
}
