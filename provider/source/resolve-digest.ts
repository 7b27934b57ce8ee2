/** Resolves references to digests: in the program, for all images at once; in `check` where the program cannot. */
import type { Azure } from "../azure/azure";
import { type Failure, failureOf, ImportError } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { sourceFailure } from "../failure/source";
import type { Digest } from "../reference/digest";
import { LATEST } from "../reference/tag";
import type { CollectedReferrers, ListedTag, ManifestDescriptor, RegistryClient } from "../registry/client";
import type { ReferrersPolicy } from "../resource/referrers";
import { printRepositorySource, type RepositorySource } from "../resource/repository-source";
import { printSource, type Source } from "../resource/source";
import type { DigestResult, ReferrersResult } from "../resource/state";
import type { FoundSignatures } from "../signature/found-signatures";
import { cached } from "./cached";
import { findPlatform } from "./find-platform";
import { findSignatures } from "./find-signatures";
import { collectReferrers, fingerprintReferrers } from "./read-referrers";
import { SourceRegistries } from "./source-registries";

/** How long the time of a tag may take to read, in milliseconds: an import does not depend on it. */
const PUSH_TIME_MS = 10_000;

/** More tags of one repository are not listed. */
const MOST_TAGS = 10_000;

/**
 * Resolves each distinct reference once per identity, over shared connections and tokens.
 *
 * In the program all look-ups run in parallel. In `check` they could not: the engine calls `check` for one resource after
 * another, so each look-up would add its full latency.
 */
export class DigestResolver {
  readonly #registries: SourceRegistries;
  /** By the client, because one registry can be named in several ways. */
  readonly #descriptors = new Map<RegistryClient, Map<string, Promise<ManifestDescriptor | undefined>>>();

  readonly #tagLists = new Map<RegistryClient, Map<string, Promise<ListedTag[] | undefined>>>();

  /**
   * @param azure - Access to Azure, created only when a source needs it.
   * @param log - Shows a message in the terminal.
   */
  constructor(
    private readonly azure: () => Azure,
    log?: (message: string) => void,
  ) {
    this.#registries = new SourceRegistries(azure, log);
  }

  /** Resolves the digest of a source; empty when the digest comes from the target. Never rejects. */
  resolve(source: Source): Promise<DigestResult> {
    if (source.digest !== undefined) return Promise.resolve({ digest: source.digest });
    if (source.digestFrom === "target") return Promise.resolve({});
    const { repository, tag = LATEST } = source;
    return this.#registries
      .read(source, (client) => this.#readDigest(client, repository, tag, printSource(source)))
      .then(toDigest, toFailure);
  }

  /** Resolves the digest of one tag of a repository, as {@link resolve} does. Never rejects. */
  resolveTag(source: RepositorySource, tag: string): Promise<DigestResult> {
    const name = `${printRepositorySource(source)}:${tag}`;
    return this.#registries
      .read(source, (client) => this.#readDigest(client, source.repository, tag, name))
      .then(toDigest, toFailure);
  }

  /** Lists the tags of a repository, once per identity. Rejects only for a fault of this package. */
  async listTags(source: RepositorySource): Promise<{ tags: readonly ListedTag[] } | { failure: Failure }> {
    try {
      return { tags: await this.#registries.read(source, (client) => this.#readTags(client, source)) };
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      return { failure };
    }
  }

  /** Resolves the digest of one platform of an image, which is an index or a single manifest. Never rejects. */
  resolvePlatform(source: Source, image: Digest, platform: string): Promise<DigestResult> {
    return this.#registries
      .read(source, (client) => findPlatform(client, source, image, platform))
      .then(toDigest, toFailure);
  }

  /** The host of a source's registry; that of one named otherwise is looked up in Azure, once. */
  host(source: Pick<Source, "registry">): Promise<string> {
    return this.#registries.host(source);
  }

  /** Identifies what refers to a manifest of the source directly. Never rejects. */
  listReferrers(source: Source, digest: Digest, tags: boolean): Promise<ReferrersResult> {
    return this.#registries
      .read(source, (client) => fingerprintReferrers(client, source, digest, tags))
      .then((fingerprint) => ({ fingerprint }), toFailure);
  }

  /** Collects everything that refers to a manifest of the source. Never rejects. */
  collectReferrers(source: Source, digest: Digest, policy: ReferrersPolicy): Promise<CollectResult> {
    return this.#registries.read(source, (client) => collectReferrers(client, source, digest, policy)).catch(toFailure);
  }

  /** Finds what may be signatures of an image, or why the registry does not list it. Rejects only for a fault of this package. */
  async findSignatures(source: Source, image: Digest, tags: boolean): Promise<FoundSignatures | { failure: Failure }> {
    try {
      return await this.#registries.read(source, (client) => findSignatures(client, source, image, tags));
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      return { failure };
    }
  }

  /**
   * When the tag of a source got this digest, in milliseconds since the epoch; `undefined` where the registry does not tell.
   * Azure registries do. Never rejects.
   */
  async pushTime(source: Source, digest: Digest): Promise<number | undefined> {
    const { repository, tag = LATEST } = source;
    // With a client of its own: credentials that may pull, but not read this, must not count as rejected.
    const registries = new SourceRegistries(this.azure);
    const signal = AbortSignal.timeout(PUSH_TIME_MS);
    try {
      return await registries.read(source, async (client, isAzure) =>
        isAzure ? client.tagTime(repository, tag, digest, signal) : undefined,
      );
    } catch {
      return undefined;
    }
  }

  async #readDigest(client: RegistryClient, repository: string, tag: string, name: string): Promise<Digest> {
    const descriptors = cached(this.#descriptors, client, () => new Map());
    const descriptor = await cached(descriptors, `${repository}:${tag}`, () => client.head(repository, tag));
    if (descriptor === undefined) throw new ImportError(registryFailure.notFound("source", name));
    return descriptor.digest;
  }

  async #readTags(client: RegistryClient, source: RepositorySource): Promise<readonly ListedTag[]> {
    const { repository } = source;
    const lists = cached(this.#tagLists, client, () => new Map());
    const tags = await cached(lists, repository, () => client.listTags(repository, MOST_TAGS));
    if (tags === undefined) throw new ImportError(registryFailure.notFound("source", printRepositorySource(source)));
    return tags;
  }
}

/** Everything that refers to an image, or why it could not be read. */
export interface CollectResult extends Partial<CollectedReferrers> {
  readonly failure?: Failure;
}

function toDigest(digest: Digest): DigestResult {
  return { digest };
}

/** An error thrown in the program would end it with a stack trace. */
function toFailure(error: unknown): { readonly failure: Failure } {
  return {
    failure: failureOf(error) ?? sourceFailure.unresolved(error instanceof Error ? error.message : String(error)),
  };
}
