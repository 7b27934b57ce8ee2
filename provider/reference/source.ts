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

/** An image in its registry. */
export interface SourceReference extends ImageName {
  readonly host: Host;
}

/** Parses a reference such as `node:22`, `ghcr.io/owner/app@sha256:…` or `localhost:5000/app:1@sha256:…`. */
export function parseReference(text: string): SourceReference {
  const pieces = split(withoutTransport(text));
  const slash = pieces.path.indexOf("/");
  const first = pieces.path.slice(0, Math.max(slash, 0));
  if (slash === 0) throw new InvalidReference("must not start with a slash");
  if (slash > 0 && looksLikeHost(first)) {
    const host = parseHost(first);
    return { host, ...imageName(onHost(host, pieces.path.slice(slash + 1)), pieces) };
  }
  if (/^[0-9a-f]{64}$/.test(pieces.path)) {
    throw new InvalidReference("must be a reference, not an image ID; write a digest as repository@sha256:…");
  }
  return { host: DOCKER_HUB, ...imageName(onHost(DOCKER_HUB, pieces.path), pieces) };
}

/** Parses the name of an image whose registry is given separately: `repository[:tag][@digest]` without a host. */
export function parseRepositoryReference(text: string): ImageName {
  const pieces = split(withoutTransport(text));
  const slash = pieces.path.indexOf("/");
  if (slash > 0 && isMisplacedHost(pieces.path.slice(0, slash))) {
    throw new InvalidReference("must not start with a host: the registry is given separately");
  }
  return imageName(pieces.path, pieces);
}

/** The canonical form: `host/repository[:tag][@digest]`. */
export function printReference(reference: Pick<SourceReference, "host" | "repository" | "tag" | "digest">): string {
  return `${reference.host}/${printImage(reference)}`;
}

/** Helm writes `oci://` and skopeo `docker://` before what is a plain reference. */
function withoutTransport(text: string): string {
  return text.replace(/^(oci|docker):\/\//i, "");
}

function onHost(host: Host, path: string): string {
  return host === DOCKER_HUB && path !== "" && !path.includes("/") ? `library/${path}` : path;
}
