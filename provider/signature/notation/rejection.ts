/** The error of everything in this folder, and how text of a signature is quoted in it. */

/** A signature is not accepted. `reason` is a predicate, as in `sha256:… has no certificate`. */
export class Rejection extends Error {
  override readonly name = "Rejection";

  constructor(readonly reason: string) {
    super(reason);
  }
}

/** Runs a parser of bytes that anybody may have written; whatever it throws means that they are malformed. */
export function parsing<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Rejection) throw error;
    throw new Rejection(`has ${what} that cannot be read: ${printable((error as Error).message)}`);
  }
}

export function quoted(text: string): string {
  return `"${printable(text)}"`;
}

/** Text that is safe to print: without control and formatting characters, and short. */
export function printable(text: string): string {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
