import { type Failure, ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import type { RegistryAction } from "../failure/roles";
import { targetFailure } from "../failure/target";
import { isObject, parseJson } from "../json";
import { type Digest, isDigest } from "../reference/digest";
import { DOCKER_HUB } from "../reference/host";
import { type AuthHeaders, Authorization, type RegistryCredential, type Scope } from "./authorization";
import {
  digestOf,
  isIndexType,
  MANIFEST_TYPES,
  type Manifest,
  type ManifestDescriptor,
  manifestType,
  type Referrer,
  readManifest,
  readPlatform,
  readReferrers,
} from "./manifest";
import { sendRequest } from "./request";
import type { HttpRequest, HttpResponse, RequestOptions } from "./transport";

export type { RegistryCredential } from "./authorization";
export { entryFor, type IndexEntry, type Manifest, type ManifestDescriptor, type Referrer } from "./manifest";

export interface RegistryClientOptions {
  /** The host as references name it, with its port if that is not 443. */
  readonly host: string;
  /** The side that failures speak of. */
  readonly side: Side;
  readonly credential: RegistryCredential;
  /** Azure vouches for the host: it is the login server of a registry that Resource Manager knows, or has the cloud's suffix. */
  readonly isAzure?: boolean;
  /**
   * How long one look-up may go on retrying.
   *
   * @default 120_000
   */
  readonly timeoutMs?: number;
  /** Hears of every wait, in milliseconds, for which a busy host asks. */
  readonly onWait?: (host: string, ms: number) => void;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const DOCKER_HUB_API = "registry-1.docker.io";
const PAGE = 1000;
const MAX_PAGES = 1000;

/**
 * A registry as one identity sees it, by the OCI distribution protocol.
 *
 * Every client of a host shares connections and what the host says about authentication; one client keeps its tokens,
 * so make one per host and identity. Methods throw `ImportError`, or the signal's reason when they are called off.
 */
export class RegistryClient {
  readonly #name: string;
  readonly #api: string;
  readonly #side: Side;
  readonly #timeoutMs: number;
  readonly #onWait: RegistryClientOptions["onWait"];
  readonly #authorization: Authorization;

  constructor({
    host,
    side,
    credential,
    isAzure = false,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    onWait,
  }: RegistryClientOptions) {
    this.#name = host;
    this.#api = host === DOCKER_HUB ? DOCKER_HUB_API : host;
    this.#side = side;
    this.#timeoutMs = timeoutMs;
    this.#onWait = onWait;
    this.#authorization = new Authorization(side, host, this.#api, credential, isAzure);
  }

  /** What a tag or digest stands for, by HEAD; `undefined` when there is no such thing. */
  async head(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<ManifestDescriptor | undefined> {
    const options = this.#options(signal);
    const response = await this.#send(this.#manifestRequest("HEAD", repository, tagOrDigest, options));
    if (response.status === 404) return this.#notFound();
    const descriptor = response.status === 200 ? descriptorOf(response) : undefined;
    // no digest, no type, or no HEAD at all: only the manifest itself tells
    if (!descriptor) return (await this.#readManifest(repository, tagOrDigest, options))?.descriptor;
    if (isDigest(tagOrDigest) && descriptor.digest !== tagOrDigest) {
      throw this.#invalid(`asked for ${tagOrDigest}, it answers ${descriptor.digest}`);
    }
    return descriptor;
  }

  /** The manifest behind a tag or digest, its digest checked against its bytes; `undefined` when there is no such thing. */
  manifest(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<Manifest | undefined> {
    return this.#readManifest(repository, tagOrDigest, this.#options(signal));
  }

  /** The platforms that an image is for: those of an index, or the one that the configuration of a single image names. */
  async platforms(
    repository: string,
    { config, platforms }: Manifest,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    if (config === undefined) return platforms;
    const reference = `${this.#name}/${repository}@${config}`;
    const response = await this.#send({
      request: { method: "GET", url: `https://${this.#api}/v2/${repository}/blobs/${config}` },
      scope: { repository, actions: "pull" },
      denied: this.#denied(reference),
      options: this.#options(signal),
    });
    if (response.status !== 200) throw this.#unexpected("GET", response);
    if (digestOf(response.body, config) !== config)
      throw this.#invalid(`what it sends for ${config} is something else`);
    return [readPlatform(response.body) ?? []].flat();
  }

  /** The tags of a repository in the registry's order; `undefined` when there is no such repository. */
  async tags(repository: string, signal?: AbortSignal): Promise<string[] | undefined> {
    const tags: string[] = [];
    const path = `/v2/${repository}/tags/list?n=${PAGE}`;
    const found = await this.#pages(repository, "pull", path, signal, (body) => {
      if (!Array.isArray(body.tags ?? [])) throw this.#invalid("its list of tags is not a list");
      tags.push(...strings(body.tags));
    });
    return found ? tags : undefined;
  }

  /**
   * The manifests that refer to a digest, all or those of some artifact types. Registries without the referrers API are
   * asked for the tag that stands in for it.
   */
  async referrers(
    repository: string,
    digest: Digest,
    artifactTypes?: readonly string[],
    signal?: AbortSignal,
  ): Promise<Referrer[]> {
    const referrers: Referrer[] = [];
    const add = (response: HttpResponse) => {
      const page = readReferrers(response.body);
      if (!page) throw this.#invalid("its list of referrers is not a list");
      referrers.push(...page);
    };
    // not filtered by the registry: it may take one type only, and need not take any
    const found = await this.#eachPage(repository, "pull", `/v2/${repository}/referrers/${digest}`, signal, add);
    if (!found) {
      const fallback = await this.manifest(repository, digest.replace(":", "-"), signal);
      if (fallback) referrers.push(...(readReferrers(fallback.bytes) ?? []));
    }
    return artifactTypes
      ? referrers.filter(({ artifactType = "" }) => artifactTypes.includes(artifactType))
      : referrers;
  }

  /** Removes a manifest with every tag that it has. What is gone already counts as removed. */
  async deleteManifest(repository: string, digest: Digest, signal?: AbortSignal): Promise<void> {
    await this.#change("delete", "delete", repository, `@${digest}`, `/v2/${repository}/manifests/${digest}`, signal);
  }

  /** Azure only: removes a tag and leaves its manifest. What is gone already counts as removed. */
  async untag(repository: string, tag: string, signal?: AbortSignal): Promise<void> {
    await this.#change("delete", "untag", repository, `:${tag}`, `/acr/v1/${repository}/_tags/${tag}`, signal);
  }

  /** Azure only: the tags that stand for a digest. */
  async tagsOf(repository: string, digest: Digest, signal?: AbortSignal): Promise<string[]> {
    const tags: string[] = [];
    const path = `/acr/v1/${repository}/_tags?n=${PAGE}&digest=${encodeURIComponent(digest)}`;
    await this.#pages(repository, "metadata_read", path, signal, (body) => {
      const list = Array.isArray(body.tags) ? body.tags.filter(isObject) : [];
      tags.push(...strings(list.filter((tag) => tag.digest === digest).map(({ name }) => name)));
    });
    return tags;
  }

  /** Azure only: whether an index of the repository lists the manifest, so that it would break without it. */
  async isListed(repository: string, digest: Digest, signal?: AbortSignal): Promise<boolean> {
    const indexes: string[] = [];
    await this.#pages(repository, "metadata_read", `/acr/v1/${repository}/_manifests?n=${PAGE}`, signal, (body) => {
      const list = Array.isArray(body.manifests) ? body.manifests.filter(isObject) : [];
      indexes.push(...strings(list.filter(({ mediaType }) => isIndexType(mediaType)).map((one) => one.digest)));
    });
    const read = await Promise.all(indexes.map((index) => this.manifest(repository, index, signal)));
    return read.some((index) => index?.entries.some((entry) => entry.digest === digest));
  }

  /** Azure only: locks a tag against change and deletion, or unlocks it. */
  async lock(repository: string, tag: string, locked = true, signal?: AbortSignal): Promise<void> {
    const attributes = { writeEnabled: !locked, deleteEnabled: !locked };
    const path = `/acr/v1/${repository}/_tags/${tag}`;
    await this.#change("metadata_write", locked ? "lock" : "unlock", repository, `:${tag}`, path, signal, attributes);
  }

  async #readManifest(repository: string, tagOrDigest: string, options: RequestOptions): Promise<Manifest | undefined> {
    const response = await this.#send(this.#manifestRequest("GET", repository, tagOrDigest, options));
    if (response.status === 404) return this.#notFound();
    if (response.status !== 200) throw this.#unexpected("GET", response);

    const claimed = response.header("docker-content-digest");
    const expected = isDigest(tagOrDigest)
      ? tagOrDigest
      : claimed !== undefined && isDigest(claimed)
        ? claimed
        : undefined;
    const actual = digestOf(response.body, expected);
    if (expected !== undefined && actual !== expected) {
      throw this.#invalid(`what it sends for ${expected} has the digest ${actual}`);
    }
    const manifest = readManifest(response.body, response.header("content-type"), actual);
    if (typeof manifest === "string") throw this.#invalid(manifest);
    return manifest;
  }

  /** Pages of JSON objects. */
  #pages(
    repository: string,
    actions: string,
    path: string,
    signal: AbortSignal | undefined,
    read: (body: Readonly<Record<string, unknown>>) => void,
  ): Promise<boolean> {
    return this.#eachPage(repository, actions, path, signal, (response) => {
      const body = parseJson(response.body.toString("utf8"));
      if (!isObject(body)) throw this.#invalid("its list is no JSON");
      read(body);
    });
  }

  /** Reads page after page as `Link` headers name them; false when there is no first one. */
  async #eachPage(
    repository: string,
    actions: string,
    path: string,
    signal: AbortSignal | undefined,
    read: (response: HttpResponse) => void,
  ): Promise<boolean> {
    const options = this.#options(signal);
    let url: URL | undefined = new URL(path, `https://${this.#api}`);
    for (let page = 0; url; page++) {
      if (page === MAX_PAGES) throw this.#invalid("its list does not end");
      const response: HttpResponse = await this.#send({
        request: { method: "GET", url: url.href },
        scope: { repository, actions },
        denied: this.#denied(`${this.#name}/${repository}`),
        options,
      });
      if (response.status === 404 && page === 0) return false;
      if (response.status !== 200) throw this.#unexpected("GET", response);
      read(response);
      const next: URL | undefined = nextPage(response.header("link"), url);
      if (next && next.origin !== url.origin) throw this.#invalid("its list goes on at another host");
      url = next;
    }
    return true;
  }

  async #change(
    actions: string,
    action: RegistryAction,
    repository: string,
    suffix: string,
    path: string,
    signal: AbortSignal | undefined,
    body?: object,
  ): Promise<void> {
    const reference = `${this.#name}/${repository}${suffix}`;
    const method = body ? "PATCH" : "DELETE";
    const response = await this.#send({
      request: {
        method,
        url: `https://${this.#api}${path}`,
        ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      },
      scope: { repository, actions },
      denied: this.#denied(reference, action),
      options: this.#options(signal),
    });
    if (response.status >= 200 && response.status < 300) return;
    if (response.status === 404 && method === "DELETE") return;
    if (response.status === 404) throw new ImportError(registryFailure.notFound(this.#side, reference));
    if (response.status === 405 || response.status === 409) {
      throw new ImportError(targetFailure.locked(reference, action, this.#authorization.serverMessage(response)));
    }
    throw this.#unexpected(method, response);
  }

  /** Asks with the auth that the registry wants; a second auth is used once. */
  async #send({ request, scope, denied, options }: AuthorizedRequest): Promise<HttpResponse> {
    let auth = await this.#authorization.authorize(scope, options);
    let response = await this.#sendOnce(request, auth, options);
    const other = response.status === 401 && (await this.#authorization.reauthorize(scope, auth, response, options));
    if (other) {
      auth = other;
      response = await this.#sendOnce(request, auth, options);
    }
    if (response.status === 403 && request.method === "HEAD") {
      // only the body tells a closed network from missing rights, and a HEAD has none
      const told = await this.#sendOnce({ ...request, method: "GET" }, auth, options);
      if (told.status === 403) response = told;
    }
    if (response.status === 401 || response.status === 403)
      throw this.#authorization.deniedError(response, auth, denied);
    return response;
  }

  #sendOnce(request: HttpRequest, auth: AuthHeaders, options: RequestOptions): Promise<HttpResponse> {
    return sendRequest(this.#side, { ...request, headers: { ...request.headers, ...auth.headers } }, options);
  }

  #manifestRequest(
    method: "GET" | "HEAD",
    repository: string,
    tagOrDigest: string,
    options: RequestOptions,
  ): AuthorizedRequest {
    const reference = `${this.#name}/${repository}${isDigest(tagOrDigest) ? "@" : ":"}${tagOrDigest}`;
    return {
      request: {
        method,
        url: `https://${this.#api}/v2/${repository}/manifests/${tagOrDigest}`,
        headers: { accept: MANIFEST_TYPES },
      },
      scope: { repository, actions: "pull" },
      denied: this.#denied(reference),
      options,
    };
  }

  #options(signal: AbortSignal | undefined): RequestOptions {
    return { deadline: Date.now() + this.#timeoutMs, onWait: this.#onWait, signal };
  }

  #denied(reference: string, action: RegistryAction = "pull"): AuthorizedRequest["denied"] {
    return (who, message) => registryFailure.accessDenied(this.#side, reference, who, message, action);
  }

  /** A 404 counts only where a registry answers: `GET /v2/` of anything else gives no 200 and no 401. */
  #notFound(): undefined {
    const pingResponse = this.#authorization.pingStatus ?? 200;
    if (pingResponse !== 200 && pingResponse !== 401) throw this.#invalid(`GET /v2/ answers ${pingResponse}`);
  }

  #unexpected(method: string, response: HttpResponse): ImportError {
    const message = this.#authorization.serverMessage(response);
    return this.#invalid(`${method} answers ${message ?? `HTTP ${response.status}`}`);
  }

  #invalid(reason: string): ImportError {
    return new ImportError(registryFailure.invalidResponse(this.#side, this.#name, reason));
  }
}

interface AuthorizedRequest {
  readonly request: HttpRequest;
  readonly scope: Scope;
  readonly denied: (who: string, message: string | undefined) => Failure;
  readonly options: RequestOptions;
}

function descriptorOf(response: HttpResponse): ManifestDescriptor | undefined {
  const digest = response.header("docker-content-digest")?.trim() ?? "";
  const mediaType = manifestType(response.header("content-type"));
  const length = response.header("content-length") ?? "";
  if (!isDigest(digest) || mediaType === undefined) return undefined;
  return { digest, mediaType, ...(/^[1-9]\d{0,14}$/.test(length) && { size: Number(length) }) };
}

/** `Link: </v2/…?last=…>; rel="next"` */
function nextPage(link: string | undefined, from: URL): URL | undefined {
  const [, target] = /<([^>]*)>[^<]*;\s*rel="?next"?/i.exec(link ?? "") ?? [];
  return target !== undefined && URL.canParse(target, from.href) ? new URL(target, from) : undefined;
}

function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}
