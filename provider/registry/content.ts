/** Reads the content of a repository: manifests, their descriptors, and blobs. */
import { type Digest, isDigest } from "../reference/digest";
import type { ApiRequest, RegistryApi } from "./api";
import {
  digestOf,
  MANIFEST_TYPES,
  type Manifest,
  type ManifestDescriptor,
  manifestType,
  readManifest,
} from "./manifest";
import type { HttpResponse } from "./transport/http-message";
import type { RequestOptions } from "./transport/send";

/** Hosts that responded to HEAD with 404 for a manifest that GET found: https://github.com/moby/moby/issues/45333 */
const hostsWithoutHead = new Set<string>();

/** The descriptor of a tag or digest, by HEAD; `undefined` when it does not exist, which only Azure's HEAD decides. */
export function headManifest(
  api: RegistryApi,
  repository: string,
  tagOrDigest: string,
  signal?: AbortSignal,
): Promise<ManifestDescriptor | undefined> {
  return head(api, repository, tagOrDigest, api.isAzure, signal);
}

/** {@link headManifest} for a tag that most images do not have: one HEAD decides, except on a host where it was wrong before. */
export function headRareTag(
  api: RegistryApi,
  repository: string,
  tag: string,
  signal?: AbortSignal,
): Promise<ManifestDescriptor | undefined> {
  return head(api, repository, tag, api.isAzure || !hostsWithoutHead.has(api.host), signal);
}

async function head(
  api: RegistryApi,
  repository: string,
  tagOrDigest: string,
  believes404: boolean,
  signal: AbortSignal | undefined,
): Promise<ManifestDescriptor | undefined> {
  const options = api.requestOptions(signal);
  const response = await api.tryHead(manifestRequest(repository, tagOrDigest), options);
  if (response?.status === 404 && believes404) return api.notFound();
  const descriptor = response && descriptorOf(response, tagOrDigest);
  if (!descriptor) {
    // Without a digest, a media type, or a response to HEAD at all, only the manifest itself has them.
    const manifest = await readWith(api, repository, tagOrDigest, options);
    if (manifest && response?.status === 404) hostsWithoutHead.add(api.host);
    return manifest?.descriptor;
  }
  if (isDigest(tagOrDigest) && descriptor.digest !== tagOrDigest) {
    throw api.invalidResponse(`the manifest of ${tagOrDigest} has the digest ${descriptor.digest}`);
  }
  return descriptor;
}

/** The manifest of a tag or digest, its digest checked against its bytes; `undefined` when it does not exist. */
export function getManifest(
  api: RegistryApi,
  repository: string,
  tagOrDigest: string,
  signal?: AbortSignal,
): Promise<Manifest | undefined> {
  return readWith(api, repository, tagOrDigest, api.requestOptions(signal));
}

/** A blob of at most `maxBytes`, its digest checked; `undefined` when it does not exist. A longer one is a failure. */
export async function getBlob(
  api: RegistryApi,
  repository: string,
  digest: Digest,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  const request: ApiRequest = {
    method: "GET",
    path: `/v2/${repository}/blobs/${digest}`,
    scope: { repository, actions: "pull" },
    action: "pull",
    object: `${repository}@${digest}`,
    maxBodyBytes: maxBytes,
  };
  const response = await api.send(request, api.requestOptions(signal));
  if (response.status === 404) return api.notFound();
  if (response.status !== 200) throw api.unexpectedStatus("GET", response);
  const actual = digestOf(response.body, digest);
  if (actual !== digest) throw api.invalidResponse(`the blob ${digest} has the digest ${actual}`);
  return response.body;
}

async function readWith(
  api: RegistryApi,
  repository: string,
  tagOrDigest: string,
  options: RequestOptions,
): Promise<Manifest | undefined> {
  const response = await api.send({ ...manifestRequest(repository, tagOrDigest), method: "GET" }, options);
  if (response.status === 404) return api.notFound();
  if (response.status !== 200) throw api.unexpectedStatus("GET", response);

  const requested = isDigest(tagOrDigest) ? tagOrDigest : undefined;
  const digest = digestOf(response.body, requested);
  if (requested !== undefined && digest !== requested) {
    throw api.invalidResponse(`the manifest of ${requested} has the digest ${digest}`);
  }
  const declared = digestHeader(response);
  const actual = digestOf(response.body, declared);
  if (declared !== undefined && declared !== actual) {
    throw api.invalidResponse(`Docker-Content-Digest is ${declared}, but the manifest has the digest ${actual}`);
  }
  const manifest = readManifest(response.body, response.header("content-type"), digest);
  if (typeof manifest === "string") throw api.invalidResponse(manifest, response);
  return manifest;
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
  if (response.status !== 200) return undefined;
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
