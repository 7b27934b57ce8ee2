/**
 * Decides what a change of the inputs asks for, and what has to happen to each target.
 *
 * Pure functions, no I/O. `diff` and `update` share them, so preview and update agree.
 */
import { isDeepStrictEqual } from "node:util";
import type { Digest } from "../reference/digest";
import type { Repository } from "../reference/repository";
import { isTagged, parseTarget, type Target } from "../reference/target";
import { isLock, type Lock, type LockParts, lockDiffers, lockParts, recordedLock } from "../resource/lock";
import { missingReferrers, parseReferrers, type Referrer, referrerKey } from "../resource/referrers";
import { isSameSource } from "../resource/source";
import { type Arguments, type Inputs, type Outputs, type OwnedDigest, targetNames } from "../resource/state";
import { UNKNOWN } from "../resource/unknown";

/** What has to happen so that the state matches the inputs. */
export type Change =
  | "unchanged"
  /** Only the state changes. No request to source, target or Azure. */
  | "record"
  /** Read the target, then import or remove what differs. */
  | "apply"
  | "replace";

/**
 * Compares inputs with the state.
 *
 * Credentials do not count: the next import uses the new ones, and nothing has to be imported because of them. Unknown
 * values may be a change; the resource is replaced only for a registry that is known to be another one, or to be replaced.
 */
export function planChange(desired: Inputs, recorded: Outputs): Change {
  if (isReplacementProbe(desired)) return "replace";
  if (desired.loginServer !== UNKNOWN && desired.loginServer !== recorded.loginServer) return "replace";
  if (triggersChanged(desired, recorded) || contentDiffers(desired, recorded)) return "apply";
  return recordDiffers(desired, recorded) ? "record" : "unchanged";
}

/**
 * Whether the engine asks about a resource that it is about to delete, because something that `registry` depends on is deleted
 * before it is created again: `registry` is unknown, all else as recorded. The images of a registry go with it. A preview
 * differs: `check` leaves the login server unknown as well.
 */
export function isReplacementProbe({ registry, loginServer }: Pick<Inputs, "registry" | "loginServer">): boolean {
  return registry === UNKNOWN && loginServer !== UNKNOWN;
}

/** Whether the registry, the image, or what the targets hold differs from the state, or may differ. */
function contentDiffers(desired: Inputs, recorded: Outputs): boolean {
  const { loginServer, registryId, sourceDigest } = desired;
  return (
    loginServer === UNKNOWN ||
    (registryId !== UNKNOWN && registryId.toLowerCase() !== recorded.registryId.toLowerCase()) ||
    (sourceDigest === undefined ? !isSameSource(desired, recorded) : sourceDigest !== recorded.sourceDigest) ||
    // true for a target that is missing, or unknown
    targetNames(desired).some((name) => recorded.targets[name] !== recorded.sourceDigest) ||
    droppedTargets(desired, recorded).length > 0 ||
    lockDiffers(desired.lock, recorded.lock) ||
    desired.referrers === UNKNOWN ||
    missingReferrers(desired.referrers, recorded.referrers).length > 0
  );
}

function recordDiffers(desired: Inputs, recorded: Outputs): boolean {
  return (
    !isSameSource(desired, recorded) ||
    (desired.onConflict ?? "fail") !== (recorded.onConflict ?? "fail") ||
    (desired.onDelete ?? "retain") !== (recorded.onDelete ?? "retain") ||
    (desired.onSourceUnavailable ?? "fail") !== (recorded.onSourceUnavailable ?? "fail") ||
    (desired.onSourceMove ?? "import") !== (recorded.onSourceMove ?? "import") ||
    (desired.cooldown ?? "0") !== (recorded.cooldown ?? "0") ||
    desired.indexDigest !== recorded.indexDigest ||
    desired.candidate !== recorded.candidate ||
    desired.verified !== recorded.verified ||
    desired.referrers !== recorded.referrers ||
    desired.referrersFingerprint !== recorded.referrersFingerprint ||
    !isDeepStrictEqual(desired.timeouts, recorded.timeouts) ||
    !isDeepStrictEqual(targetNames(desired), targetNames(recorded))
  );
}

