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

/** Somebody asked for an image of a host that the box does not hold itself. */
export class UnknownRegistryError extends Error {}

/** Looks at and changes images in the registries of the box, past their front doors. */
export class Images {
  constructor(
    readonly registries: ContainerRegistries,
    readonly publicStores: ReadonlyMap<string, RegistryStore>,
  ) {}

  describe(text: string): ImageDescription | undefined {
    const { store, repository, reference } = this.#locate(text);
    return describeImage(store, repository, reference);
  }

  /** Puts a new image behind the tag, with the platforms of the old one unless others are wanted. */
  replace(text: string, options: ImageOptions = {}): ImageDescription {
    const { store, repository, tag } = this.#locate(text);
    const platforms = tag === undefined ? undefined : describeImage(store, repository, tag)?.platforms;
    return makeImage(store, repository, tag, { ...(platforms?.length ? { platforms } : {}), ...options });
  }

  /** Removes the tag, or with a digest the manifest. */
  remove(text: string): boolean {
    const { store, repository, tag, digest } = this.#locate(text);
    if (digest !== undefined) return store.deleteManifest(repository, digest);
    return tag !== undefined && store.removeTag(repository, tag);
  }

  /** Adds a manifest that refers to the image: a signature, an SBOM. */
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
    if (!store) throw new UnknownRegistryError(`the emulator holds no registry ${image.host}`);
    return { ...image, store, reference: image.digest ?? image.tag ?? "latest" };
  }
}
