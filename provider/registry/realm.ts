import { isIP } from "node:net";

/**
 * Whether credentials given for a registry may be sent to the token realm that the registry names. The realm must be reached
 * over TLS, carry no user name of its own, and its host must be
 *
 * - the registry's host, on any port (`gitlab.example.com:5050` names `gitlab.example.com`),
 * - a host below it (`example.com` names `auth.example.com`), or
 * - a host that shares the registry's parent domain, or that domain itself (`registry-1.docker.io` names `auth.docker.io`,
 *   `registry.gitlab.com` names `gitlab.com`). The parent domain is the registry's host without its first label. It must have
 *   at least two labels and must not be one under which strangers live side by side: a country's second level such as `co.uk`,
 *   or the domain of all Azure registries.
 *
 * The parent domain never applies to an IP address.
 */
export function mayReceiveCredentials(registryHost: string, realm: URL): boolean {
  if (realm.protocol !== "https:" || realm.username !== "" || realm.password !== "") return false;
  const registry = new URL(`https://${registryHost}`).hostname;
  const host = realm.hostname;
  if (host === registry) return true;
  if (isAddress(registry) || isAddress(host)) return false;
  if (isBelow(host, registry) && registry.includes(".")) return true;

  const parent = registry.slice(registry.indexOf(".") + 1);
  return registry.split(".").length > 2 && !isShared(parent) && (host === parent || isBelow(host, parent));
}

function isBelow(host: string, domain: string): boolean {
  return host.endsWith(`.${domain}`);
}

function isShared(domain: string): boolean {
  return /^[a-z0-9]{1,3}\.[a-z]{2}$/.test(domain) || /(^|\.)azurecr\.[a-z.-]+$/.test(domain);
}

function isAddress(hostname: string): boolean {
  return isIP(hostname) !== 0 || hostname.startsWith("[");
}
