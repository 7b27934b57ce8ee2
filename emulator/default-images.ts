/** The images that the emulator starts with. */
import { privateRepository } from "./default-state";
import { type ImageOptions, makeImage, type UniqueText } from "./registry/make-image";
import type { RegistryStore } from "./registry/registry-store";
import type { Registry } from "./state";

/** Contents of the registries that do not belong to Azure Container Registry. */
export interface PublicStores {
  readonly dockerHub: RegistryStore;
  readonly microsoft: RegistryStore;
}

/** Puts the default images into the public registries and into every source registry. */
export function addDefaultImages({ dockerHub, microsoft }: PublicStores, registries: readonly Registry[]): void {
  const add = (store: RegistryStore, host: string, repository: string, tag: string, options?: ImageOptions) =>
    makeImage(store, repository, tag, options, repeatableText(`${host}/${repository}:${tag}`));
  add(dockerHub, "docker.io", "library/hello-world", "latest", {
    platforms: ["linux/amd64", "linux/arm/v7", "linux/arm64/v8", "windows/amd64"],
  });
  add(dockerHub, "docker.io", "tensorflow/tensorflow", "latest-gpu", { kind: "docker", platforms: ["linux/amd64"] });
  add(dockerHub, "docker.io", privateRepository, "latest");
  add(microsoft, "mcr.microsoft.com", "windows/servercore", "ltsc2019", {
    kind: "docker-list",
    platforms: ["windows/amd64"],
  });
  for (const { name, loginServer, store } of registries) {
    if (name !== "myregistry")
      add(store, loginServer, "aci-helloworld", "latest", { platforms: ["linux/amd64", "linux/arm64/v8"] });
  }
}

/** The same text at every start: for a stack that outlives the emulator, the sources have not moved. */
function repeatableText(reference: string): UniqueText {
  let count = 0;
  return () => `${reference} ${++count}`;
}
