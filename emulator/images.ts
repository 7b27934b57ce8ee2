/** Reads and changes the images of the emulator, without requests. */
import type { ContainerRegistries } from "./container-registries";
import { type ImageReference, parseImageReference } from "./image-reference";
import type { PublicRegistries } from "./public-registries";
import { describeImage, type ImageDescription, type ImageOptions, makeImage } from "./registry/make-image";
import { makeReferrers, type ReferrerDescription, type ReferrerOptions } from "./registry/make-referrers";
import { pushLayout } from "./registry/oci-layout";
import type { ReferrersOptions } from "./registry/referrers";
import type { RegistryStore } from "./registry/registry-store";
import { referrersOptions } from "./state";

/** The host is not a registry of the emulator. */
export class UnknownRegistryError extends Error {}

/** An image, and what refers to it. */
export interface SignedImageOptions extends ImageOptions {
  readonly referrers?: readonly ReferrerOptions[];
}

export interface SignedImageDescription extends ImageDescription {
  /** Each before what refers to it. */
  readonly referrers?: readonly ReferrerDescription[];
}

/** Where an image is. */
interface Place {
  readonly store: RegistryStore;
  readonly reference: string;
  /** How its registry lists referrers. */
  readonly referrers: ReferrersOptions;
}

/** Reads and changes images by their references. */
export class Images {
  constructor(
    readonly registries: ContainerRegistries,
    readonly publicRegistries: PublicRegistries,
  ) {}

  /** Contents of the registries that do not belong to Azure, by host. */
  get publicStores(): ReadonlyMap<string, RegistryStore> {
    return this.publicRegistries.stores;
  }

  describe(text: string): ImageDescription | undefined {
    const { store, repository, reference } = this.#locate(text);
    return describeImage(store, repository, reference);
  }

  /** Moves the tag to a new image; its platforms stay unless others are given. */
  replace(text: string, { referrers, ...options }: SignedImageOptions = {}): SignedImageDescription {
    const { store, repository, tag } = this.#locate(text);
    const platforms = tag === undefined ? undefined : describeImage(store, repository, tag)?.platforms;
    const made = makeImage(store, repository, tag, { ...(platforms?.length ? { platforms } : {}), ...options });
    return referrers ? { ...made, referrers: this.#addReferrers(text, made.digest, referrers) } : made;
  }

  /** Removes the tag, or, for a digest, the manifest. */
  remove(text: string): boolean {
    const { store, repository, tag, digest } = this.#locate(text);
    if (digest !== undefined) return store.deleteManifest(repository, digest);
    return tag !== undefined && store.removeTag(repository, tag);
  }

  /** Adds a referrer, a signature or an SBOM, and what refers to it; returns the referrer itself. */
  addReferrer(text: string, options: ReferrerOptions = {}): ReferrerDescription | undefined {
    const image = this.describe(text);
    return image && this.#addReferrers(text, image.digest, [options])[0];
  }

  /** Pushes the images of a folder in the OCI image layout; returns their digests by tag. */
  pushLayout(text: string, folder: string): Record<string, string> {
    const { store, repository, referrers } = this.#locate(text);
    return pushLayout(store, repository, folder, referrers);
  }

  /** Locks and unlocks a tag or manifest. */
  setAttributes(text: string, attributes: Parameters<RegistryStore["setAttributes"]>[2]): boolean {
    const { store, repository, reference } = this.#locate(text);
    return store.setAttributes(repository, reference, attributes);
  }

  #addReferrers(text: string, image: string, referrers: readonly ReferrerOptions[]): ReferrerDescription[] {
    const { store, repository, referrers: registry } = this.#locate(text);
    return makeReferrers(store, repository, image, referrers, registry);
  }

  #locate(text: string): ImageReference & Place {
    const image = parseImageReference(text);
    const reference = image.digest ?? image.tag ?? "latest";
    const publicStore = this.publicStores.get(image.host);
    if (publicStore) {
      const referrers = this.publicRegistries.referrersOptions(image.host);
      return { ...image, reference, store: publicStore, referrers };
    }
    const registry = this.registries.find(image.host);
    if (!registry) throw new UnknownRegistryError(`the emulator has no registry ${image.host}`);
    return { ...image, reference, store: registry.store, referrers: referrersOptions(registry) };
  }
}
