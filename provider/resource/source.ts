/** The image to import and the registry that holds it, parsed from the `source` argument. */
import { type ImageName, printImage } from "../reference/image-name";
import { parseRegistryName, type RegistryName } from "../reference/registry-name";
import { parseReference, parseRepositoryReference } from "../reference/source";
import type { Arguments, DigestOrigin, SourceArguments } from "./state";

/** A registry of any kind by its host, or an Azure registry whose login server has yet to be looked up. */
export type SourceRegistry =
  | { readonly kind: "host"; readonly host: string }
  | Exclude<RegistryName, { kind: "loginServer" }>;

/** A parsed `source`. */
export interface Source extends ImageName {
  readonly registry: SourceRegistry;
  readonly credentials?: NonNullable<SourceArguments["credentials"]>;
  /** Where the digest is read when the reference has none. */
  readonly digestFrom: DigestOrigin;
}

/**
 * Parses `source`, short or long.
 *
 * @throws InvalidReference where the reference or the registry is not valid.
 */
export function parseSource(source: Arguments["source"]): Source {
  const { image, registry, credentials, digestFrom = "source" } = longForm(source);
  const rest = { ...(credentials && { credentials }), digestFrom };
  if (registry === undefined) {
    const { host, ...name } = parseReference(image);
    return { registry: { kind: "host", host }, ...name, ...rest };
  }
  return { registry: parseSourceRegistry(registry), ...parseRepositoryReference(image), ...rest };
}

/** Parses the name of an Azure registry that is given beside the image. */
export function parseSourceRegistry(text: string): SourceRegistry {
  const name = parseRegistryName(text);
  return name.kind === "loginServer" ? { kind: "host", host: name.loginServer } : name;
}

/** The tag that the image gets in the target when the arguments name none: its own, if it has one. */
export function defaultTargetTag({ repository, tag }: Source): string | undefined {
  return tag && `${repository}:${tag}`;
}

/** The image as messages name it: `docker.io/library/node:22`. */
export function printSource(source: Source): string {
  return `${printSourceRegistry(source)}/${printImage(source)}`;
}

/** The registry as messages name it. */
export function printSourceRegistry({ registry }: Pick<Source, "registry">): string {
  return registry.kind === "host" ? registry.host : registry.name;
}

/** `source` in its long form. JSON can leave an argument out by `null`. */
export function longForm(source: Arguments["source"]): SourceArguments {
  return typeof source === "string" ? { image: source } : withoutNulls(source);
}

/** The arguments that choose the image, or what the state has of them. */
type SourceChoice = Partial<Pick<Arguments, "source" | "platform">>;

/** Identifies a source by its spelling; credentials do not count. */
export function sourceKey({ source = "" }: SourceChoice): string {
  const { image, registry = "", digestFrom = "source" } = longForm(source);
  return [image, registry, digestFrom].join(" ");
}

/** Whether both name the same image in the same registry, and the same platform of it, in the same spelling. */
export function isSameSource(one: SourceChoice, other: SourceChoice): boolean {
  if (one.source === undefined || other.source === undefined) return false;
  return sourceKey(one) === sourceKey(other) && (one.platform ?? "") === (other.platform ?? "");
}

/** Arguments without those that JSON leaves out by `null`, at any depth. */
export function withoutNulls<T extends object>(value: T): T {
  const entries = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    entries.map(([key, member]) => [key, typeof member === "object" ? withoutNulls(member) : member]),
  ) as T;
}
