import type { RegistryStore } from "./registry/store";

interface Late {
  readonly until: number;
  /** What the tag or digest led to before; nothing when it is new. */
  readonly previous: string | undefined;
}

/** Geo-replicas that learn of an import late: until then they serve what was there before. */
export class Replication {
  readonly #late = new WeakMap<RegistryStore, Map<string, Late>>();

  /** Notes that an import is about to write a tag or a manifest. */
  delay(store: RegistryStore, repository: string, tagOrDigest: string, lagMs: number): void {
    if (lagMs <= 0) return;
    const late = this.#late.get(store) ?? new Map<string, Late>();
    this.#late.set(store, late);
    const previous = store.manifest(repository, tagOrDigest)?.digest;
    late.set(`${repository}:${tagOrDigest}`, { until: Date.now() + lagMs, previous });
  }

  /** The store as a replica shows it. Writes go through to the home region. */
  replicaOf(store: RegistryStore): RegistryStore {
    const findLate = (repository: string, tagOrDigest: string) => {
      const late = this.#late.get(store)?.get(`${repository}:${tagOrDigest}`);
      return late && late.until > Date.now() ? late : undefined;
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
