/** Makes the target registry hold the desired image: read, plan, import, read back, lock, remove what was dropped. */
import { ImportError } from "../failure/failure";
import { targetFailure } from "../failure/target";
import { parseTarget, type Target } from "../reference/target";
import type { DesiredImage } from "../resource/desired-image";
import { partialLock } from "../resource/lock";
import type { Referrer } from "../resource/referrers";
import { type Outputs, type OwnedDigest, targetNames, toOutputs, withLock } from "../resource/state";
import { type OperationContext, PartialFailure } from "./context";
import { importReferrers, importWithoutTags } from "./import-referrers";
import { type ImageImport, importBatch, readImportedDigest, toBatches, verifyTargets } from "./import-targets";
import { lockAgain, lockTargets, unlock } from "./lock";
import { pendingRemovals } from "./ownership";
import { withDropped, withPartialState } from "./partial-state";
import {
  digestToImport,
  droppedTargets,
  hasRecordedLock,
  planLocks,
  planReferrers,
  planTargets,
  planUnlocksForMove,
  type TargetDigests,
  triggersChanged,
  withoutTargets,
} from "./plan";
import { importReferrersIndexes } from "./referrers-index";
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
  const registry = context.registry ?? new TargetRegistry(loginServer, context.azure);
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

  const referrers = digest === undefined ? [] : planReferrers(targets, digest, inputs, owned);
  const unlocks = planUnlocksForMove(plan, digest, owned, before);
  const arrived: Referrer[] = [];
  const imported: string[] = [];
  const seen = new Set<Target>();
  let image: ImageImport = { desired, digest, registry };
  let after = before;
  try {
    const untagged = referrers.length > 0 ? await importWithoutTags(plan, image, context) : [];
    await importReferrers(referrers, image, owned, context, arrived);
    await importReferrersIndexes(referrers, image, context);
    await unlock(unlocks, digest, before, registry, context.signal);
    const batches = toBatches(withoutTargets(plan, untagged));
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
    const unlocked = await lockAgain(unlocks, digest, before, registry, context.signal);
    throw await withPartialState(error, image, { recorded, owned, before, imported, arrived, unlocked });
  }
  const outputs = await toAppliedOutputs(image, recorded, after, context.signal);
  const locks = planLocks(targets, outputs.sourceDigest, inputs.lock, owned);
  await lockTargets(locks, image, { recorded, owned, outputs, held: after }, context);
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

/** Removes targets that the program no longer lists; one that cannot be removed stays in the state. */
async function removeDropped(
  desired: DesiredImage,
  recorded: Outputs,
  outputs: Outputs,
  context: OperationContext,
): Promise<Outputs> {
  const names = droppedTargets(desired.inputs, recorded);
  try {
    await removeTargets(names.map(parseTarget), recorded, desired.inputs.onDelete ?? "retain", context);
  } catch (error) {
    const lacking = names.filter((name) => !hasRecordedLock(recorded, name));
    const lock = partialLock(desired.inputs.lock, recorded.lock, lacking);
    throw new PartialFailure(withLock(withDropped(desired, recorded, outputs), lock), error);
  }
  return outputs;
}
