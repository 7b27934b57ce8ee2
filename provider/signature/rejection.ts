/** Why a signature does not count. */
/** Thrown where a signature turns out not to count; the reason is a predicate. */
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
  return `is malformed: ${error instanceof Error ? error.message : String(error)}`;
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
