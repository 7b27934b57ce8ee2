/**
 * ```
 * image := repository [ ":" tag ] [ "@" digest ]
 * ```
 */
import { type Digest, parseDigest } from "./digest";
import { InvalidReference } from "./invalid-reference";
import { parseRepositoryPath, type Repository } from "./repository";
import { LATEST, parseTag, type Tag } from "./tag";

/** An image within a registry. At least one of `tag` and `digest` is there. */
export interface ImageName {
  readonly repository: Repository;
  readonly tag?: Tag;
  readonly digest?: Digest;
}

/** The pieces of `image`, not yet judged. */
export interface ReferenceParts {
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** Cuts a text at its `@` and at the colon behind its last slash. */
export function split(text: string): ReferenceParts {
  rejectForeignNotation(text);
  const [name = "", digestText, ...more] = text.split("@");
  // The digest is judged first and nothing is quoted: what stands before an @ may be somebody's user name and password.
  if (more.length > 0) throw new InvalidReference("it has more than one @");
  const digest = digestText === undefined ? undefined : parsePin(digestText);
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  return colon < 0
    ? { path: name, tag: undefined, digest }
    : { path: name.slice(0, colon), tag: name.slice(colon + 1), digest };
}

/** Judges the pieces of a name whose host, if any, has been taken off. */
export function imageName(repository: string, { tag: tagText, digest }: Omit<ReferenceParts, "path">): ImageName {
  const name = parseRepositoryPath(repository);
  const tag = tagText === undefined ? undefined : parseTag(tagText);
  if (tag === undefined && digest === undefined) return { repository: name, tag: LATEST };
  return { repository: name, ...(tag && { tag }), ...(digest && { digest }) };
}

/** `repository[:tag][@digest]` */
export function printImage({ repository, tag, digest }: Pick<ImageName, "repository" | "tag" | "digest">): string {
  return `${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

function parsePin(text: string): Digest {
  if (!text.includes(":")) throw new InvalidReference("a digest must follow the @: repository@sha256:…");
  return parseDigest(text);
}

/** Texts that are something else altogether get their own reason. */
function rejectForeignNotation(text: string): void {
  if (text === "") throw new InvalidReference("it is empty");
  if (text.includes("[Output<T>]")) {
    throw new InvalidReference("an Output was put into a template string; use pulumi.interpolate`…` instead");
  }
  if (/\s/.test(text)) throw new InvalidReference("it contains white space");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) throw new InvalidReference(`it is a URL; leave out ${scheme}:// at the beginning`);
  if (/^\/?subscriptions\//i.test(text)) {
    throw new InvalidReference("it is an Azure resource ID, which names a registry and no image");
  }
  if (/^sha(256|512):[0-9a-f]{32,}$/i.test(text)) {
    throw new InvalidReference("a digest needs a repository before it: repository@sha256:…");
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[^\x00-\x7f]/.test(text)) throw new InvalidReference("it contains a character that is not ASCII");
}
