/** Decides which token services may receive the credentials of a registry. */
import { isIP } from "node:net";

/**
 * Whether credentials for a registry may be sent to the realm that the registry names. The realm must be reached over TLS,
 * have no user name of its own, and its host must be
 *
 * - the registry's host, on any port (`gitlab.example.com:5050` may name `gitlab.example.com`),
 * - a host below it (`example.com` may name `auth.example.com`), or
 * - a host in the registry's parent domain, or that domain itself (`registry-1.docker.io` may name `auth.docker.io`,
 *   `registry.gitlab.com` may name `gitlab.com`), if that domain has one owner.
 *
 * The last rule is needed for GitLab and others on domains of their own, of which no list can know. It never applies to an IP
 * address.
 */
export function mayReceiveCredentials(registryHost: string, realm: URL): boolean {
  if (realm.protocol !== "https:" || realm.username !== "" || realm.password !== "") return false;
  const registry = new URL(`https://${registryHost}`).hostname;
  const host = realm.hostname;
  if (host === registry) return true;
  if (isAddress(registry) || isAddress(host)) return false;
  if (isBelow(host, registry) && hasOneOwner(registry)) return true;

  const parent = registry.slice(registry.indexOf(".") + 1);
  return (host === parent || isBelow(host, parent)) && hasOneOwner(parent);
}

function isBelow(host: string, domain: string): boolean {
  return host.endsWith(`.${domain}`);
}

/**
 * Whether a domain and all hosts below it belong together: not so for a public suffix such as `co.uk` or `github.io`, below
 * which everybody can have a name. The list lacks the domains of Azure registries.
 */
function hasOneOwner(domain: string): boolean {
  if (/(^|\.)azurecr\.[a-z.-]+$/.test(domain)) return false;
  // Loaded only when credentials would be sent to another host: it takes 10 ms.
  const { getDomain } = require("tldts") as typeof import("tldts");
  return getDomain(domain, { allowPrivateDomains: true }) !== null;
}

function isAddress(hostname: string): boolean {
  return isIP(hostname) !== 0 || hostname.startsWith("[");
}
