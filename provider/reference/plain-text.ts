/** What neither an image reference nor the name of a registry may be, each with a reason of its own. */
import { InvalidReference } from "./invalid-reference";

/** Rejects an Output that was turned into a string, white space, quotes, and URLs. */
export function rejectOtherText(text: string): void {
  if (text.includes("[Output<T>]")) {
    throw new InvalidReference("must not be an Output in a template string: use pulumi.interpolate`…` instead");
  }
  if (/^\s|\s$/.test(text)) {
    const hint = "Trim the value: a file often ends with a line break";
    throw new InvalidReference("must not begin or end with white space", hint);
  }
  if (/\s/.test(text)) throw new InvalidReference("must not contain white space");
  if (/^["'`]|["'`]$/.test(text)) throw new InvalidReference("must not be quoted");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[0].toLowerCase();
  if (scheme !== undefined) throw new InvalidReference(`must not start with ${scheme}`);
}
