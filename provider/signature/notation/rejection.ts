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

/** A value of a signature, of whatever type. Only texts and numbers are shown. */
export function quoted(value: unknown): string {
  if (typeof value === "string") return `"${printable(value)}"`;
  return typeof value === "number" ? `${value}` : `(${typeof value})`;
}

/** The reason in an error: whatever goes wrong while a signature is verified is its own fault. */
export function reasonOf(error: unknown): string {
  return error instanceof Rejection ? error.reason : `is malformed: ${printable(String(error))}`;
}

/** Text that is safe to print: without control and formatting characters, and short. */
export function printable(text: string): string {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
