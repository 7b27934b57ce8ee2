/** Locks targets, and takes our own lock off them. */
import { setTimeout as sleep } from "node:timers/promises";
import { ImportError } from "../failure/failure";
import { targetFailure } from "../failure/target";
import type { Digest } from "../reference/digest";
import type { LockAttributes } from "../registry/client";
import { partialLock } from "../resource/lock";
import { type Outputs, type OwnedDigest, withLock } from "../resource/state";
import { type OperationContext, PartialFailure } from "./context";
import { type ImageImport, shortList } from "./import-targets";
import { withDropped } from "./partial-state";
import { hasRecordedLock, type LockChange, type TargetDigests } from "./plan";
import type { TargetRegistry } from "./target-registry";

/** How long a replica of a geo-replicated registry may show the lock of before, in milliseconds. */
const REPLICATION_MS = 60_000;

/** A target whose lock could not be changed. */
export interface LockFailure {
  readonly name: string;
  readonly error: unknown;
}

/**
 * Changes locks: those of tags, and of the manifest of `digest` in repositories without a tag. A target that has its lock already
 * costs one request, and needs no permission to change locks.
 *
 * @param held - What the targets hold: where they cannot be read, they cannot be locked either
 * @returns those that failed, once all have been tried
 */
export async function changeLocks(
  changes: readonly LockChange[],
  digest: Digest | undefined,
  held: TargetDigests,
  registry: TargetRegistry,
  signal: AbortSignal,
): Promise<readonly LockFailure[]> {
  if (changes.length === 0) return [];
  const names = changes.map(({ target }) => target.name);
  if (held === "unreadable") {
    const error = new ImportError(targetFailure.notLockable(registry.loginServer, names, actionOf(changes)));
    return names.map((name) => ({ name, error }));
  }
  const results = await Promise.allSettled(changes.map((change) => changeLock(change, digest, registry, signal)));
  return results.flatMap((result, at) => {
    return result.status === "rejected" ? [{ name: names[at] ?? "", error: result.reason }] : [];
  });
}

/** {@link changeLocks} for a change or a removal that is not possible before; throws the first failure. */
export async function unlock(...args: Parameters<typeof changeLocks>): Promise<void> {
  const [failure] = await changeLocks(...args);
  if (failure) throw failure.error;
}

/** Locks tags again that did not move after all; returns the names of those that are left without their lock. */
export async function lockAgain(
  unlocks: readonly LockChange[],
  digest: Digest | undefined,
  held: TargetDigests,
  registry: TargetRegistry,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (held === "unreadable") return [];
  // After a timeout Azure may still be importing, which a lock would make fail.
  if (signal.aborted) return unlocks.map(({ target }) => target.name);
  const locks = unlocks.map(({ target }) => ({ target, attributes: { writeEnabled: false } }));
  return (await changeLocks(locks, digest, held, registry, signal)).map(({ name }) => name);
}

/** Locks the targets once they are imported; those that fail are recorded as not locked. */
export async function lockTargets(
  locks: readonly LockChange[],
  { desired, digest, registry }: ImageImport,
  { recorded, owned, outputs, held }: Imported,
  { progress, signal }: OperationContext,
): Promise<void> {
  if (locks.length === 0) return;
  progress("locking", shortList(locks.map(({ target }) => target)));
  const failures = await changeLocks(locks, digest, held, registry, signal);
  const [first] = failures;
  if (first === undefined) return;
  const lacking = failures.map(({ name }) => name).filter((name) => !hasRecordedLock(owned, name));
  const lock = partialLock(desired.inputs.lock, owned?.lock, lacking);
  throw new PartialFailure(withLock(withDropped(desired, recorded, outputs), lock), first.error);
}

/** What was recorded before an import, and what is to be recorded after it. */
interface Imported {
  readonly recorded: Outputs | undefined;
  readonly owned: OwnedDigest | undefined;
  readonly outputs: Outputs;
  readonly held: TargetDigests;
}

async function changeLock(
  { target: { repository, tag }, attributes }: LockChange,
  digest: Digest | undefined,
  { client, loginServer }: TargetRegistry,
  signal: AbortSignal,
): Promise<void> {
  const tagOrDigest = tag ?? digest;
  if (tagOrDigest === undefined) return;
  const isDone = async () => hasLock(await client.readLock(repository, tagOrDigest, signal), attributes);
  if (await isDone()) return;
  await client.changeLock(repository, tagOrDigest, attributes, signal);
  // A lock has come undone in geo-replicated registries: https://github.com/Azure/acr/issues/592
  for (let pause = 250, waited = 0; !(await isDone()); pause = Math.min(pause * 2, 8_000)) {
    if (waited > REPLICATION_MS) {
      const reference = `${loginServer}/${repository}${tag === undefined ? "@" : ":"}${tagOrDigest}`;
      throw new ImportError(targetFailure.lockNotVerified(reference, actionOf([{ attributes }])));
    }
    waited += pause;
    await sleep(pause, undefined, { signal });
  }
}

function hasLock(found: LockAttributes | undefined, { writeEnabled, deleteEnabled }: Partial<LockAttributes>): boolean {
  return (
    found !== undefined &&
    (writeEnabled ?? found.writeEnabled) === found.writeEnabled &&
    (deleteEnabled ?? found.deleteEnabled) === found.deleteEnabled
  );
}

function actionOf(changes: readonly Pick<LockChange, "attributes">[]): "lock" | "unlock" {
  return changes.some(({ attributes }) => Object.values(attributes).includes(false)) ? "lock" : "unlock";
}
