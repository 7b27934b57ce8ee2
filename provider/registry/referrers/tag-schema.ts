/**
 * Lists referrers by the tag schema: where there is no API, clients keep the list as an index under a tag made from the digest.
 *
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
import type { Digest } from "../../reference/digest";
import type { RegistryApi } from "../api";
import { getManifest, headRareTag } from "../content";
import { type ManifestDescriptor, OCI_INDEX, type Referrer, readReferrers } from "../manifest";

/** The tag of the index: `sha256-…`. */
export function referrersTag(digest: Digest): string {
  const [algorithm = "", encoded = ""] = digest.split(":");
  return `${algorithm}-${encoded.slice(0, 64)}`;
}

export interface ReferrersIndex {
  readonly digest: Digest;
  /** `undefined` where it was not read, because it is the known one. */
  readonly referrers?: readonly Referrer[];
}

/** The index, if there is one, by one HEAD; it is read unless its digest is `known`, or any is. */
export async function findReferrersIndex(
  api: RegistryApi,
  repository: string,
  subject: Digest,
  known: Digest | "any" | undefined,
  signal: AbortSignal | undefined,
): Promise<ReferrersIndex | undefined> {
  const tag = referrersTag(subject);
  const found = await headRareTag(api, repository, tag, signal);
  // Only the manifest itself says what plain JSON is.
  if (!found || !(isList(found, subject) || found.mediaType === "application/json")) return undefined;
  if (known === "any" || found.digest === known) return { digest: found.digest };
  const manifest = await getManifest(api, repository, tag, signal);
  if (!manifest || !isList(manifest.descriptor, subject)) return undefined;
  return { digest: manifest.descriptor.digest, referrers: readReferrers(manifest.bytes) ?? [] };
}

/**
 * Whether a manifest can be a list. What is no index is none, and GitLab resolves the tag to the subject itself, whose platforms
 * are not its referrers: https://github.com/oras-project/oras-go/issues/1396
 */
function isList({ digest, mediaType }: ManifestDescriptor, subject: Digest): boolean {
  return digest !== subject && mediaType === OCI_INDEX;
}
