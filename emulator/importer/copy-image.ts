import { createHash } from "node:crypto";
import { isIndex, type ManifestContent, requiredBlobs } from "../registry/manifest";
import type { RegistryStore } from "../registry/registry-store";
import type { HttpResponse } from "./azure-network";
import { ImportFailure } from "./import-failure";
import type { SourceRegistry } from "./source-registry";

const maximumManifests = 50;
const rangeBytes = 4 * 1024 * 1024;
const parallelBlobs = 4;

/** A manifest as the source serves it. */
interface FetchedManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly content: ManifestContent;
}

/** An image read from the source: its root and everything that the root lists, children first. */
export interface SourceTree {
  readonly root: FetchedManifest;
  readonly manifests: readonly FetchedManifest[];
}

/** How failure texts name the source. */
export interface SourceName {
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  /** An Azure registry: what it refuses is worded differently. */
  readonly isAzureRegistry: boolean;
}

/** Reads a manifest by tag or digest, and all manifests below it. */
export async function readTree(source: SourceRegistry, reference: string, names: SourceName): Promise<SourceTree> {
  const manifests: FetchedManifest[] = [];
  const seen = new Set<string>();
  async function visit(digestOrTag: string): Promise<FetchedManifest> {
    const fetched = await readManifest(source, digestOrTag, names);
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

/** Asks which digest the reference stands for. */
export async function resolveDigest(source: SourceRegistry, reference: string, names: SourceName): Promise<string> {
  return (await readManifest(source, reference, names)).digest;
}

/** Copies the tree into a repository of the target; blobs that the target has are not read again. */
export async function copyTree(
  source: SourceRegistry,
  tree: SourceTree,
  store: RegistryStore,
  repository: string,
  names: SourceName,
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
      store.putBlob(repository, await readBlob(source, blob.digest, blob.size, names), blob.digest);
    }
  };
  await Promise.all(Array.from({ length: parallelBlobs }, worker));
  for (const { bytes, mediaType, digest } of tree.manifests) {
    store.putManifest(repository, bytes, mediaType, undefined, digest);
  }
}

async function readManifest(source: SourceRegistry, reference: string, names: SourceName): Promise<FetchedManifest> {
  const answer = await source.manifest(reference);
  if (answer.status === 404) throw ImportFailure.manifestUnknown(names);
  if (answer.status !== 200) throw toFailure(answer, names);
  const text = answer.body.toString("utf8");
  const digest = answer.headers["docker-content-digest"];
  if (typeof digest !== "string") throw new ImportFailure(`No value specified for Docker-Content-Digest OK OK ${text}`);
  const isWrong = digest !== sha256(answer.body) || (reference.includes(":") && reference !== digest);
  if (isWrong) throw new ImportFailure(`Invalid Docker-Content-Digest '${digest}'.`, "InvalidParameters");
  try {
    const content = JSON.parse(text) as ManifestContent;
    const mediaType = String(answer.headers["content-type"] ?? content.mediaType ?? "");
    return { digest, mediaType, bytes: answer.body, content };
  } catch {
    throw new ImportFailure("Invalid manifest.");
  }
}

async function readBlob(source: SourceRegistry, digest: string, size: number, names: SourceName): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let first = 0; first < size; first += rangeBytes) {
    const last = Math.min(first + rangeBytes, size) - 1;
    const answer = await source.blobRange(digest, first, last);
    if (answer.status === 200) throw new ImportFailure("The remote server may not be RFC 7233 compliant");
    if (answer.status === 401 || answer.status === 403) throw toFailure(answer, names);
    if (answer.status !== 206) throw new ImportFailure("Unexpected response status code");
    if (answer.body.length !== last - first + 1) throw new ImportFailure("Unexpected length of body in response");
    parts.push(answer.body);
  }
  const bytes = Buffer.concat(parts);
  if (sha256(bytes) !== digest) throw new ImportFailure("Error copying blobs", "InvalidParameters");
  return bytes;
}

function toFailure(answer: HttpResponse, names: SourceName): ImportFailure {
  const isRefusal = answer.status === 401 || answer.status === 403;
  if (isRefusal && names.isAzureRegistry) return ImportFailure.accessDenied(names.host);
  const text = answer.body.toString("utf8");
  if (isRefusal) return new ImportFailure(`Invalid message Unauthorized Unauthorized ${text}`);
  return new ImportFailure(`Unexpected response status code ${answer.status}`);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
