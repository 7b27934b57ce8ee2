/** Collects everything that refers to an image, for its import: also to its platforms, and to what refers to it. */
import { ImportError } from "../../failure/failure";
import { registryFailure } from "../../failure/registry";
import type { Digest } from "../../reference/digest";
import type { RegistryApi } from "../api";
import { getManifest } from "../content";
import { type IndexEntry, isIndexType, type Manifest } from "../manifest";
import { matchesArtifactType } from "./artifact-types";
import { requireImportable, requireSmall, requireVisitable } from "./limits";
import { listReferrers } from "./list-referrers";
import { referrersTag } from "./tag-schema";

export interface CollectOptions {
  /** Artifact types, exact or with a `*` at the end; cosign's tags are not concerned. Without them all types are collected. */
  readonly artifactTypes?: readonly string[] | undefined;
  /**
   * Whether to collect what is under cosign's tags.
   *
   * @default true
   */
  readonly tags?: boolean;
}

/** A manifest to import. */
export interface CollectedReferrer {
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** As the manifest itself says: its artifact type, the media type of its configuration, or its own media type. */
  readonly artifactType: string;
  /** The manifest that it refers to, or whose digest is in the tag. */
  readonly subject: Digest;
  /** cosign's tag, for a manifest that is found by it and not by its `subject` field. */
  readonly tag?: string;
}

/** A manifest that is listed and cannot be collected. */
export interface SkippedReferrer {
  readonly digest: Digest;
  readonly subject: Digest;
  /**
   * `missing`: it does not exist, so that nobody can use it. Clients that keep the list themselves leave such entries behind.
   * `other-subject`: it refers to another manifest, or to none.
   */
  readonly reason: "missing" | "other-subject";
}

export interface CollectedReferrers {
  /** Each after its subject, so that a target that gets them in this order has no referrer without subject. */
  readonly referrers: readonly CollectedReferrer[];
  /** The indexes that list the referrers, on a registry without the referrers API. */
  readonly indexes: readonly { readonly tag: string; readonly digest: Digest }[];
  readonly skipped: readonly SkippedReferrer[];
}

/** Breadth first, each manifest once. Too many are a failure: nothing is left out silently. */
export async function collectReferrers(
  api: RegistryApi,
  repository: string,
  digest: Digest,
  options: CollectOptions = {},
  signal?: AbortSignal,
): Promise<CollectedReferrers> {
  const collector = new Collector(api, repository, digest, options, signal);
  await collector.run();
  const { referrers, indexes, skipped } = collector;
  return { referrers, indexes, skipped };
}

/** A manifest whose referrers are looked for: the image, a manifest of its index, or a collected one. */
interface Subject {
  readonly digest: Digest;
  /** The manifests of an index, which come along when it is imported. */
  readonly children: readonly IndexEntry[];
}

/** A manifest that is listed, or tagged, as a referrer. */
interface Candidate {
  readonly digest: Digest;
  readonly subject: Digest;
  readonly tag?: string;
}

class Collector implements CollectedReferrers {
  readonly referrers: CollectedReferrer[] = [];
  readonly indexes: { readonly tag: string; readonly digest: Digest }[] = [];
  readonly skipped: SkippedReferrer[] = [];
  /** What is part of the image, or collected. */
  readonly #seen = new Set<Digest>();
  readonly #manifests = new Map<Digest, Promise<Manifest | undefined>>();
  /** Of these. */
  #bytes = 0;

  constructor(
    private readonly api: RegistryApi,
    private readonly repository: string,
    private readonly digest: Digest,
    private readonly options: CollectOptions,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async run(): Promise<void> {
    const image = await this.#read(this.digest);
    if (!image) throw new ImportError(registryFailure.notFound(this.api.side, this.#image));
    this.#seen.add(this.digest);
    let level: readonly Subject[] = [{ digest: this.digest, children: image.entries }];
    while (level.length > 0) {
      // Children first: what is part of the image is not collected as a referrer of another part.
      const children = await this.#childrenOf(level);
      const referrers = await this.#referrersOf(level);
      level = [...children, ...referrers];
    }
  }

  async #childrenOf(level: readonly Subject[]): Promise<Subject[]> {
    const entries = level.flatMap(({ children }) => children).filter(({ digest }) => this.#isNew(digest));
    requireVisitable(this.#image, this.#seen);
    return Promise.all(
      entries.map(async ({ digest, mediaType }) => {
        const index = isIndexType(mediaType) ? await this.#read(digest) : undefined;
        return { digest, children: index?.entries ?? [] };
      }),
    );
  }

  async #referrersOf(level: readonly Subject[]): Promise<Subject[]> {
    const lists = await Promise.all(level.map(({ digest }) => this.#list(digest)));
    this.indexes.push(...lists.flatMap(({ index }) => index ?? []));
    const candidates = lists.flatMap((list) => list.candidates);
    requireVisitable(this.#image, new Set([...this.#seen, ...candidates.map(({ digest }) => digest)]));
    const manifests = await Promise.all(candidates.map(({ digest }) => this.#read(digest)));
    return candidates.flatMap((candidate, at) => this.#collect(candidate, manifests[at]) ?? []);
  }

  async #list(subject: Digest) {
    const { tags = true } = this.options;
    const list = await listReferrers(this.api, this.repository, subject, { tags }, this.signal);
    const candidates = [...(list.referrers ?? []).map(({ digest }) => ({ digest })), ...list.cosignTags];
    return {
      index: list.index && { tag: referrersTag(subject), digest: list.index },
      candidates: candidates.map((candidate): Candidate => ({ ...candidate, subject })),
    };
  }

  /** Collects a manifest, unless the list is wrong about it. */
  #collect({ digest, subject, tag }: Candidate, manifest: Manifest | undefined): Subject | undefined {
    if (!manifest) return this.#skip({ digest, subject, reason: "missing" });
    if (tag === undefined && manifest.subject !== subject) {
      return this.#skip({ digest, subject, reason: "other-subject" });
    }
    const { mediaType } = manifest.descriptor;
    const { artifactType = mediaType } = manifest;
    const isWanted = tag !== undefined || matchesArtifactType(artifactType, this.options.artifactTypes);
    const isNew = isWanted && this.#isNew(digest);
    if (isNew || tag !== undefined) {
      const { repository } = this;
      this.referrers.push({ repository, digest, mediaType, artifactType, subject, ...(tag !== undefined && { tag }) });
      requireImportable(this.#image, this.referrers);
    }
    return isNew ? { digest, children: manifest.entries } : undefined;
  }

  #skip(skipped: SkippedReferrer): undefined {
    this.skipped.push(skipped);
  }

  /** The manifest of a digest, each read once. */
  #read(digest: Digest): Promise<Manifest | undefined> {
    const manifest = this.#manifests.get(digest) ?? this.#readOnce(digest);
    this.#manifests.set(digest, manifest);
    return manifest;
  }

  async #readOnce(digest: Digest): Promise<Manifest | undefined> {
    const manifest = await getManifest(this.api, this.repository, digest, this.signal);
    this.#bytes += manifest?.descriptor.size ?? 0;
    requireSmall(this.api, this.#bytes);
    return manifest;
  }

  #isNew(digest: Digest): boolean {
    const isNew = !this.#seen.has(digest);
    this.#seen.add(digest);
    return isNew;
  }

  get #image(): string {
    return this.api.reference(`${this.repository}@${this.digest}`);
  }
}