/**
 * The digest to import. Where only the target can tell it, the recorded one until something asks for a new import.
 *
 * @returns `undefined` when the reference itself has to be imported
 */
export function digestToImport(desired: Inputs, recorded: Outputs | undefined): Digest | undefined {
  if (desired.sourceDigest !== undefined || recorded === undefined) return desired.sourceDigest;
  const asksForImport = !isSameSource(desired, recorded) || triggersChanged(desired, recorded);
  return asksForImport ? undefined : recorded.sourceDigest;
}

/** What has to happen so that all targets hold one digest. Each target is in exactly one list. */
export interface TargetPlan {
  /** Targets that hold the digest: adopted, or still there. */
  readonly keep: readonly Target[];
  /** Targets that hold nothing: imported with `NoForce`, so that a tag pushed meanwhile is not overwritten. */
  readonly add: readonly Target[];
  /** Targets that hold a digest that may be replaced: imported with `Force`. */
  readonly move: readonly Target[];
  /** Targets that hold a digest that this resource did not import, while `onConflict` is `fail`. */
  readonly conflicts: readonly Conflict[];
}

/** A target and the digest of somebody else that it holds. */
export interface Conflict {
  readonly target: string;
  readonly holds: Digest;
}

/** The digest that each target holds, by the target's name; `"unreadable"` where this machine cannot reach the registry. */
export type TargetDigests = ReadonlyMap<string, Digest | undefined> | "unreadable";

/**
 * Sorts targets by what has to happen to them.
 *
 * The recorded `sourceDigest` alone decides what this resource owns. Where the target cannot be read, the state is the only
 * evidence: a target that it calls ours is moved by force, any other is imported without force.
 *
 * @param digest - The digest that all targets should hold; `undefined` when only the target can tell it
 *   (`digestFrom: "target"`), so that no existing tag can be recognised or adopted
 * @param again - Import also into targets that hold the digest, because a trigger changed
 */
export function planTargets(
  targets: readonly Target[],
  digest: Digest | undefined,
  owned: OwnedDigest | undefined,
  held: TargetDigests,
  { overwrite, again }: { overwrite: boolean; again: boolean },
): TargetPlan {
  const plan = { keep: [] as Target[], add: [] as Target[], move: [] as Target[], conflicts: [] as Conflict[] };
  for (const target of targets) {
    const holds = held === "unreadable" ? owned?.targets[target.name] : held.get(target.name);
    const isOurs = holds !== undefined && holds === owned?.sourceDigest;
    if (holds === undefined) (overwrite && held === "unreadable" ? plan.move : plan.add).push(target);
    else if (holds === digest && !again) plan.keep.push(target);
    else if (isOurs || holds === digest || overwrite) plan.move.push(target);
    else plan.conflicts.push({ target: target.name, holds });
  }
  return plan;
}

/** A plan without some of its targets, which are imported already. */
export function withoutTargets(plan: TargetPlan, names: readonly string[]): TargetPlan {
  const rest = (targets: readonly Target[]) => targets.filter(({ name }) => !names.includes(name));
  return { ...plan, add: rest(plan.add), move: rest(plan.move) };
}

/** The names in the state that the program no longer lists. */
export function droppedTargets(desired: Inputs, recorded: Outputs): readonly string[] {
  const wanted = new Set(targetNames(desired));
  return Object.keys(recorded.targets).filter((name) => !wanted.has(name));
}

/** Whether the program asks to import again. No triggers, an empty list and `null` are the same. */
export function triggersChanged(desired: Pick<Arguments, "triggers">, recorded: Pick<Arguments, "triggers">): boolean {
  return !isDeepStrictEqual(desired.triggers ?? [], recorded.triggers ?? []);
}

/** Whether arguments changed that cause an import by reference, where only the target can tell the digest. */
export function asksForImport(desired: Arguments, recorded: Partial<Inputs>): boolean {
  const lists = ({ targetTags, untaggedTargetRepositories }: Partial<Arguments | Inputs>) => [
    targetTags,
    untaggedTargetRepositories,
  ];
  return (
    !isSameSource(desired, recorded) ||
    triggersChanged(desired, recorded) ||
    !isDeepStrictEqual(lists(desired), lists(recorded))
  );
}

