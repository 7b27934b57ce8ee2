/** A repository with many tags at the source, and what it is compared with. */
import type { Emulator } from "acr-emulator";
import { nothing, type Program, repositories, type SourceImage } from "./programs";

/** Docker Hub lists names; the lists of Artifact Registry have digests. */
export const NAMES_HOST = "docker.io";
export const DIGESTS_HOST = "europe-docker.pkg.dev";
const TARGET = "myregistry";

export interface Mirror {
  readonly repository: string;
  /** On both hosts the same; each tag has an image of its own. */
  readonly images: readonly SourceImage[];
  /** Lines `tag digest`, as a resource keeps them. */
  readonly text: string;
}

/** So many versions, the highest ones with two digits. */
export function tagsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${1 + Math.floor(index / 100)}.${index % 100}.0`);
}

/** Creates the tags on both hosts, and unless they are to be imported in the target as well. */
export function createMirror(
  { images, hosts }: Emulator,
  repository: string,
  count: number,
  inTarget: boolean,
): Mirror {
  hosts.set({ [DIGESTS_HOST]: { tagDigests: true } });
  const found = tagsOf(count).map((tag): SourceImage => {
    const reference = `${NAMES_HOST}/${repository}:${tag}`;
    const { digest } =
      images.describe(reference) ?? images.replace(reference, { kind: "manifest", platforms: ["linux/amd64"] });
    return { name: `tag-${tag}`, reference, digest };
  });
  const lines = found.map(({ reference, digest }) => `${tagIn(reference)} ${digest}`).sort();
  const mirror = { repository, images: found, text: lines.join("\n") };
  copyTags({ images }, mirror, DIGESTS_HOST);
  if (inTarget) copyTags({ images }, mirror, `${TARGET}.azurecr.io`);
  return mirror;
}

/** Puts the images into another registry without an import. */
function copyTags({ images }: Pick<Emulator, "images">, mirror: Mirror, host: string): void {
  const { repository } = mirror;
  const from = storeOf({ images }, NAMES_HOST);
  const to = storeOf({ images }, host);
  for (const { reference, digest } of mirror.images) {
    const manifest = from.manifest(repository, digest);
    if (manifest === undefined) throw new Error(`${reference} was not created`);
    const { config, layers = [] } = manifest.content;
    for (const blob of [config, ...layers]) {
      const bytes = blob && from.blob(repository, blob.digest);
      if (bytes) to.putBlob(repository, bytes);
    }
    to.putManifest(repository, manifest.bytes, manifest.mediaType, tagIn(reference));
  }
}

function storeOf({ images }: Pick<Emulator, "images">, host: string) {
  const store = images.publicStores.get(host) ?? images.registries.find(host)?.store;
  if (store === undefined) throw new Error(`the emulator has no registry ${host}`);
  return store;
}

/**
 * Five changes on both hosts: three tags move, one comes, one goes.
 *
 * @returns What takes them back.
 */
export function changeTags({ images }: Pick<Emulator, "images">, { repository, images: tags }: Mirror): () => void {
  const at = (part: number) => tags[Math.floor(part * (tags.length - 1))] as SourceImage;
  const [moved, gone] = [[0.1, 0.3, 0.5].map(at), at(0.8)];
  const added = "1000.0.0";
  const stores = [NAMES_HOST, DIGESTS_HOST].map((host) => storeOf({ images }, host));
  const [first] = moved;
  for (const [index, { reference }] of moved.entries()) {
    // To the image of another tag, since a new one has to be created in both.
    const digest = tags[(index + 1) % tags.length]?.digest ?? "";
    for (const store of stores) store.setTag(repository, tagIn(reference), digest);
  }
  for (const store of stores) {
    store.setTag(repository, added, first?.digest ?? "");
    store.removeTag(repository, tagIn(gone.reference));
  }
  return () => {
    for (const store of stores) {
      for (const { reference, digest } of [...moved, gone]) store.setTag(repository, tagIn(reference), digest);
      store.removeTag(repository, added);
    }
  };
}

/** The repository on a host, as the source of one resource. */
export function repositoryOn(host: string, { repository }: Mirror): SourceImage {
  return { name: "mirror", reference: `${host}/${repository}`, digest: "" };
}

/** One do-nothing resource with as much state: the text of all tags in its inputs and outputs. */
export function nothingLike({ text }: Mirror): Program {
  return { ...nothing, title: "do-nothing with as much state", args: () => ({ registry: TARGET, text }) };
}

/** The mirror with a target repository of its own, so that there is something to import. */
export function mirrorInto(targetRepository: string): Program {
  return { ...repositories, args: (image) => ({ ...repositories.args(image), targetRepository }) };
}

function tagIn(reference: string): string {
  return reference.slice(reference.lastIndexOf(":") + 1);
}
