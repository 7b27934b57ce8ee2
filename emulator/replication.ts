import type { RegistryStore } from "./registry/store";

interface LateTag {
  readonly until: number;
  /** What the tag pointed at before; nothing when it is new. */
  readonly previous: string | undefined;
}

/** Geo-replicas that learn of an imported tag late: until then they serve what was there before. */
export class Replication {
  readonly #late = new WeakMap<RegistryStore, Map<string, LateTag>>();

  /** Notes that an import is about to set a tag. */
  delay(store: RegistryStore, repository: string, tag: string, lagMs: number): void {
    if (lagMs <= 0) return;
    const late = this.#late.get(store) ?? new Map<string, LateTag>();
    this.#late.set(store, late);
    late.set(`${repository}:${tag}`, { until: Date.now() + lagMs, previous: store.tag(repository, tag)?.digest });
  }

  /** The store as a replica shows it. Writes go through to the home region. */
  replicaOf(store: RegistryStore): RegistryStore {
    const lateTag = (repository: string, tag: string) => {
      const late = this.#late.get(store)?.get(`${repository}:${tag}`);
      return late && late.until > Date.now() ? late : undefined;
    };
    const replica = Object.create(store) as RegistryStore;
    replica.tag = (repository, name) => {
      const late = lateTag(repository, name);
      const tag = store.tag(repository, name);
      if (!late || !tag) return tag;
      return late.previous === undefined ? undefined : { ...tag, digest: late.previous };
    };
    replica.tags = (repository) => store.tags(repository).flatMap(({ name }) => replica.tag(repository, name) ?? []);
    replica.manifest = (repository, tagOrDigest) => {
      if (tagOrDigest.includes(":")) return store.manifest(repository, tagOrDigest);
      const tag = replica.tag(repository, tagOrDigest);
      return tag && store.manifest(repository, tag.digest);
    };
    return replica;
  }
}
