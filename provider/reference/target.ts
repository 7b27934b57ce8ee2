/**
 * What an import creates in the target registry.
 *
 * ```
 * target tag          := repository ":" tag
 * untagged repository := repository
 * ```
 */
import { isMisplacedHost } from "./host";
import { split } from "./image-name";
import { InvalidReference } from "./invalid-reference";
import { parseRepositoryPath, type Repository } from "./repository";
import { parseTag, type Tag } from "./tag";

/** Where an import puts the manifest in the target registry: under a tag, or in a repository without one. */
export interface Target {
  /** `repository:tag` or `repository`, as arguments and state spell it. */
  readonly name: string;
  readonly repository: Repository;
  readonly tag?: Tag;
}

/** A {@link Target} with a tag. */
export interface TaggedTarget extends Target {
  readonly tag: Tag;
}

/** Parses `repository:tag`. */
export function parseTaggedTarget(text: string): TaggedTarget {
  const { path, tag } = splitTarget(text);
  const repository = parseRepositoryPath(path);
  if (tag === undefined) throw new InvalidReference(`must have a tag: ${repository}:…`);
  return { name: text, repository, tag: parseTag(tag) };
}

/** Parses `repository`, for a manifest without a tag. */
export function parseUntaggedTarget(text: string): Target {
  const { path, tag } = splitTarget(text);
  if (tag !== undefined) throw new InvalidReference("must be a repository without a tag");
  return { name: text, repository: parseRepositoryPath(path) };
}

/** Parses either form. */
export function parseTarget(text: string): Target {
  return text.includes(":") ? parseTaggedTarget(text) : parseUntaggedTarget(text);
}

/** Whether the target is a tag, which can be moved or removed, and not a manifest without one. */
export function isTagged(target: Target): target is TaggedTarget {
  return target.tag !== undefined;
}

function splitTarget(text: string): { path: string; tag: string | undefined } {
  const { path, tag, digest } = split(text);
  if (digest !== undefined) throw new InvalidReference("must not contain a digest: it comes from the source");
  const slash = path.indexOf("/");
  if (slash > 0 && isMisplacedHost(path.slice(0, slash))) {
    throw new InvalidReference("must not start with a host: the target registry is set by `registry`");
  }
  return { path, tag };
}
