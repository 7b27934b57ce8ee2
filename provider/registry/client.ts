/** The client of one registry for one identity: the OCI distribution protocol, and what Azure registries have beside it. */
import type { Digest } from "../reference/digest";
import { changeLock, indexesOf, type LockAttributes, readLock, tagsOf, tagTime, untag } from "./acr-metadata";
import { type ApiRequest, RegistryApi, type RegistryApiOptions } from "./api";
import { getBlob, getManifest, headManifest } from "./content";
import { type ListedTag, listTags } from "./list-tags";
import { type Manifest, type ManifestDescriptor, readPlatform } from "./manifest";
import { withOwnSignal } from "./own-signal";
import { PromiseCache } from "./promise-cache";
import { type CollectedReferrers, type CollectOptions, collectReferrers } from "./referrers/collect-referrers";
import { type ListOptions, listReferrers, type ReferrerList } from "./referrers/list-referrers";
import { MAX_BODY_BYTES } from "./transport/http-message";

export type { LockAttributes } from "./acr-metadata";
export type { RegistryApiOptions } from "./api";
export type { RegistryCredential } from "./credential";
export type { ListedTag } from "./list-tags";
export {
  entryFor,
  type IndexEntry,
  isIndexType,
  type Manifest,
  type ManifestDescriptor,
  type Referrer,
} from "./manifest";
export type {
  CollectedReferrer,
  CollectedReferrers,
  CollectOptions,
  SkippedReferrer,
} from "./referrers/collect-referrers";
export type { CosignTag } from "./referrers/cosign-tags";
export type { ListOptions, ReferrerList } from "./referrers/list-referrers";
export { referrersTag } from "./referrers/tag-schema";

/**
 * All clients of a host share its connections and its ping; one client keeps its own tokens, so make one per host and
 * identity. Methods throw `ImportError`, or the signal's reason once that aborts.
 *
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export class RegistryClient {
  readonly #api: RegistryApi;
  readonly #indexes = new PromiseCache<Manifest | undefined>();

  constructor(options: RegistryApiOptions) {
    this.#api = new RegistryApi(options);
  }

  /** The descriptor of a tag or digest, by HEAD; `undefined` when it does not exist. */
  head(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<ManifestDescriptor | undefined> {
    return headManifest(this.#api, repository, tagOrDigest, signal);
  }

  /** The manifest of a tag or digest, its digest checked against its bytes; `undefined` when it does not exist. */
  manifest(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<Manifest | undefined> {
    return getManifest(this.#api, repository, tagOrDigest, signal);
  }

  /** The platforms of an image: those of an index, or the one in the configuration of a single image. */
  async platforms(
    repository: string,
    { config, platforms }: Manifest,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    if (config === undefined) return platforms;
    const blob = await this.blob(repository, config, MAX_BODY_BYTES, signal);
    if (!blob) throw this.#api.invalidResponse(`the blob ${config} was not found`);
    const platform = readPlatform(blob);
    return platform === undefined ? [] : [platform];
  }

  /** A blob of at most `maxBytes`, its digest checked; `undefined` when it does not exist. A longer one is a failure. */
  blob(repository: string, digest: Digest, maxBytes: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    return getBlob(this.#api, repository, digest, maxBytes, signal);
  }

  /**
   * The tags of a repository, with their digests where the registry lists those; `undefined` when the repository does not exist.
   * More tags than the limit are a failure.
   */
  listTags(repository: string, limit: number, signal?: AbortSignal): Promise<ListedTag[] | undefined> {
    return listTags(this.#api, repository, limit, signal);
  }

  /** What refers to a manifest directly, listed in as few requests as possible. */
  listReferrers(
    repository: string,
    digest: Digest,
    options: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<ReferrerList> {
    return withOwnSignal(signal, (own) => listReferrers(this.#api, repository, digest, options, own));
  }

  /** What refers to an image, its platforms, and in turn to those manifests, each one read and checked. */
  collectReferrers(
    repository: string,
    digest: Digest,
    options: CollectOptions = {},
    signal?: AbortSignal,
  ): Promise<CollectedReferrers> {
    return withOwnSignal(signal, (own) => collectReferrers(this.#api, repository, digest, options, own));
  }

  /** Removes a manifest with all its tags. A manifest that does not exist counts as removed. */
  async deleteManifest(repository: string, digest: Digest, signal?: AbortSignal): Promise<void> {
    const request: ApiRequest = {
      method: "DELETE",
      path: `/v2/${repository}/manifests/${digest}`,
      scope: { repository, actions: "delete" },
      action: "delete",
      object: `${repository}@${digest}`,
    };
    await this.#api.change(request, signal);
  }

  /** Azure only: when a tag got a digest, in milliseconds since the epoch; `undefined` if it holds another one. */
  tagTime(repository: string, tag: string, digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
    return tagTime(this.#api, repository, tag, digest, signal);
  }

  /** Azure only: removes a tag and leaves its manifest. A tag that does not exist counts as removed. */
  untag(repository: string, tag: string, signal?: AbortSignal): Promise<void> {
    return untag(this.#api, repository, tag, signal);
  }

  /** Azure only: the tags of a digest. */
  tagsOf(repository: string, digest: Digest, signal?: AbortSignal): Promise<string[]> {
    return tagsOf(this.#api, repository, digest, signal);
  }

  /** Azure only: all indexes of a repository, which would break without the manifests that they list. */
  async indexes(repository: string, signal?: AbortSignal): Promise<Manifest[]> {
    const digests = await indexesOf(this.#api, repository, signal);
    const indexes = await Promise.all(digests.map((index) => this.#index(repository, index, signal)));
    return indexes.filter((index) => index !== undefined);
  }

  /** Once for each digest, whose content never changes: whoever deletes many images asks for all indexes each time. */
  async #index(repository: string, digest: string, signal: AbortSignal | undefined): Promise<Manifest | undefined> {
    const key = `${repository}@${digest}`;
    const index = await this.#indexes.get(key, signal, () => this.manifest(repository, digest));
    if (index === undefined) this.#indexes.forget(key, index);
    return index;
  }

  /** Azure only: how a tag, or the manifest of a digest, is locked; `undefined` when it does not exist. */
  readLock(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<LockAttributes | undefined> {
    return readLock(this.#api, repository, tagOrDigest, signal);
  }

  /** Azure only: locks or unlocks a tag, or the manifest of a digest; what is not given stays as it is. */
  changeLock(
    repository: string,
    tagOrDigest: string,
    attributes: Partial<LockAttributes>,
    signal?: AbortSignal,
  ): Promise<void> {
    return changeLock(this.#api, repository, tagOrDigest, attributes, signal);
  }
}
