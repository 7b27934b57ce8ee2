/** Image references, and the aliases of Docker Hub. */

const dockerHubNames = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/** A parsed reference. Docker Hub is always `docker.io`, with `library/` added where Docker adds it. */
export interface ImageReference {
  readonly host: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Parses `[host/]repository[:tag][@digest]`; without tag and digest the tag is `latest`. */
export function parseImageReference(text: string): ImageReference {
  const match = /^(?:([^/]*[.:][^/]*|localhost)\/)?([^:@]+)(?::([^:@/]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(text);
  const [, host = "docker.io", path, tag, digest] = match ?? [];
  if (path === undefined) throw new TypeError(`invalid image reference: ${text}`);
  const isHub = isDockerHub(host);
  return {
    host: isHub ? "docker.io" : host.toLowerCase(),
    repository: isHub && !path.includes("/") ? `library/${path}` : path,
    tag: tag ?? (digest === undefined ? "latest" : undefined),
    digest,
  };
}

export function isDockerHub(host: string): boolean {
  return dockerHubNames.includes(host.toLowerCase());
}

/** Every alias of a host: references name Docker Hub differently, but its clients contact registry-1.docker.io. */
export function hostAliases(host: string): readonly string[] {
  return isDockerHub(host) ? dockerHubNames : [host.toLowerCase()];
}
