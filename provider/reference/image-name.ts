/**
 * The name of an image within a registry.
 *
 * ```
 * image := repository [ ":" tag ] [ "@" digest ]
 * ```
 */
import { type Digest, parseDigest } from "./digest";
import { InvalidReference } from "./invalid-reference";
import { rejectOtherText } from "./plain-text";
import { parseRepositoryPath, type Repository } from "./repository";
import { LATEST, parseTag, type Tag } from "./tag";

/** An image within a registry. At least one of `tag` and `digest` is there. */
export interface ImageName {
  readonly repository: Repository;
  readonly tag?: Tag;
  readonly digest?: Digest;
}

/** The parts of `image`, not yet validated. */
export interface ReferenceParts {
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** Splits a text at its `@` and at the colon after its last slash. */
export function split(text: string): ReferenceParts {
  rejectForeignNotation(text);
  const [name = "", digestText, ...more] = text.split("@");
  // Nothing is quoted from here on: what precedes an @ may be a user name and a password.
  if (/@.*\//s.test(text)) throw new InvalidReference("must not contain credentials", "Use source.credentials");
  if (more.length > 0) throw new InvalidReference("must contain only one @");
  const digest = digestText === undefined ? undefined : parsePin(digestText);
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  return colon < 0
    ? { path: name, tag: undefined, digest }
    : { path: name.slice(0, colon), tag: name.slice(colon + 1), digest };
}

/** Validates the parts of a name without its host. */
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
  if (!text.includes(":")) {
    throw new InvalidReference(
      "must have a digest after the @: repository@sha256:…",
      "Write a tag after a colon: repository:tag",
    );
  }
  return parseDigest(text);
}

/** Gives its own reason to a text that is something else altogether. */
function rejectForeignNotation(text: string): void {
  if (text === "") throw new InvalidReference("must not be empty");
  rejectOtherText(text);
  if (/^\/?subscriptions\//i.test(text)) {
    throw new InvalidReference("must be an image, not the resource ID of a registry");
  }
  if (/^sha(256|512):[0-9a-f]{32,}$/i.test(text)) {
    throw new InvalidReference("must have a repository before the digest: repository@sha256:…");
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[^\x00-\x7f]/.test(text)) throw new InvalidReference("must contain only ASCII characters");
}
