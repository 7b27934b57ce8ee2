/** Makes the target registry hold the desired image: read, plan, import, read back, remove what was dropped. */
import { ImportError } from "../failure/failure";
import { targetFailure } from "../failure/target";
import { parseTarget, type Target } from "../reference/target";
import type { DesiredImage } from "../resource/desired-image";
import { type Outputs, type Targets, targetNames, toOutputs } from "../resource/state";
import { type OperationContext, PartialFailure } from "./context";
import { type ImageImport, importBatch, readImportedDigest, toBatches, verifyTargets } from "./import-targets";
import { type OwnedDigest, pendingRemovals } from "./ownership";
import { digestToImport, droppedTargets, planTargets, type TargetDigests, triggersChanged } from "./plan";
import { removeTargets } from "./remove-targets";
import { TargetRegistry } from "./target-registry";

/**
 * Applies a create or an update. The same after a crash at any point: what is already there is adopted.
 *
 * @param recorded - The state that an update starts from.
 * @param owned - What this resource imported before: from the state, or from that of the resource that it replaces.
 */
export async function applyChanges(
  desired: DesiredImage,
  recorded: Outputs | undefined,
  owned: OwnedDigest | undefined,
  context: OperationContext,
): Promise<Outputs> {
  const { inputs, targets } = desired;
  const { loginServer } = desired.registry;
  const registry = new TargetRegistry(loginServer, context.azure);
  const digest = digestToImport(inputs, recorded);

  await pendingRemovals(loginServer, targetNames(inputs));
  const before = await registry.readDigests(targets, digest, context.signal);
  if (digest === undefined && before === "unreadable") throw new ImportError(targetFailure.digestUnknown(loginServer));
  const plan = planTargets(targets, digest, owned, before, {
    overwrite: inputs.onConflict === "overwrite",
    // A replaced resource may have removed its targets; where they cannot be read, that is not known.
    again: recorded === undefined ? before === "unreadable" : triggersChanged(inputs, recorded),
  });
  if (plan.conflicts.length > 0) {
    throw new ImportError(targetFailure.conflict(loginServer, plan.conflicts, digest, true));
  }

  const batches = toBatches(plan);
  const imported: string[] = [];
  const seen = new Set<Target>();
  let image: ImageImport = { desired, digest, registry };
  let after = before;
  try {
    for (const batch of batches) {
      const isSeen = await importBatch(batch, image, before, context);
      if (isSeen) for (const target of batch.targets) seen.add(target);
      imported.push(...batch.targets.map(({ name }) => name));
      // Pins the remaining batches to the digest that Azure just resolved.
      if (image.digest === undefined) {
        image = { ...image, digest: await readImportedDigest(batch, image, before, context.signal) };
      }
    }
    const unseen = targets.filter((target) => !seen.has(target));
    if (batches.length > 0 && unseen.length > 0) after = await verifyTargets(unseen, image, context);
  } catch (error) {
    throw await withPartialState(error, image, recorded, before, imported);
  }
  const outputs = await toAppliedOutputs(image, recorded, after, context.signal);
  return recorded === undefined ? outputs : removeDropped(desired, recorded, outputs, context);
}

/** The state of an image whose targets all hold the digest. */
async function toAppliedOutputs(
  { desired, digest, registry }: ImageImport,
  recorded: Outputs | undefined,
  held: TargetDigests,
  signal: AbortSignal,
): Promise<Outputs> {
  const { inputs, targets } = desired;
  const [first] = targets;
  if (digest === undefined || first === undefined) {
    throw new ImportError(targetFailure.digestUnknown(registry.loginServer));
  }
  const known = recorded?.sourceDigest === digest && recorded.mediaType !== undefined ? recorded : undefined;
  const details = known ?? (held === "unreadable" ? undefined : await registry.readDetails(first, digest, signal));
  return toOutputs(inputs, {
    sourceDigest: digest,
    targets: Object.fromEntries(targets.map(({ name }) => [name, digest])),
    mediaType: details?.mediaType,
    platforms: details?.platforms,
    verifiedBy: held === "unreadable" ? "operation" : "digest",
  });
}

/** Adds to an error the state of targets that were imported before it, so that the engine records the partial result. */
async function withPartialState(
  error: unknown,
  { desired, digest, registry }: ImageImport,
  recorded: Outputs | undefined,
  before: TargetDigests,
  imported: readonly string[],
): Promise<unknown> {
  if (digest === undefined) return error;
  const { inputs, targets } = desired;
  const now = await registry.readFinalDigests(targets, digest).catch(() => "unreadable" as const);
  const gained =
    now === "unreadable" || before === "unreadable"
      ? imported
      : targetNames(inputs).filter((name) => now.get(name) === digest && before.get(name) !== digest);
  if (gained.length === 0) return error;
  const held: Targets =
    now === "unreadable"
      ? { ...recorded?.targets, ...Object.fromEntries(gained.map((name) => [name, digest])) }
      : Object.fromEntries([...now].flatMap(([name, holds]) => (holds === undefined ? [] : [[name, holds]])));
  const all = { ...(recorded && droppedFrom(desired, recorded)), ...held };
  // While one target holds the old digest, that digest still tells what is ours.
  const outputs =
    recorded !== undefined && Object.values(held).includes(recorded.sourceDigest)
      ? { ...recorded, targets: all }
      : toOutputs(inputs, {
          sourceDigest: digest,
          targets: all,
          verifiedBy: now === "unreadable" ? "operation" : "digest",
        });
  return new PartialFailure(outputs, error);
}

/** Removes targets that the program no longer lists; one that cannot be removed stays in the state. */
async function removeDropped(
  desired: DesiredImage,
  recorded: Outputs,
  outputs: Outputs,
  context: OperationContext,
): Promise<Outputs> {
  const dropped = droppedFrom(desired, recorded);
  const names = Object.keys(dropped);
  try {
    await removeTargets(names.map(parseTarget), recorded, desired.inputs.onDelete ?? "retain", context);
  } catch (error) {
    // Keeps the old digest, by which the next run recognises what it still has to remove.
    const { sourceDigest } = names.length > 0 ? recorded : outputs;
    throw new PartialFailure({ ...outputs, sourceDigest, targets: { ...outputs.targets, ...dropped } }, error);
  }
  return outputs;
}

function droppedFrom({ inputs }: DesiredImage, recorded: Outputs): Targets {
  const dropped = droppedTargets(inputs, recorded);
  return Object.fromEntries(Object.entries(recorded.targets).filter(([name]) => dropped.includes(name)));
}
