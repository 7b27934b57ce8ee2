/** Why a signature does not count, as text that is safe to print. */

/** Thrown where a signature turns out not to count; the reason is a predicate: "has no certificate". */
export class Rejection extends Error {
  override readonly name = "Rejection";

  constructor(readonly reason: string) {
    super(reason);
  }
}

const MOST_REASONS = 3;
const LONGEST_REASON = 500;

/** The reason in an error: whatever goes wrong while a signature is verified is its own fault. */
export function rejectionReason(error: unknown): string {
  if (error instanceof Rejection) return error.reason;
  return `is malformed: ${printable(messageOf(error))}`;
}

/** Runs a parser of bytes that anybody may have written; whatever it throws means that they are malformed. */
export function parsing<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Rejection) throw error;
    throw new Rejection(`has ${what} that cannot be read: ${printable(messageOf(error))}`);
  }
}

/** A value of a signature, of whatever type. Only texts and numbers are shown. */
export function quoted(value: unknown): string {
  if (typeof value === "string") return `"${printable(value)}"`;
  return typeof value === "number" ? `${value}` : `(${typeof value})`;
}

/** Several reasons as one, each of them once. */
export function summarize(reasons: readonly string[]): string {
  const [...different] = new Set(reasons.map(printable));
  const more = different.length > MOST_REASONS ? [`and ${different.length - MOST_REASONS} more`] : [];
  return [...different.slice(0, MOST_REASONS), ...more].join("; ");
}

/** Text for one line of a terminal: what a signature contains comes from anybody who can push to the registry. */
export function printable(text: string): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
