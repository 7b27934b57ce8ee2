/** Durations as `opts.customTimeouts` spells them. The engine does not apply it to dynamic providers, so this package does. */
import type { Timeouts } from "./state";

/** The timeout of create, update and delete where `opts.customTimeouts` sets none: 30 minutes, in milliseconds. */
export const DEFAULT_TIMEOUT = 30 * 60_000;

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g;

/**
 * Parses a duration in Go's notation, which Pulumi uses: `45s`, `1h30m`.
 *
 * @returns Milliseconds, or `undefined` when the text is not a duration above zero.
 */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(PART)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined;
  const milliseconds = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ""] ?? 0), 0);
  return milliseconds > 0 ? milliseconds : undefined;
}

/** The longest delay of a Node.js timer, about 25 days; a longer one fires at once. */
const MAX_TIMER = 2 ** 31 - 1;

/** The timeout of one operation, in milliseconds. */
export function timeLimit(operation: keyof Timeouts, timeouts: Timeouts | undefined): number {
  const text = timeouts?.[operation];
  const limit = (text === undefined ? undefined : parseDuration(text)) ?? DEFAULT_TIMEOUT;
  return Math.min(Math.max(Math.round(limit), 1), MAX_TIMER);
}
