/** Finds the HTTP proxy of a URL in the environment: `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` lists the host. */

/**
 * The URL of the proxy for an `https` URL, or `undefined` for a direct connection.
 *
 * A name in lower case wins over the same name in upper case. A proxy without a scheme is a plain HTTP one, as for curl and Go.
 */
export function findProxy({ hostname, port }: URL): string | undefined {
  const proxy = variable("https_proxy") || variable("all_proxy");
  if (proxy === "" || isExcluded(hostname, port || "443")) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

/**
 * ```
 * NO_PROXY := "*" | entry *( ("," | SP) entry )
 * entry    := ( host | "." suffix | "*" suffix ) [ ":" port ]
 * ```
 */
function isExcluded(hostname: string, port: string): boolean {
  const host = withoutBrackets(hostname);
  return variable("no_proxy")
    .toLowerCase()
    .split(/[,\s]+/)
    .some((entry) => {
      const [, name = "", entryPort] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [undefined, entry];
      if (name === "" || (entryPort !== undefined && entryPort !== port)) return false;
      if (name.startsWith("*") || name.startsWith(".")) return host.endsWith(name.replace(/^\*/, ""));
      return host === withoutBrackets(name);
    });
}

/** An IPv6 address as resolvers and certificates know it. */
export function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function variable(name: string): string {
  return process.env[name] || process.env[name.toUpperCase()] || "";
}
