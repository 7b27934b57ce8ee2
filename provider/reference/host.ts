/**
 * Hosts of registries.
 *
 * ```
 * host  := name [ ":" port ]
 * name  := label *( "." label ) | "[" IPv6 address "]"
 * label := alphanum [ *( alphanum | "-" ) alphanum ]
 * port  := 1..65535
 * ```
 */
import { InvalidReference } from "./invalid-reference";

declare const brand: unique symbol;

/** The host of a registry in lower case, with its port if that is not 443: `ghcr.io`, `localhost:5000`, `[::1]:5000`. */
export type Host = string & { readonly [brand]: "Host" };

/** How references name Docker Hub. */
export const DOCKER_HUB = "docker.io" as Host;

const DOCKER_HUB_NAMES: ReadonlySet<string> = new Set([
  DOCKER_HUB,
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com",
]);

const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const IPV6 = /^\[[0-9a-f]*:[0-9a-f:]*\]$/;

/** Parses the host of a registry; every name of Docker Hub becomes `docker.io`. */
export function parseHost(text: string): Host {
  const [, name = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text.toLowerCase()) ?? [];
  if (name === "") throw new InvalidReference("must have a registry host before the first slash");
  if (port !== undefined && !(/^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) {
    throw new InvalidReference("must have a registry port from 1 to 65535; a tag comes after the last slash");
  }
  if (!(name.startsWith("[") ? IPV6 : NAME).test(name)) {
    throw new InvalidReference("must have a valid registry host before the first slash");
  }
  if (!URL.canParse(`https://${text}`))
    throw new InvalidReference("must have a valid registry host before the first slash");
  if (name === "hub.docker.com") {
    throw new InvalidReference("must name the registry docker.io, not the web site hub.docker.com");
  }
  // 443 is the port of https, which every registry is contacted by.
  if (port !== undefined && Number(port) !== 443) return `${name}:${port}` as Host;
  return DOCKER_HUB_NAMES.has(name) ? DOCKER_HUB : (name as Host);
}

/** Whether the first part of a reference is a host, as Docker decides: it has a period or a colon, or is `localhost`. */
export function looksLikeHost(part: string): boolean {
  return part.toLowerCase() === "localhost" || /[.:]/.test(part);
}

/**
 * Whether the first part of a name *within* a registry is a host by mistake. Periods alone do not make it one: mirrors
 * keep images in repositories such as `docker.io/library/node`.
 */
export function isMisplacedHost(part: string): boolean {
  return part.toLowerCase() === "localhost" || part.includes(":") || /\.azurecr\.[a-z.-]+$/i.test(part);
}
