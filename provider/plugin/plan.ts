import { isDeepStrictEqual } from "node:util";
import type { Digest } from "../reference/digest";
import { type Inputs, type Outputs, sameSource, targetNames } from "../resource/state";
import { UNKNOWN } from "../resource/unknown";

/**
 * The decisions, as values. Nothing here asks anybody anything: `diff` tells these decisions before an update, and the
 * update obeys the same ones. The reasons are the differences of the inputs, which the engine shows by itself.
 */

/** What has to happen so that the record matches what is desired. */
export type Change =
  | "unchanged"
  /** Only the record changes; nothing is asked of source, target or Azure. */
  | "record"
  /** The target has to be looked at, and whatever differs be imported or released. */
  | "apply"
  | "replace";

/**
 * Compares what is desired with what is recorded.
 *
 * Credentials are left out on purpose: new ones are used by the next import and change nothing by themselves. Values
 * that are not known yet may change, but never replace: only a registry that is known to be another one does that.
 */
export function planChange(desired: Inputs, recorded: Outputs): Change {
  if (desired.loginServer !== UNKNOWN && desired.loginServer !== recorded.loginServer) return "replace";
  if (triggersChanged(desired, recorded) || contentDiffers(desired, recorded)) return "apply";
  return recordDiffers(desired, recorded) ? "record" : "unchanged";
}

/** Whether the registry, the image or what the targets hold is something else than recorded, or may be. */
function contentDiffers(desired: Inputs, recorded: Outputs): boolean {
  const { loginServer, registryId, sourceDigest } = desired;
  const wanted = targetNames(desired);
  return (
    loginServer === UNKNOWN ||
    (registryId !== UNKNOWN && registryId.toLowerCase() !== recorded.registryId.toLowerCase()) ||
    (sourceDigest === undefined ? sourceChanged(desired, recorded) : sourceDigest !== recorded.sourceDigest) ||
    // Also where the target is missing, or not known yet.
    wanted.some((name) => recorded.targets[name] !== recorded.sourceDigest) ||
    droppedTargets(desired, recorded).length > 0
  );
}

function recordDiffers(desired: Inputs, recorded: Outputs): boolean {
  return (
    sourceChanged(desired, recorded) ||
    (desired.onConflict ?? "fail") !== (recorded.onConflict ?? "fail") ||
    (desired.onDelete ?? "retain") !== (recorded.onDelete ?? "retain") ||
    (desired.onSourceUnavailable ?? "fail") !== (recorded.onSourceUnavailable ?? "fail") ||
    differ(desired.timeouts, recorded.timeouts) ||
    differ(targetNames(desired), targetNames(recorded))
  );
}

/**
 * The digest to import: the one behind the source, or, when only the target can tell it, the recorded one for as long as
 * nothing asks for a new import. `undefined` says that the reference itself has to be imported.
 */
export function digestToImport(desired: Inputs, recorded: Outputs | undefined): Digest | undefined {
  if (desired.sourceDigest !== undefined || recorded === undefined) return desired.sourceDigest;
  const asksAgain = sourceChanged(desired, recorded) || triggersChanged(desired, recorded);
  return asksAgain ? undefined : recorded.sourceDigest;
}

/** What has to be done to the targets so that all hold one digest. Every target name stands in exactly one list. */
export interface TargetPlan {
  /** Targets that hold the digest already: adopted, or still there. */
  readonly keep: readonly string[];
  /** Targets that hold nothing: imported with `NoForce`, so that nobody who was faster is overwritten. */
  readonly add: readonly string[];
  /** Targets that hold a digest which may be replaced: imported with `Force`. */
  readonly move: readonly string[];
  /** Targets that hold a digest which this resource did not put there, while the policy is to fail. */
  readonly conflicts: readonly { readonly target: string; readonly holds: Digest }[];
}

/** What the targets were found to hold; `"unreadable"` where this machine cannot reach the registry. */
export type TargetDigests = ReadonlyMap<string, Digest | undefined> | "unreadable";

/**
 * Sorts the targets by what has to be done to them.
 *
 * Ownership is judged by the recorded `sourceDigest` alone. Where the target cannot be read, the record is the only
 * evidence: what it calls ours is moved by force, and anything else is imported without.
 *
 * @param digest - The digest that all targets shall hold; `undefined` when only the target will tell it
 *   (`digestFrom: "target"`): then nothing that exists can be recognised, hence nothing is adopted.
 * @param again - Import also what is there already, because a trigger changed.
 */
export function planTargets(
  targets: readonly string[],
  digest: Digest | undefined,
  recorded: Pick<Outputs, "sourceDigest" | "targets"> | undefined,
  held: TargetDigests,
  { overwrite, again }: { overwrite: boolean; again: boolean },
): TargetPlan {
  const plan = { keep: [] as string[], add: [] as string[], move: [] as string[], conflicts: [] as Conflict[] };
  for (const target of targets) {
    const holds = held === "unreadable" ? recordedDigest(target, recorded) : held.get(target);
    const ours = holds !== undefined && holds === recorded?.sourceDigest;
    if (holds === undefined) (overwrite && held === "unreadable" ? plan.move : plan.add).push(target);
    else if (holds === digest && !again) plan.keep.push(target);
    else if (ours || holds === digest || overwrite) plan.move.push(target);
    else plan.conflicts.push({ target, holds });
  }
  return plan;
}

type Conflict = TargetPlan["conflicts"][number];

/** What an unreadable target holds for all we know: what the record says, which a refresh may have found to be theirs. */
function recordedDigest(
  target: string,
  recorded: Pick<Outputs, "sourceDigest" | "targets"> | undefined,
): Digest | undefined {
  return recorded?.targets[target];
}

/** The targets that the record has and the program no longer names. */
export function droppedTargets(desired: Inputs, recorded: Outputs): readonly string[] {
  const wanted = new Set(targetNames(desired));
  return Object.keys(recorded.targets).filter((name) => !wanted.has(name));
}

/** Whether the program asks to import again. No triggers, an empty list and `null` are the same. */
export function triggersChanged(desired: Inputs, recorded: Outputs): boolean {
  return differ(desired.triggers ?? [], recorded.triggers ?? []);
}

function sourceChanged(desired: Inputs, recorded: Outputs): boolean {
  return !sameSource(desired, recorded);
}

function differ(one: unknown, other: unknown): boolean {
  return !isDeepStrictEqual(one, other);
}
