/**
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

/** Reads the path of a repository: no host, no tag, no digest. */
export function parseRepositoryPath(text: string): Repository {
  if (text === "") throw new InvalidReference("the name of a repository is missing");
  if (text.startsWith("/")) throw new InvalidReference("a repository cannot begin with a slash");
  if (text.endsWith("/")) throw new InvalidReference("a slash at the end: the last part of the repository is missing");
  if (text.includes("//")) throw new InvalidReference("two slashes in a row: a part of the repository is missing");
  if (/^[a-z0-9._/-]+$/i.test(text) && text !== text.toLowerCase()) {
    throw new InvalidReference(`a repository is written in lower case: ${text.toLowerCase()}`);
  }
  if (text.length > MAX_LENGTH) {
    throw new InvalidReference(`a repository has at most ${MAX_LENGTH} characters, this one has ${text.length}`);
  }
  for (const component of text.split("/")) {
    if (COMPONENT.test(component)) continue;
    throw new InvalidReference(
      /^[a-z0-9._-]+$/.test(component)
        ? `"${component}" in the repository: full stops, underscores and hyphens stand single between letters and digits (__ and -- are allowed)`
        : "a repository consists of lower-case letters, digits, full stops, underscores, hyphens and slashes",
    );
  }
  return text as Repository;
}
