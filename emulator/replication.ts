/** Geo-replication that lags behind imports. */
import type { RegistryStore } from "./registry/registry-store";

interface PendingReplication {
  readonly since: number;
  /** The digest before the import; undefined for a new tag or manifest. */
  readonly previous: string | undefined;
}

/** Replicas serve the previous content until the lag has passed. */
export class Replication {
  readonly #late = new WeakMap<RegistryStore, Map<string, PendingReplication>>();

  /** Records that an import is about to write a tag or a manifest. */
  recordImport(store: RegistryStore, repository: string, tagOrDigest: string): void {
    const late = this.#late.get(store) ?? new Map<string, PendingReplication>();
    this.#late.set(store, late);
    const previous = store.manifest(repository, tagOrDigest)?.digest;
    late.set(`${repository}:${tagOrDigest}`, { since: Date.now(), previous });
  }

  /** A view of the store as a replica with this lag shows it. Writes go to the store itself. */
  replicaOf(store: RegistryStore, lagMs: () => number): RegistryStore {
    const findLate = (repository: string, tagOrDigest: string) => {
      const key = `${repository}:${tagOrDigest}`;
      const late = this.#late.get(store)?.get(key);
      if (!late || Date.now() - late.since < lagMs()) return late;
      // Once visible, it stays visible, even if the lag grows.
      this.#late.get(store)?.delete(key);
      return undefined;
    };
    const replica = Object.create(store) as RegistryStore;
    replica.tag = (repository, name) => {
      const late = findLate(repository, name);
      const tag = store.tag(repository, name);
      if (!late || !tag) return tag;
      return late.previous === undefined ? undefined : { ...tag, digest: late.previous };
    };
    replica.tags = (repository) => store.tags(repository).flatMap(({ name }) => replica.tag(repository, name) ?? []);
    replica.manifest = (repository, tagOrDigest) => {
      const isDigest = tagOrDigest.includes(":");
      const digest = isDigest ? tagOrDigest : replica.tag(repository, tagOrDigest)?.digest;
      if (digest === undefined) return undefined;
      const late = findLate(repository, digest);
      return late && late.previous === undefined ? undefined : store.manifest(repository, digest);
    };
    return replica;
  }
}
