/** The state of an operation that ended halfway: what the registry holds by then, so that the next run continues from there. */
import type { DesiredImage } from "../resource/desired-image";
import { partialLock } from "../resource/lock";
import { mergeReferrers, type Referrer } from "../resource/referrers";
import { type Outputs, type OwnedDigest, type Targets, targetNames, toOutputs, withLock } from "../resource/state";
import { PartialFailure } from "./context";
import type { ImageImport } from "./import-targets";
import { droppedTargets, hasRecordedLock, type TargetDigests } from "./plan";

/** How far an operation got. */
interface Interruption {
  readonly recorded: Outputs | undefined;
  readonly owned: OwnedDigest | undefined;
  /** What the targets held before. */
  readonly before: TargetDigests;
  /** The targets that were imported. */
  readonly imported: readonly string[];
  /** What refers to the image and was imported with it. */
  readonly arrived: readonly Referrer[];
  /** The targets whose lock was taken off, and is off still. */
  readonly unlocked: readonly string[];
}

/** Adds to an error the state of targets that were changed before it, so that the engine records the partial result. */
export async function withPartialState(
  error: unknown,
  { desired, digest, registry }: ImageImport,
  { recorded, owned, before, imported, arrived, unlocked }: Interruption,
): Promise<unknown> {
  if (digest === undefined) return error;
  const { inputs, targets } = desired;
  const now = await registry.readFinalDigests(targets, digest).catch(() => "unreadable" as const);
  const gained =
    now === "unreadable" || before === "unreadable"
      ? imported
      : targetNames(inputs).filter((name) => now.get(name) === digest && before.get(name) !== digest);
  const isUnlocked = unlocked.length > 0 && recorded !== undefined;
  if (gained.length === 0 && arrived.length === 0 && !isUnlocked) return error;
  const held: Targets =
    now === "unreadable"
      ? { ...recorded?.targets, ...Object.fromEntries(gained.map((name) => [name, digest])) }
      : Object.fromEntries([...now].flatMap(([name, holds]) => (holds === undefined ? [] : [[name, holds]])));
  const all = { ...(recorded && droppedFrom(desired, recorded)), ...held };
  // While one target holds the old digest, that digest still tells what is ours.
  const isOld = recorded !== undefined && Object.values(held).includes(recorded.sourceDigest);
  const outputs = isOld
    ? { ...recorded, targets: all }
    : toOutputs(inputs, {
        sourceDigest: digest,
        targets: all,
        verifiedBy: now === "unreadable" ? "operation" : "digest",
      });
  const referrers = mergeReferrers(isOld ? recorded.referrers : undefined, arrived);
  const lacking = Object.keys(all).filter((name) => unlocked.includes(name) || !hasRecordedLock(owned, name));
  const partial = withLock(outputs, partialLock(undefined, owned?.lock, lacking));
  return new PartialFailure({ ...partial, ...(inputs.referrers !== undefined && { referrers }) }, error);
}

/** Outputs that still have the targets that the program no longer lists. */
export function withDropped(desired: DesiredImage, recorded: Outputs | undefined, outputs: Outputs): Outputs {
  if (recorded === undefined || droppedTargets(desired.inputs, recorded).length === 0) return outputs;
  // The old digest is that by which the next run recognises what it still has to remove.
  const { sourceDigest } = recorded;
  return { ...outputs, sourceDigest, targets: { ...outputs.targets, ...droppedFrom(desired, recorded) } };
}

function droppedFrom({ inputs }: DesiredImage, recorded: Outputs): Targets {
  const dropped = droppedTargets(inputs, recorded);
  return Object.fromEntries(Object.entries(recorded.targets).filter(([name]) => dropped.includes(name)));
}
