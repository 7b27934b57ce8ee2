/** Reads an image from the source and stores it in the target. */
import { createHash } from "node:crypto";
import { isIndex, type ManifestContent, requiredBlobs } from "../registry/manifest";
import type { RegistryStore } from "../registry/registry-store";
import type { HttpResponse } from "./azure-network";
import { ImportFailure } from "./import-failure";
import type { SourceRegistry } from "./source-registry";

const maximumManifests = 50;
const rangeBytes = 4 * 1024 * 1024;
const parallelBlobs = 4;

/** A manifest of the source. */
interface FetchedManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly content: ManifestContent;
}

/** The manifests of an image: the root and everything below it, children first. */
export interface SourceTree {
  readonly root: FetchedManifest;
  readonly manifests: readonly FetchedManifest[];
}

/** The source as failure messages name it. */
export interface SourceName {
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  /** Whether it is an Azure registry, whose denials have another message. */
  readonly isAzureRegistry: boolean;
}

/** Reads a manifest by tag or digest, and every manifest below it. */
export async function readTree(source: SourceRegistry, reference: string, name: SourceName): Promise<SourceTree> {
  const manifests: FetchedManifest[] = [];
  const seen = new Set<string>();
  async function visit(digestOrTag: string): Promise<FetchedManifest> {
    const fetched = await readManifest(source, digestOrTag, name);
    if (seen.has(fetched.digest)) return fetched;
    seen.add(fetched.digest);
    const children = isIndex(fetched.mediaType) ? (fetched.content.manifests ?? []) : [];
    if (children.length > maximumManifests) {
      throw new ImportFailure(
        `The image contains ${children.length} manifests. The maximum number of manifests for an imported image is ${maximumManifests}.`,
      );
    }
    for (const child of children) if (!seen.has(child.digest)) await visit(child.digest);
    manifests.push(fetched);
    return fetched;
  }
  return { root: await visit(reference), manifests };
}

/** Resolves a tag or digest. */
export async function resolveDigest(source: SourceRegistry, reference: string, name: SourceName): Promise<string> {
  return (await readManifest(source, reference, name)).digest;
}

/** Copies the image into a repository of the target; blobs that the registry has are not read again. */
export async function copyTree(
  source: SourceRegistry,
  tree: SourceTree,
  store: RegistryStore,
  repository: string,
  name: SourceName,
): Promise<void> {
  const blobs = new Map(
    tree.manifests.flatMap(({ content }) => requiredBlobs(content)).map((blob) => [blob.digest, blob]),
  );
  const queue = [...blobs.values()];
  const others = store.repositories();
  const mount = (digest: string) => {
    const owner = others.find(({ blobs: held }) => held.has(digest));
    return owner !== undefined && store.mountBlob(owner.name, digest, repository);
  };
  const worker = async () => {
    for (let blob = queue.pop(); blob; blob = queue.pop()) {
      if (store.hasBlob(repository, blob.digest) || mount(blob.digest)) continue;
      store.putBlob(repository, await readBlob(source, blob.digest, blob.size, name), blob.digest);
    }
  };
  await Promise.all(Array.from({ length: parallelBlobs }, worker));
  for (const { bytes, mediaType, digest } of tree.manifests) {
    store.putManifest(repository, bytes, mediaType, undefined, digest);
  }
}

async function readManifest(source: SourceRegistry, reference: string, name: SourceName): Promise<FetchedManifest> {
  const response = await source.manifest(reference);
  if (response.status === 404) throw ImportFailure.manifestUnknown(name);
  if (response.status !== 200) throw toFailure(response, name);
  const text = response.body.toString("utf8");
  const digest = response.headers["docker-content-digest"];
  if (typeof digest !== "string") throw new ImportFailure(`No value specified for Docker-Content-Digest OK OK ${text}`);
  const isWrong = digest !== sha256(response.body) || (reference.includes(":") && reference !== digest);
  if (isWrong) throw new ImportFailure(`Invalid Docker-Content-Digest '${digest}'.`, "InvalidParameters");
  try {
    const content = JSON.parse(text) as ManifestContent;
    const mediaType = String(response.headers["content-type"] ?? content.mediaType ?? "");
    return { digest, mediaType, bytes: response.body, content };
  } catch {
    throw new ImportFailure("Invalid manifest.");
  }
}

async function readBlob(source: SourceRegistry, digest: string, size: number, name: SourceName): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let first = 0; first < size; first += rangeBytes) {
    const last = Math.min(first + rangeBytes, size) - 1;
    const response = await source.blobRange(digest, first, last);
    if (response.status === 200) throw new ImportFailure("The remote server may not be RFC 7233 compliant");
    if (response.status === 401 || response.status === 403) throw toFailure(response, name);
    if (response.status !== 206) throw new ImportFailure("Unexpected response status code");
    if (response.body.length !== last - first + 1) throw new ImportFailure("Unexpected length of body in response");
    parts.push(response.body);
  }
  const bytes = Buffer.concat(parts);
  if (sha256(bytes) !== digest) throw new ImportFailure("Error copying blobs", "InvalidParameters");
  return bytes;
}

function toFailure(response: HttpResponse, name: SourceName): ImportFailure {
  const isRefusal = response.status === 401 || response.status === 403;
  if (isRefusal && name.isAzureRegistry) return ImportFailure.accessDenied(name.host);
  const text = response.body.toString("utf8");
  if (isRefusal) return new ImportFailure(`Invalid message Unauthorized Unauthorized ${text}`);
  return new ImportFailure(`Unexpected response status code ${response.status}`);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