/** A manifest that refers to the image, and the repositories of the target that may lack it. */
export interface ReferrerImport {
  readonly referrer: Referrer;
  readonly repositories: readonly Repository[];
}

/** What refers to the image and is not recorded, or not in each repository. With another trigger nothing counts as recorded. */
export function planReferrers(
  targets: readonly Target[],
  digest: Digest,
  desired: Pick<Inputs, "referrers" | "triggers">,
  owned: (OwnedDigest & Pick<Inputs, "triggers">) | undefined,
): ReferrerImport[] {
  const known = owned?.sourceDigest === digest && !triggersChanged(desired, owned) ? owned : undefined;
  const missing = new Set(missingReferrers(desired.referrers, known?.referrers).map(referrerKey));
  const filled = new Set(recordedRepositories(known));
  return parseReferrers(desired.referrers).flatMap((referrer) => {
    const isMissing = missing.has(referrerKey(referrer));
    const repositories = repositoriesOf(targets).filter((repository) => isMissing || !filled.has(repository));
    return repositories.length === 0 ? [] : [{ referrer, repositories }];
  });
}

/** The repositories of targets, each once. */
export function repositoriesOf(targets: readonly Target[]): Repository[] {
  return [...new Set(targets.map(({ repository }) => repository))];
}

/** The repositories that hold what the state says. */
export function recordedRepositories(owned: OwnedDigest | undefined): Repository[] {
  return repositoriesOf(Object.keys(owned?.targets ?? {}).map(parseTarget));
}

/** What has to become possible, or impossible, with a target. */
export interface LockChange {
  readonly target: Target;
  readonly attributes: { readonly writeEnabled?: boolean; readonly deleteEnabled?: boolean };
}

/**
 * The locks that targets should have when all hold the digest. A part that neither the program asks for nor the state has stays
 * as it is: somebody else's lock is not ours to take off.
 */
export function planLocks(
  targets: readonly Target[],
  digest: Digest,
  desired: Lock | undefined,
  owned: OwnedDigest | undefined,
): LockChange[] {
  const wanted = lockParts(desired);
  return targets.flatMap((target) => {
    const ours = ownLock(target, digest, owned);
    const attributes = {
      ...((wanted.write || ours.write) && { writeEnabled: !wanted.write }),
      ...((wanted.delete || ours.delete) && { deleteEnabled: !wanted.delete }),
    };
    return Object.keys(attributes).length === 0 ? [] : [{ target, attributes }];
  });
}

/** What keeps targets from being moved: only our own lock against changes, of tags that hold what we put there. */
export function planUnlocksForMove(
  { move }: TargetPlan,
  digest: Digest | undefined,
  owned: OwnedDigest | undefined,
  held: TargetDigests,
): LockChange[] {
  return move
    .filter(({ name }) => held === "unreadable" || held.get(name) === owned?.sourceDigest)
    .filter((target) => ownLock(target, digest, owned).write)
    .map((target) => ({ target, attributes: { writeEnabled: true } }));
}

/** What keeps a target from being removed: each part of our own lock does. */
export function planUnlockForRemoval(target: Target, recorded: OwnedDigest): LockChange[] {
  return planLocks([target], recorded.sourceDigest, undefined, recorded);
}

/** Whether the resource has locked a target, as far as the state knows. */
export function hasRecordedLock(owned: OwnedDigest | undefined, name: string): boolean {
  return owned !== undefined && name in owned.targets && isLock(recordedLock(owned.lock, name));
}

/** The parts of the lock that this resource put on a target. A manifest without a tag that is new has none yet. */
function ownLock(target: Target, digest: Digest | undefined, owned: OwnedDigest | undefined): LockParts {
  const isOurs = hasRecordedLock(owned, target.name) && (isTagged(target) || owned?.sourceDigest === digest);
  return lockParts(isOurs ? owned?.lock : undefined);
}
