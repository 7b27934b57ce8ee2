/** The registries that do not belong to Azure: Docker Hub, Microsoft's, and those that the control API adds. */
import type { Handler } from "./registry/http";
import { publicRegistry } from "./registry/public-registry";
import type { ReferrersOptions } from "./registry/referrers";
import { RegistryStore } from "./registry/registry-store";

/** How a registry differs from the default. */
export interface PublicRegistryOptions {
  readonly referrers?: ReferrersOptions;
  /** Lists of tags have a map of the manifests, as those of Google's registries. */
  readonly tagDigests?: boolean;
}

export class PublicRegistries {
  /** Their contents, by host. */
  readonly stores = new Map<string, RegistryStore>();
  readonly #options = new Map<string, PublicRegistryOptions>();
  readonly #added = new Map<string, Handler>();

  constructor(builtIn: Readonly<Record<string, RegistryStore>>) {
    for (const [host, store] of Object.entries(builtIn)) this.stores.set(host, store);
  }

  /** Changes a registry. One that does not exist is added; anybody may pull from it and push to it. */
  set(host: string, options: PublicRegistryOptions): void {
    this.#options.set(host, options);
    if (this.stores.has(host)) return;
    const store = new RegistryStore();
    this.stores.set(host, store);
    const referrers = () => this.referrersOptions(host);
    const tagDigests = () => this.#options.get(host)?.tagDigests === true;
    this.#added.set(host, publicRegistry({ store, readOnly: false, referrers, tagDigests }));
  }

  /** Removes an added registry; one that is built in gets its defaults again. */
  remove(host: string): void {
    this.#options.delete(host);
    if (this.#added.delete(host)) this.stores.delete(host);
  }

  /** The handler of an added registry. */
  handlerFor(host: string): Handler | undefined {
    return this.#added.get(host);
  }

  /** What the control API has set, by host. */
  options(): Record<string, PublicRegistryOptions> {
    return Object.fromEntries(this.#options);
  }

  referrersOptions(host: string): ReferrersOptions {
    return this.#options.get(host)?.referrers ?? {};
  }
}
