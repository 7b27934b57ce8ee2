/** The content of one registry, in memory. */
import { randomUUID } from "node:crypto";
import { digestOf, hasDigest, isDigest } from "./digest";
import { type ManifestContent, parseManifest, requiredBlobs } from "./manifest";
import { disallowedOperation, RegistryError } from "./registry-error";

/** The lock attributes of a repository, a tag or a manifest. */
export interface ChangeableAttributes {
  deleteEnabled: boolean;
  writeEnabled: boolean;
  readEnabled: boolean;
  listEnabled: boolean;
  /** What a scanner found; only a manifest has it. */
  quarantineState?: "Quarantined" | "Passed" | "Failed";
}

interface StoredItem {
  createdTime: Date;
  lastUpdateTime: Date;
  attributes: ChangeableAttributes;
}

export interface StoredTag extends StoredItem {
  name: string;
  digest: string;
}

export interface StoredManifest extends StoredItem {
  digest: string;
  mediaType: string;
  bytes: Buffer;
  content: ManifestContent;
}

export interface Repository extends StoredItem {
  name: string;
  blobs: Set<string>;
  manifests: Map<string, StoredManifest>;
  tags: Map<string, StoredTag>;
}

/** An upload in progress. */
export interface UploadSession {
  id: string;
  repository: string;
  chunks: Buffer[];
  size: number;
}

/** The content of one registry, in memory. Locks apply to every writer: pushes, imports, the control API. */
export class RegistryStore {
  private readonly content = new Map<string, Buffer>();
  private readonly byName = new Map<string, Repository>();
  private readonly uploads = new Map<string, UploadSession>();

  /** Every repository that has a manifest, by name. */
  repositories(): Repository[] {
    return [...this.byName.values()].filter((repository) => repository.manifests.size > 0).sort(byName);
  }

  repository(name: string): Repository | undefined {
    return this.byName.get(name);
  }

  hasBlob(repository: string, digest: string): boolean {
    return this.byName.get(repository)?.blobs.has(digest) ?? false;
  }

  blob(repository: string, digest: string): Buffer | undefined {
    return this.hasBlob(repository, digest) ? this.content.get(digest) : undefined;
  }

  /** Stores a blob and returns its digest; throws if that is not the expected one. */
  putBlob(repository: string, bytes: Buffer, expected?: string): string {
    const digest = expected ?? digestOf(bytes);
    if (expected !== undefined && !hasDigest(bytes, expected))
      throw new RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content", { expected });
    this.requireWritable(repository).blobs.add(digest);
    this.content.set(digest, bytes);
    return digest;
  }

  /** Adds a blob of one repository to another; false if it does not exist. */
  mountBlob(from: string, digest: string, repository: string): boolean {
    if (!this.hasBlob(from, digest)) return false;
    this.requireWritable(repository).blobs.add(digest);
    return true;
  }

  deleteBlob(repository: string, digest: string): boolean {
    return this.byName.has(repository) && this.requireWritable(repository).blobs.delete(digest);
  }

  manifest(repository: string, tagOrDigest: string): StoredManifest | undefined {
    const found = this.byName.get(repository);
    const digest = tagOrDigest.includes(":") ? tagOrDigest : found?.tags.get(tagOrDigest)?.digest;
    return digest === undefined ? undefined : found?.manifests.get(digest);
  }

  /** Stores a manifest, and a tag if one is given; throws unless its blobs and children exist. */
  putManifest(
    repository: string,
    bytes: Buffer,
    contentType: string,
    tag?: string,
    digest = digestOf(bytes),
  ): StoredManifest {
    const { mediaType, content } = parseManifest(bytes, contentType);
    if (!hasDigest(bytes, digest))
      throw new RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content", { digest });
    const home = this.requireWritable(repository);
    const missing = [
      ...requiredBlobs(content).filter((blob) => !home.blobs.has(blob.digest)),
      ...(content.manifests ?? []).filter((child) => !home.manifests.has(child.digest)),
    ];
    if (missing.length > 0)
      throw new RegistryError(404, "MANIFEST_BLOB_UNKNOWN", "manifest references an unknown blob or manifest", {
        digests: missing.map((descriptor) => descriptor.digest),
      });
    if (tag !== undefined) this.requireWritableTag(home, tag);
    const stored = home.manifests.get(digest) ?? { digest, mediaType, bytes, content, ...newItem() };
    home.manifests.set(digest, stored);
    if (tag !== undefined) this.setTag(repository, tag, digest);
    return stored;
  }

