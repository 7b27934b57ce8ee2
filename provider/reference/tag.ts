/**
 * ```
 * tag := [A-Za-z0-9_] [A-Za-z0-9_.-]{0,127}
 * ```
 */
import { InvalidReference } from "./invalid-reference";

declare const brand: unique symbol;

/** The tag of an image, such as `22-alpine`. */
export type Tag = string & { readonly [brand]: "Tag" };

/** The tag that a reference without tag and digest means. */
export const LATEST = "latest" as Tag;

const MAX_LENGTH = 128;

/** Reads a tag. */
export function parseTag(text: string): Tag {
  if (text === "") throw new InvalidReference("nothing follows the colon, a tag is missing");
  if (text.startsWith("-") || text.startsWith(".")) throw new InvalidReference(`a tag cannot begin with "${text[0]}"`);
  if (text.includes(":")) throw new InvalidReference("it has two tags, one colon too many");
  if (text.includes("/")) throw new InvalidReference("a tag cannot contain a slash");
  if (!/^[A-Za-z0-9_.-]+$/.test(text)) {
    throw new InvalidReference("a tag consists of letters, digits, underscores, full stops and hyphens");
  }
  if (text.length > MAX_LENGTH) {
    throw new InvalidReference(`a tag has at most ${MAX_LENGTH} characters, this one has ${text.length}`);
  }
  return text as Tag;
}
