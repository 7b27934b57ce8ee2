/**
 * Repositories within a registry.
 *
 * ```
 * repository := component *( "/" component )          at most 255 characters
 * component  := alphanum *( separator alphanum )
 * alphanum   := [a-z0-9]+
 * separator  := "." | "_" | "__" | "-"+
 * ```
 */
import { InvalidReference } from "./invalid-reference";

declare const brand: unique symbol;

/** The path of a repository within its registry, such as `library/node`. */
export type Repository = string & { readonly [brand]: "Repository" };

const MAX_LENGTH = 255;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** Parses the path of a repository, without host, tag and digest. */
export function parseRepositoryPath(text: string): Repository {
  if (text === "") throw new InvalidReference("must have a repository");
  if (text.startsWith("/")) throw new InvalidReference("must have a repository that does not start with a slash");
  if (text.endsWith("/")) throw new InvalidReference("must have a repository that does not end with a slash");
  if (text.includes("//")) throw new InvalidReference("must not have two slashes in a row in its repository");
  if (/^[a-z0-9._/-]+$/i.test(text) && text !== text.toLowerCase()) {
    throw new InvalidReference(`must have a repository in lower case: ${text.toLowerCase()}`);
  }
  if (text.length > MAX_LENGTH) {
    throw new InvalidReference(`must have a repository of at most ${MAX_LENGTH} characters, not ${text.length}`);
  }
  for (const component of text.split("/")) {
    if (COMPONENT.test(component)) continue;
    throw new InvalidReference(
      /^[a-z0-9._-]+$/.test(component)
        ? `must have single separators (. _ -, also __ and --) between letters and digits in "${component}"`
        : "must have a repository of lower-case letters, digits, periods, underscores, hyphens and slashes",
    );
  }
  return text as Repository;
}