  /** Deletes a manifest, its tags and optionally its referrers; throws, and deletes nothing, if any of them is locked. */
  deleteManifest(repository: string, digest: string, options: { withReferrers?: boolean } = {}): boolean {
    const home = this.byName.get(repository);
    if (!home?.manifests.has(digest)) return false;
    const digests = options.withReferrers ? this.withReferrers(repository, digest) : [digest];
    const manifests = digests.flatMap((doomed) => home.manifests.get(doomed) ?? []);
    const tags = digests.flatMap((doomed) => this.tagsOf(repository, doomed));
    for (const part of [home, ...manifests, ...tags]) requireDeletable(part);
    for (const doomed of digests) home.manifests.delete(doomed);
    for (const { name } of tags) home.tags.delete(name);
    return true;
  }

  tag(repository: string, name: string): StoredTag | undefined {
    return this.byName.get(repository)?.tags.get(name);
  }

  /** Every tag of a repository, by name. */
  tags(repository: string): StoredTag[] {
    return [...(this.byName.get(repository)?.tags.values() ?? [])].sort(byName);
  }

  tagsOf(repository: string, digest: string): StoredTag[] {
    return this.tags(repository).filter((tag) => tag.digest === digest);
  }

  setTag(repository: string, name: string, digest: string): void {
    const home = this.requireWritable(repository);
    if (!home.manifests.has(digest))
      throw new RegistryError(404, "MANIFEST_UNKNOWN", `manifest ${digest} is not found`);
    this.requireWritableTag(home, name);
    const tag = home.tags.get(name);
    if (tag === undefined) home.tags.set(name, { name, digest, ...newItem() });
    else Object.assign(tag, { digest, lastUpdateTime: new Date() });
  }

  /** Removes a tag; its manifest stays. */
  removeTag(repository: string, name: string): boolean {
    const home = this.byName.get(repository);
    const tag = home?.tags.get(name);
    if (!home || !tag) return false;
    requireDeletable(home);
    requireDeletable(tag);
    return home.tags.delete(name);
  }

  deleteRepository(name: string): boolean {
    const home = this.byName.get(name);
    if (!home) return false;
    for (const part of [home, ...home.manifests.values(), ...home.tags.values()]) requireDeletable(part);
    return this.byName.delete(name);
  }

  /** Attributes of the repository itself, or of one of its tags or manifests. */
  attributes(repository: string, tagOrDigest?: string): ChangeableAttributes | undefined {
    return this.find(repository, tagOrDigest)?.attributes;
  }

  setAttributes(repository: string, tagOrDigest: string | undefined, changes: Partial<ChangeableAttributes>): boolean {
    const found = this.find(repository, tagOrDigest);
    if (!found) return false;
    Object.assign(found.attributes, changes);
    found.lastUpdateTime = new Date();
    return true;
  }

  /** The manifests with that subject. */
  referrers(repository: string, subject: string): StoredManifest[] {
    return [...(this.byName.get(repository)?.manifests.values() ?? [])].filter(
      (manifest) => manifest.content.subject?.digest === subject,
    );
  }

  startUpload(repository: string): UploadSession {
    this.requireWritable(repository);
    const session = { id: randomUUID(), repository, chunks: [], size: 0 };
    this.uploads.set(session.id, session);
    return session;
  }

  upload(repository: string, id: string): UploadSession | undefined {
    const session = this.uploads.get(id);
    return session?.repository === repository ? session : undefined;
  }

  endUpload(id: string): void {
    this.uploads.delete(id);
  }

  private withReferrers(repository: string, digest: string): string[] {
    const referrers = this.referrers(repository, digest);
    return [digest, ...referrers.flatMap((referrer) => this.withReferrers(repository, referrer.digest))];
  }

  private find(repository: string, tagOrDigest: string | undefined): StoredItem | undefined {
    const home = this.byName.get(repository);
    if (tagOrDigest === undefined) return home;
    return isDigest(tagOrDigest) ? home?.manifests.get(tagOrDigest) : home?.tags.get(tagOrDigest);
  }

  private requireWritable(name: string): Repository {
    let repository = this.byName.get(name);
    if (repository === undefined) {
      repository = { name, blobs: new Set(), manifests: new Map(), tags: new Map(), ...newItem() };
      this.byName.set(name, repository);
    }
    if (!repository.attributes.writeEnabled) throw disallowedOperation();
    repository.lastUpdateTime = new Date();
    return repository;
  }

  private requireWritableTag(home: Repository, name: string): void {
    if (home.tags.get(name)?.attributes.writeEnabled === false) throw disallowedOperation();
  }
}

function newItem(): StoredItem {
  const now = new Date();
  return {
    createdTime: now,
    lastUpdateTime: now,
    attributes: { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true },
  };
}

function requireDeletable({ attributes }: StoredItem): void {
  if (!attributes.deleteEnabled || !attributes.writeEnabled) throw disallowedOperation();
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
