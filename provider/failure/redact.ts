/** Removes secrets from texts that others wrote. */

/** Replaces every secret, also in its JSON spelling, by `[secret]`: a server may repeat what it was sent. */
export function redact(text: string, secrets: Iterable<string>): string {
  const spellings = [...secrets].flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  return (
    spellings
      .filter((spelling) => spelling !== "")
      // The longest first: it may contain another one.
      .sort((one, other) => other.length - one.length)
      .reduce((redacted, spelling) => redacted.replaceAll(spelling, "[secret]"), text)
  );
}
