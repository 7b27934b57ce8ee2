/** Reads and changes the images of the emulator, without requests. */
import type { ContainerRegistries } from "./container-registries";
import { type ImageReference, parseImageReference } from "./image-reference";
import {
  describeImage,
  type ImageDescription,
  type ImageOptions,
  makeImage,
  makeReferrer,
} from "./registry/make-image";
import type { RegistryStore } from "./registry/registry-store";

/** The host is not a registry of the emulator. */
export class UnknownRegistryError extends Error {}

/** Reads and changes images by their references. */
export class Images {
  constructor(
    readonly registries: ContainerRegistries,
    readonly publicStores: ReadonlyMap<string, RegistryStore>,
  ) {}

  describe(text: string): ImageDescription | undefined {
    const { store, repository, reference } = this.#locate(text);
    return describeImage(store, repository, reference);
  }

  /** Moves the tag to a new image; its platforms stay unless others are given. */
  replace(text: string, options: ImageOptions = {}): ImageDescription {
    const { store, repository, tag } = this.#locate(text);
    const platforms = tag === undefined ? undefined : describeImage(store, repository, tag)?.platforms;
    return makeImage(store, repository, tag, { ...(platforms?.length ? { platforms } : {}), ...options });
  }

  /** Removes the tag, or, for a digest, the manifest. */
  remove(text: string): boolean {
    const { store, repository, tag, digest } = this.#locate(text);
    if (digest !== undefined) return store.deleteManifest(repository, digest);
    return tag !== undefined && store.removeTag(repository, tag);
  }

  /** Adds a referrer: a signature, an SBOM. */
  addReferrer(text: string, artifactType: string, annotations?: Record<string, string>): ImageDescription | undefined {
    const image = this.describe(text);
    const { store, repository } = this.#locate(text);
    return image && makeReferrer(store, repository, image.digest, artifactType, annotations);
  }

  /** Locks and unlocks a tag or manifest. */
  setAttributes(text: string, attributes: Parameters<RegistryStore["setAttributes"]>[2]): boolean {
    const { store, repository, reference } = this.#locate(text);
    return store.setAttributes(repository, reference, attributes);
  }

  #locate(text: string): ImageReference & { store: RegistryStore; reference: string } {
    const image = parseImageReference(text);
    const store = this.publicStores.get(image.host) ?? this.registries.find(image.host)?.store;
    if (!store) throw new UnknownRegistryError(`the emulator has no registry ${image.host}`);
    return { ...image, store, reference: image.digest ?? image.tag ?? "latest" };
  }
}
