/**
 * The API that Azure registries have beside the OCI one, for what that one lacks: single tags, locks, the tags of a digest.
 *
 * https://learn.microsoft.com/rest/api/containerregistry/
 */
import { ImportError } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { isObject, parseJson } from "../json";
import { type Digest, isDigest } from "../reference/digest";
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

/** What a lock leaves possible: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock */
export interface LockAttributes {
  readonly writeEnabled: boolean;
  readonly deleteEnabled: boolean;
}

/** One scope for both requests, so that they share a token; the registry grants of it what the identity may do. */
const LOCK_ACTIONS = "metadata_read,metadata_write";

/** How a tag, or the manifest of a digest, is locked; `undefined` when it does not exist. */
export async function readLock(
  api: RegistryApi,
  repository: string,
  tagOrDigest: string,
  signal?: AbortSignal,
): Promise<LockAttributes | undefined> {
  const request = { ...lockRequest(repository, tagOrDigest), method: "GET", action: "pull" } as const;
  const response = await api.send(request, api.requestOptions(signal));
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw api.unexpectedStatus("GET", response);
  const body = parseJson(response.body.toString("utf8"));
  const item = isObject(body) ? (body.tag ?? body.manifest) : undefined;
  const attributes = isObject(item) ? item.changeableAttributes : undefined;
  const { writeEnabled, deleteEnabled } = isObject(attributes) ? attributes : {};
  if (typeof writeEnabled !== "boolean" || typeof deleteEnabled !== "boolean") {
    throw api.invalidResponse(`the lock of ${request.object} is missing`);
  }
  return { writeEnabled, deleteEnabled };
}

/** Locks or unlocks a tag, or the manifest of a digest; what is not given stays as it is. */
export async function changeLock(
  api: RegistryApi,
  repository: string,
  tagOrDigest: string,
  attributes: Partial<LockAttributes>,
  signal?: AbortSignal,
): Promise<void> {
  const request = {
    ...lockRequest(repository, tagOrDigest),
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(attributes),
    action: Object.values(attributes).includes(false) ? "lock" : "unlock",
  } as const;
  const exists = await api.change(request, signal);
  if (!exists) throw new ImportError(registryFailure.notFound(api.side, api.reference(request.object)));
}

function lockRequest(repository: string, tagOrDigest: string) {
  const isTag = !isDigest(tagOrDigest);
  return {
    path: `/acr/v1/${repository}/${isTag ? "_tags" : "_manifests"}/${tagOrDigest}`,
    scope: { repository, actions: LOCK_ACTIONS },
    object: `${repository}${isTag ? ":" : "@"}${tagOrDigest}`,
  };
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

/** When a tag got a digest, in milliseconds since the epoch; `undefined` if it holds another one, or none. */
export async function tagTime(
  api: RegistryApi,
  repository: string,
  tag: string,
  digest: Digest,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const request = {
    method: "GET",
    path: `/acr/v1/${repository}/_tags/${tag}`,
    scope: { repository, actions: "metadata_read" },
    action: "pull",
    object: `${repository}:${tag}`,
  } as const;
  const { body } = await api.send(request, api.requestOptions(signal));
  const response = parseJson(body.toString("utf8"));
  const { tag: found } = isObject(response) ? response : {};
  if (!isObject(found) || found.digest !== digest) return undefined;
  const time = Date.parse(String(found.lastUpdateTime));
  return Number.isNaN(time) ? undefined : time;
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
