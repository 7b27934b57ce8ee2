/**
 * The API that Azure registries have beside the OCI one, for what that one lacks: single tags, locks, the tags of a digest.
 *
 * https://learn.microsoft.com/rest/api/containerregistry/
 */
import { ImportError } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { isObject } from "../json";
import type { Digest } from "../reference/digest";
import { PAGE_SIZE, type RegistryApi } from "./api";
import { isIndexType } from "./manifest";

/** Removes a tag and leaves its manifest. A tag that does not exist counts as removed. */
export async function untag(api: RegistryApi, repository: string, tag: string, signal?: AbortSignal): Promise<void> {
  const request = {
    method: "DELETE",
    path: `/acr/v1/${repository}/_tags/${tag}`,
    scope: { repository, actions: "delete" },
    action: "untag",
    object: `${repository}:${tag}`,
  } as const;
  await api.change(request, signal);
}

/** Locks a tag against change and deletion, or unlocks it. */
export async function lock(
  api: RegistryApi,
  repository: string,
  tag: string,
  locked: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const object = `${repository}:${tag}`;
  const request = {
    method: "PATCH",
    path: `/acr/v1/${repository}/_tags/${tag}`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ writeEnabled: !locked, deleteEnabled: !locked }),
    scope: { repository, actions: "metadata_write" },
    action: locked ? "lock" : "unlock",
    object,
  } as const;
  const exists = await api.change(request, signal);
  if (!exists) throw new ImportError(registryFailure.notFound(api.side, api.reference(object)));
}

/** The tags of a digest. */
export async function tagsOf(
  api: RegistryApi,
  repository: string,
  digest: Digest,
  signal?: AbortSignal,
): Promise<string[]> {
  const path = `/acr/v1/${repository}/_tags?n=${PAGE_SIZE}&digest=${encodeURIComponent(digest)}`;
  const tags: string[] = [];
  await api.eachJsonPage({ path, scope: { repository, actions: "metadata_read" } }, signal, (page) => {
    const entries = objects(page.tags).filter((tag) => tag.digest === digest);
    tags.push(...strings(entries.map(({ name }) => name)));
  });
  return tags;
}

/** The digests of all indexes in a repository. */
export async function indexesOf(api: RegistryApi, repository: string, signal?: AbortSignal): Promise<string[]> {
  const path = `/acr/v1/${repository}/_manifests?n=${PAGE_SIZE}`;
  const indexes: string[] = [];
  await api.eachJsonPage({ path, scope: { repository, actions: "metadata_read" } }, signal, (page) => {
    const entries = objects(page.manifests).filter(({ mediaType }) => isIndexType(mediaType));
    indexes.push(...strings(entries.map(({ digest }) => digest)));
  });
  return indexes;
}

function objects(list: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function strings(list: readonly unknown[]): string[] {
  return list.filter((item) => typeof item === "string");
}
