/** Which manifest a registry returns, by the `Accept` header. */
import { isIndex, mediaTypes } from "./manifest";
import { RegistryError } from "./registry-error";
import type { RegistryStore, StoredManifest } from "./registry-store";

/**
 * `"lenient"`: the rules of HTTP; without an `Accept` header any type is acceptable.
 * `"strict"`: wildcards do not count, as in the CNCF distribution server, from which Docker Hub and Azure descend. An OCI
 * type that is not listed is not found; for a Docker manifest list that is not listed, a tag returns the list's
 * linux/amd64 manifest, which has another digest.
 */
export type AcceptRule = "lenient" | "strict";

/** Selects the manifest to respond with. */
export function negotiate(
  rule: AcceptRule,
  accept: string | undefined,
  found: StoredManifest,
  byTag: boolean,
  store: RegistryStore,
  repository: string,
): StoredManifest {
  if (rule === "lenient" ? acceptsByHttp(accept, found.mediaType) : listsExactly(accept, found.mediaType)) return found;
  if (rule === "strict" && found.mediaType === mediaTypes.dockerManifest) return found;
  if (rule === "strict" && found.mediaType === mediaTypes.dockerList && byTag) {
    const preferred = found.content.manifests?.find(
      ({ platform }) => platform?.os === "linux" && platform.architecture === "amd64",
    );
    const manifest = preferred && store.manifest(repository, preferred.digest);
    if (manifest) return manifest;
  }
  const kind = isIndex(found.mediaType) ? "index" : "manifest";
  const plural = kind === "index" ? "indexes" : "manifests";
  throw new RegistryError(
    404,
    "MANIFEST_UNKNOWN",
    `OCI ${kind} found, but Accept header does not support OCI ${plural}`,
  );
}

function listsExactly(accept: string | undefined, mediaType: string): boolean {
  return accept?.includes(mediaType) === true && ranges(accept).includes(mediaType);
}

function acceptsByHttp(accept: string | undefined, mediaType: string): boolean {
  if (accept === undefined) return true;
  return ranges(accept).some((range) => range === "*/*" || range === "application/*" || range === mediaType);
}

function ranges(accept: string): string[] {
  return accept.split(",").map((range) => range.split(";", 1)[0]?.trim().toLowerCase() ?? "");
}
