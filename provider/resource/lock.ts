/** Against what targets are locked: as the program asks for it, and as the state records it. */
import { hasUnknown } from "./unknown";

/** The parts of a lock: against changes, and against deletion. */
export interface LockArguments {
  readonly write?: boolean;
  readonly delete?: boolean;
}

/** `lock` in the inputs; `true` is both parts. */
export type Lock =
  | boolean
  | (LockArguments & {
      /** In the state only: the targets that lack a part of the lock, as a refresh or an operation that failed found them. */
      readonly unlocked?: readonly string[];
    });

/** A lock with each part spelled out. */
export interface LockParts {
  readonly write: boolean;
  readonly delete: boolean;
}

const NONE: LockParts = { write: false, delete: false };

/** The parts of a lock. */
export function lockParts(lock: Lock | null | undefined): LockParts {
  if (typeof lock === "boolean") return { write: lock, delete: lock };
  return { write: lock?.write ?? false, delete: lock?.delete ?? false };
}

/** The parts of the lock that one target has, as far as the state knows. */
export function recordedLock(lock: Lock | undefined, name: string): LockParts {
  return unlockedIn(lock).includes(name) ? NONE : lockParts(lock);
}

/** Whether a lock has any part. */
export function isLock(parts: LockParts): boolean {
  return parts.write || parts.delete;
}

/** Whether the program asks for another lock than the recorded one, or a target lacks a part of that. */
export function lockDiffers(desired: Lock | undefined, recorded: Lock | undefined): boolean {
  // `ignoreChanges` keeps the recorded value, with the targets that lack a part.
  const spell = (lock: Lock | undefined) => JSON.stringify([lockParts(lock), unlockedIn(lock)]);
  return hasUnknown(desired) || spell(desired) !== spell(recorded);
}

/** Spells a lock for the state; `undefined` without any part. */
export function toLock(parts: LockParts, unlocked: readonly string[] = []): Lock | undefined {
  if (!isLock(parts)) return undefined;
  if (unlocked.length > 0) return { ...parts, unlocked: [...unlocked].sort() };
  return parts.write && parts.delete ? true : { ...parts };
}

/**
 * The lock in the state after an operation that ended halfway: every part that a target may have, so that a later operation can
 * take it off again.
 *
 * @param unlocked - The targets that are known to lack a part
 */
export function partialLock(
  desired: Lock | undefined,
  recorded: Lock | undefined,
  unlocked: readonly string[],
): Lock | undefined {
  const [one, other] = [lockParts(desired), lockParts(recorded)];
  return toLock({ write: one.write || other.write, delete: one.delete || other.delete }, unlocked);
}

/** The targets that lack a part of the recorded lock. */
export function unlockedIn(lock: Lock | null | undefined): readonly string[] {
  return (typeof lock === "object" && lock?.unlocked) || [];
}
