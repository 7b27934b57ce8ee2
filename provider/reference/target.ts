/**
 * What an import makes in the target registry.
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

/** A tag in the target registry. */
export interface Target {
  readonly repository: Repository;
  readonly tag: Tag;
}

/** Reads `repository:tag`. */
export function parseTarget(text: string): Target {
  const { path, tag } = splitTarget(text);
  const repository = parseRepositoryPath(path);
  if (tag === undefined) throw new InvalidReference(`the tag is missing: ${repository}:…`);
  return { repository, tag: parseTag(tag) };
}

/** Reads `repository`. */
export function parseRepository(text: string): Repository {
  const { path, tag } = splitTarget(text);
  if (tag !== undefined) throw new InvalidReference("a repository is wanted, without a tag");
  return parseRepositoryPath(path);
}

/** `repository:tag` */
export function printTarget({ repository, tag }: Target): string {
  return `${repository}:${tag}`;
}

function splitTarget(text: string): { path: string; tag: string | undefined } {
  const { path, tag, digest } = split(text);
  if (digest !== undefined) throw new InvalidReference("a digest cannot be chosen for a target, it is the source's");
  const slash = path.indexOf("/");
  if (slash > 0 && isMisplacedHost(path.slice(0, slash))) {
    throw new InvalidReference("it begins with a host; the target registry is named by `registry`");
  }
  return { path, tag };
}
