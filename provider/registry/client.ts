/** The client of one registry for one identity: the OCI distribution protocol, and what Azure registries have beside it. */
import { type Digest, isDigest } from "../reference/digest";
import { indexesOf, lock, tagsOf, untag } from "./acr-metadata";
import { type ApiRequest, PAGE_SIZE, RegistryApi, type RegistryApiOptions } from "./api";
import {
  digestOf,
  MANIFEST_TYPES,
  type Manifest,
  type ManifestDescriptor,
  manifestType,
  type Referrer,
  readManifest,
  readPlatform,
  readReferrers,
} from "./manifest";
import { type HttpResponse, MAX_BODY_BYTES } from "./transport/http-message";
import type { RequestOptions } from "./transport/send";

export type { RegistryApiOptions } from "./api";
export type { RegistryCredential } from "./credential";
export { entryFor, type IndexEntry, type Manifest, type ManifestDescriptor, type Referrer } from "./manifest";

/**
 * All clients of a host share its connections and its ping; one client keeps its own tokens, so make one per host and
 * identity. Methods throw `ImportError`, or the signal's reason once that aborts.
 *
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export class RegistryClient {
  readonly #api: RegistryApi;

  constructor(options: RegistryApiOptions) {
    this.#api = new RegistryApi(options);
  }

  /** The descriptor of a tag or digest, by HEAD; `undefined` when it does not exist. */
  async head(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<ManifestDescriptor | undefined> {
    const options = this.#api.requestOptions(signal);
    const response = await this.#api.tryHead(manifestRequest(repository, tagOrDigest), options);
    if (response?.status === 404) return this.#api.notFound();
    const descriptor = response && descriptorOf(response, tagOrDigest);
    // Without a digest, a media type, or a response to HEAD at all, only the manifest itself has them.
    if (!descriptor) return (await this.#readManifest(repository, tagOrDigest, options))?.descriptor;
    if (isDigest(tagOrDigest) && descriptor.digest !== tagOrDigest) {
      throw this.#api.invalidResponse(`the manifest of ${tagOrDigest} has the digest ${descriptor.digest}`);
    }
    return descriptor;
  }

  /** The manifest of a tag or digest, its digest checked against its bytes; `undefined` when it does not exist. */
  manifest(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<Manifest | undefined> {
    return this.#readManifest(repository, tagOrDigest, this.#api.requestOptions(signal));
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
  async blob(repository: string, digest: Digest, maxBytes: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    const request: ApiRequest = {
      method: "GET",
      path: `/v2/${repository}/blobs/${digest}`,
      scope: { repository, actions: "pull" },
      action: "pull",
      object: `${repository}@${digest}`,
      maxBodyBytes: maxBytes,
    };
    const response = await this.#api.send(request, this.#api.requestOptions(signal));
    if (response.status === 404) return this.#api.notFound();
    if (response.status !== 200) throw this.#api.unexpectedStatus("GET", response);
    const actual = digestOf(response.body, digest);
    if (actual !== digest) throw this.#api.invalidResponse(`the blob ${digest} has the digest ${actual}`);
    return response.body;
  }

  /** The tags of a repository in the registry's order; `undefined` when the repository does not exist. */
  async tags(repository: string, signal?: AbortSignal): Promise<string[] | undefined> {
    const request = { path: `/v2/${repository}/tags/list?n=${PAGE_SIZE}`, scope: { repository, actions: "pull" } };
    const tags: string[] = [];
    const exists = await this.#api.eachJsonPage(request, signal, (page) => {
      const list = page.tags ?? [];
      if (!Array.isArray(list)) throw this.#api.invalidResponse("the list of tags is not a list");
      tags.push(...list.filter((tag) => typeof tag === "string"));
    });
    return exists ? tags : undefined;
  }

  /**
   * The manifests that refer to a digest, all or those of some artifact types.
   *
   * A registry without the referrers API has them in an index with a tag made from the digest:
   * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
   */
  async referrers(
    repository: string,
    digest: Digest,
    artifactTypes?: readonly string[],
    signal?: AbortSignal,
  ): Promise<Referrer[]> {
    const request = { path: `/v2/${repository}/referrers/${digest}`, scope: { repository, actions: "pull" } };
    const referrers: Referrer[] = [];
    // Not filtered by the registry, which may accept one type only, or none.
    const hasApi = await this.#api.eachPage(request, signal, (response) => {
      const page = readReferrers(response.body);
      if (!page) throw this.#api.invalidResponse("the list of referrers is not a list");
      referrers.push(...page);
    });
    if (!hasApi) {
      const fallback = await this.manifest(repository, digest.replace(":", "-"), signal);
      if (fallback) referrers.push(...(readReferrers(fallback.bytes) ?? []));
    }
    return artifactTypes
      ? referrers.filter(({ artifactType = "" }) => artifactTypes.includes(artifactType))
      : referrers;
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

  /** Azure only: removes a tag and leaves its manifest. A tag that does not exist counts as removed. */
  untag(repository: string, tag: string, signal?: AbortSignal): Promise<void> {
    return untag(this.#api, repository, tag, signal);
  }

  /** Azure only: the tags of a digest. */
  tagsOf(repository: string, digest: Digest, signal?: AbortSignal): Promise<string[]> {
    return tagsOf(this.#api, repository, digest, signal);
  }

  /** Azure only: whether an index of the repository lists the manifest, and would break without it. */
  async isListed(repository: string, digest: Digest, signal?: AbortSignal): Promise<boolean> {
    const digests = await indexesOf(this.#api, repository, signal);
    const indexes = await Promise.all(digests.map((index) => this.manifest(repository, index, signal)));
    return indexes.some((index) => index?.entries.some((entry) => entry.digest === digest));
  }

  /** Azure only: locks a tag against change and deletion, or unlocks it. */
  lock(repository: string, tag: string, locked = true, signal?: AbortSignal): Promise<void> {
    return lock(this.#api, repository, tag, locked, signal);
  }

  async #readManifest(repository: string, tagOrDigest: string, options: RequestOptions): Promise<Manifest | undefined> {
    const response = await this.#api.send({ ...manifestRequest(repository, tagOrDigest), method: "GET" }, options);
    if (response.status === 404) return this.#api.notFound();
    if (response.status !== 200) throw this.#api.unexpectedStatus("GET", response);

    const requested = isDigest(tagOrDigest) ? tagOrDigest : undefined;
    const digest = digestOf(response.body, requested);
    if (requested !== undefined && digest !== requested) {
      throw this.#api.invalidResponse(`the manifest of ${requested} has the digest ${digest}`);
    }
    const declared = digestHeader(response);
    const actual = digestOf(response.body, declared);
    if (declared !== undefined && declared !== actual) {
      throw this.#api.invalidResponse(
        `Docker-Content-Digest is ${declared}, but the manifest has the digest ${actual}`,
      );
    }
    const manifest = readManifest(response.body, response.header("content-type"), digest);
    if (typeof manifest === "string") throw this.#api.invalidResponse(manifest, response);
    return manifest;
  }
}

function manifestRequest(repository: string, tagOrDigest: string): Omit<ApiRequest, "method"> {
  return {
    path: `/v2/${repository}/manifests/${tagOrDigest}`,
    headers: { accept: MANIFEST_TYPES },
    scope: { repository, actions: "pull" },
    action: "pull",
    object: `${repository}${isDigest(tagOrDigest) ? "@" : ":"}${tagOrDigest}`,
  };
}

function descriptorOf(response: HttpResponse, tagOrDigest: string): ManifestDescriptor | undefined {
  const digest = digestHeader(response);
  const mediaType = manifestType(response.header("content-type"));
  // The length of an encoded body is not that of the manifest.
  const length = response.header("content-encoding") ? "" : (response.header("content-length") ?? "");
  if (digest === undefined || mediaType === undefined) return undefined;
  // Azure knows the manifest of a tag by its sha256 digest only.
  if (!isDigest(tagOrDigest) && !digest.startsWith("sha256:")) return undefined;
  return { digest, mediaType, ...(/^[1-9]\d{0,14}$/.test(length) && { size: Number(length) }) };
}

/** The digest in `Docker-Content-Digest`, if there is one; its letters may be in upper case. */
function digestHeader(response: HttpResponse): Digest | undefined {
  const digest = response.header("docker-content-digest")?.trim().toLowerCase() ?? "";
  return isDigest(digest) ? digest : undefined;
}
