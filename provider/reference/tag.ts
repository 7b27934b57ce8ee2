/**
 * Tags of images.
 *
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

export function parseTag(text: string): Tag {
  if (text === "") throw new InvalidReference("must have a tag after the colon");
  if (text.startsWith("-") || text.startsWith("."))
    throw new InvalidReference(`must have a tag that does not start with "${text[0]}"`);
  if (text.includes(":")) throw new InvalidReference("must have only one tag");
  if (text.includes("/")) throw new InvalidReference("must have a tag without a slash");
  if (text.includes("+")) {
    // https://helm.sh/docs/topics/registries/: "+" is not allowed in a tag, so Helm pushes "_"
    const hint = "Write _ for the + of a chart version, as Helm does: 1.2.3_4 for 1.2.3+4";
    throw new InvalidReference("must have a tag without a plus sign", hint);
  }
  if (!/^[A-Za-z0-9_.-]+$/.test(text)) {
    throw new InvalidReference("must have a tag of letters, digits, underscores, periods and hyphens");
  }
  if (text.length > MAX_LENGTH) {
    throw new InvalidReference(`must have a tag of at most ${MAX_LENGTH} characters, not ${text.length}`);
  }
  return text as Tag;
}

/** Whether a text is a tag. */
export function isTag(text: string): text is Tag {
  return /^\w[\w.-]{0,127}$/.test(text);
}
