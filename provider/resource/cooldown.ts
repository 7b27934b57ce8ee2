/** The argument `cooldown`, and the digest that waits for its end as the state records it. */
import { type Digest, isDigest } from "../reference/digest";
import type { Arguments } from "./state";
import { parseDuration } from "./timeouts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Parses a cooldown: days before a duration in Go's notation (`3d`, `12h`, `1d12h`), or `0`.
 *
 * @returns Milliseconds, or `undefined` for any other text, and for less than an hour, to which times are rounded.
 */
export function parseCooldown(text: string): number | undefined {
  if (text === "0") return 0;
  const [, days, rest = ""] = /^(?:(\d+)d)?(.*)$/s.exec(text) ?? [];
  const duration = rest === "" && days !== undefined ? 0 : parseDuration(rest);
  if (duration === undefined) return undefined;
  const milliseconds = Number(days ?? 0) * DAY_MS + duration;
  return milliseconds >= HOUR_MS && milliseconds <= Number.MAX_SAFE_INTEGER ? milliseconds : undefined;
}

/** The cooldown of valid arguments, in milliseconds; none is 0. */
export function cooldownOf({ cooldown }: Pick<Arguments, "cooldown">): number {
  return parseCooldown(cooldown ?? "0") ?? 0;
}

/** A digest that waits until it may replace the recorded one. */
export interface Candidate {
  readonly digest: Digest;
  /** With `platform`: the index that the digest was found in. */
  readonly indexDigest?: Digest;
  /** When the wait began, in milliseconds since the epoch: a full hour. */
  readonly since: number;
}

/** A candidate from the given time on, rounded down to the hour so that a preview and the update after it agree. */
export function candidateSince(time: number, digests: Omit<Candidate, "since">): Candidate {
  return { ...digests, since: Math.floor(time / HOUR_MS) * HOUR_MS };
}

/** `sha256:… since 2026-11-25T04:00Z`, with `platform` followed by `in sha256:…` */
export function printCandidate({ digest, indexDigest, since }: Candidate): string {
  const time = `${new Date(since).toISOString().slice(0, "2026-11-25T04:00".length)}Z`;
  return `${digest} since ${time}${indexDigest === undefined ? "" : ` in ${indexDigest}`}`;
}

/** Reads a recorded candidate. */
export function parseCandidate(text: string | undefined): Candidate | undefined {
  const [, digest = "", time = "", indexDigest] = /^(\S+) since (\S+)(?: in (\S+))?$/.exec(text ?? "") ?? [];
  const since = Date.parse(time);
  if (!isDigest(digest) || Number.isNaN(since)) return undefined;
  return { digest, since, ...(indexDigest !== undefined && isDigest(indexDigest) && { indexDigest }) };
}
