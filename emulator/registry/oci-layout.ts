/** Reads images from a folder in the OCI image layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Descriptor, isIndex, type ManifestContent, requiredBlobs } from "./manifest";
import { listsReferrers, type ReferrersOptions } from "./referrers";
import type { RegistryStore } from "./registry-store";

/** Pushes every manifest of a layout as a client does, and returns the digest of each tag. */
export function pushLayout(
  store: RegistryStore,
  repository: string,
  folder: string,
  registry: ReferrersOptions,
): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const entry of readJson<ManifestContent>(path.join(folder, "index.json")).manifests ?? []) {
    pushManifest(store, repository, folder, entry);
    const tag = entry.annotations?.["org.opencontainers.image.ref.name"];
    // A layout has no referrers API, so that the list is a tag there. Where a registry has the API, a client leaves it out.
    if (tag === undefined || (listsReferrers(registry) && /^sha256-[0-9a-f]{64}$/.test(tag))) continue;
    store.setTag(repository, tag, entry.digest);
    tags[tag] = entry.digest;
  }
  return tags;
}

function pushManifest(store: RegistryStore, repository: string, folder: string, entry: Descriptor): void {
  const bytes = readFileSync(blobFile(folder, entry.digest));
  const content = JSON.parse(bytes.toString("utf8")) as ManifestContent;
  if (isIndex(entry.mediaType)) {
    for (const child of content.manifests ?? []) pushManifest(store, repository, folder, child);
  }
  for (const { digest } of requiredBlobs(content)) {
    store.putBlob(repository, readFileSync(blobFile(folder, digest)), digest);
  }
  store.putManifest(repository, bytes, entry.mediaType, undefined, entry.digest);
}

function blobFile(folder: string, digest: string): string {
  return path.join(folder, "blobs", ...digest.split(":"));
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8")) as T;
}
