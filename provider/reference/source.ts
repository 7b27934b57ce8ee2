/**
 * The reference of an image to import, parsed as Docker parses it.
 *
 * ```
 * source := [ host "/" ] repository [ ":" tag ] [ "@" digest ]
 * ```
 *
 * The first part is a host when it has a period or a colon or is `localhost`. No host means Docker Hub, where a single
 * name is short for `library/name`. Grammar and rules: https://github.com/distribution/reference
 */
import { DOCKER_HUB, type Host, isMisplacedHost, looksLikeHost, parseHost } from "./host";
import { type ImageName, imageName, printImage, split } from "./image-name";
import { InvalidReference } from "./invalid-reference";
import { parseRepositoryPath, type Repository } from "./repository";

/** An image in its registry. */
export interface SourceReference extends ImageName {
  readonly host: Host;
}

/** A repository in its registry. */
export interface RepositoryInRegistry {
  readonly host: Host;
  readonly repository: Repository;
}

/** Parses a reference such as `node:22`, `ghcr.io/owner/app@sha256:…` or `localhost:5000/app:1@sha256:…`. */
export function parseReference(text: string): SourceReference {
  const pieces = split(withoutTransport(text));
  const { host, path } = splitHost(pieces.path);
  return { host, ...imageName(path, pieces) };
}

/** Parses a repository such as `node` or `ghcr.io/owner/app`, without tag and digest. */
export function parseRepository(text: string): RepositoryInRegistry {
  const { host, path } = splitHost(splitRepository(text));
  return { host, repository: parseRepositoryPath(path) };
}

/** Parses the name of an image whose registry is given separately: `repository[:tag][@digest]` without a host. */
export function parseRepositoryReference(text: string): ImageName {
  const pieces = split(withoutTransport(text));
  rejectHost(pieces.path);
  return imageName(pieces.path, pieces);
}

/** Parses a repository whose registry is given separately. */
export function parseRepositoryWithoutHost(text: string): Repository {
  const path = splitRepository(text);
  rejectHost(path);
  return parseRepositoryPath(path);
}

/** The canonical form: `host/repository[:tag][@digest]`. */
export function printReference(reference: Pick<SourceReference, "host" | "repository" | "tag" | "digest">): string {
  return `${reference.host}/${printImage(reference)}`;
}

function splitRepository(text: string): string {
  const { path, tag, digest } = split(withoutTransport(text));
  if (tag !== undefined) throw new InvalidReference("must be a repository without a tag");
  if (digest !== undefined) throw new InvalidReference("must be a repository without a digest");
  return path;
}

function splitHost(name: string): { readonly host: Host; readonly path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  if (slash === 0) throw new InvalidReference("must not start with a slash");
  if (slash > 0 && looksLikeHost(first)) {
    const host = parseHost(first);
    return { host, path: onHost(host, name.slice(slash + 1)) };
  }
  if (/^[0-9a-f]{64}$/.test(name)) {
    throw new InvalidReference("must be a reference, not an image ID; write a digest as repository@sha256:…");
  }
  return { host: DOCKER_HUB, path: onHost(DOCKER_HUB, name) };
}

function rejectHost(path: string): void {
  const slash = path.indexOf("/");
  if (slash > 0 && isMisplacedHost(path.slice(0, slash))) {
    throw new InvalidReference("must not start with a host: the registry is given separately");
  }
}

/** Helm writes `oci://` and skopeo `docker://` before what is a plain reference. */
function withoutTransport(text: string): string {
  return text.replace(/^(oci|docker):\/\//i, "");
}

function onHost(host: Host, path: string): string {
  return host === DOCKER_HUB && path !== "" && !path.includes("/") ? `library/${path}` : path;
}
