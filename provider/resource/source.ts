import type { ImageName } from "../reference/image-name";
import { printImage } from "../reference/image-name";
import { parseRegistryName } from "../reference/registry-name";
import { parseReference, parseRepositoryReference } from "../reference/source";
import { type Arguments, type SourceArguments, sourceOf } from "./state";

/** The image to import and the registry it stands in, read from valid arguments. */
export interface SourceImage extends ImageName {
  /** A host, or an Azure registry by resource ID or name, whose login server only Azure can tell. */
  readonly registry:
    | { readonly host: string }
    | { readonly host?: undefined; readonly id?: string; readonly name: string };
  readonly credentials?: NonNullable<SourceArguments["credentials"]>;
  /** Where the digest is read when the reference has none. */
  readonly digestFrom: NonNullable<SourceArguments["digestFrom"]>;
}

/** Reads the source of arguments that were found valid. */
export function sourceImage(args: Pick<Arguments, "source">): SourceImage {
  const { image, registry, credentials, digestFrom = "source" } = sourceOf(args);
  const rest = { ...(credentials && { credentials }), digestFrom };
  if (registry === undefined) {
    const { host, ...name } = parseReference(image);
    return { registry: { host }, ...name, ...rest };
  }
  const named = parseRegistryName(registry);
  return {
    registry:
      named.kind === "loginServer"
        ? { host: named.loginServer }
        : { name: named.name, ...(named.kind === "id" && { id: named.id }) },
    ...parseRepositoryReference(image),
    ...rest,
  };
}

/** The tag that the image gets in the target when the arguments name none: its own. */
export function defaultTargetTag({ repository, tag }: SourceImage): string | undefined {
  return tag && `${repository}:${tag}`;
}

/** How messages name the image. */
export function printSource(image: SourceImage): string {
  const { registry } = image;
  return `${registry.host ?? registry.name}/${printImage(image)}`;
}
