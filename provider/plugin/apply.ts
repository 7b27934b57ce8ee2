import { ImportError, targetFailure } from "../failure/failure";
import { type Inputs, type Outputs, outputsOf, type Targets, targetNames } from "../resource/state";
import { type OperationContext, PartialFailure } from "./context";
import { type ImportedContent, importBatch, readImportedDigest, toBatches, verifyTargets } from "./import-targets";
import { pendingRemovals } from "./ownership";
import { digestToImport, droppedTargets, planTargets, type TargetDigests, triggersChanged } from "./plan";
import { removeTargets } from "./remove-targets";
import { TargetRegistry } from "./target-registry";

/**
 * Makes the target hold what is desired: read, decide, import, read back. The same for create and update, and the same
 * after a crash anywhere in between: what is there already is adopted.
 */
export async function applyChanges(
  desired: Inputs,
  recorded: Outputs | undefined,
  operation: OperationContext,
): Promise<Outputs> {
  const target = new TargetRegistry(desired, operation.azure);
  const names = targetNames(desired);
  const digest = digestToImport(desired, recorded);
  let image: ImportedContent = { desired, digest, target };

  await pendingRemovals(desired.loginServer, names);
  const before = await target.readDigests(names, digest, operation.signal);
  if (digest === undefined && before === "unreadable") {
    throw new ImportError(targetFailure.digestUnknown(desired.loginServer));
  }
  const plan = planTargets(names, digest, recorded, before, {
    overwrite: desired.onConflict === "overwrite",
    again: recorded !== undefined && triggersChanged(desired, recorded),
  });
  if (plan.conflicts.length > 0) {
    throw new ImportError(targetFailure.conflict(desired.loginServer, plan.conflicts, digest, true));
  }

  const batches = toBatches(plan);
  const done: string[] = [];
  let after = before;
  try {
    for (const batch of batches) {
      await importBatch(batch, image, operation);
      done.push(...batch.targets);
      // Whatever the reference meant to Azure just now, the rest gets the same.
      if (image.digest === undefined)
        image = { ...image, digest: await readImportedDigest(batch, image, before, operation) };
    }
    if (batches.length > 0) after = await verifyTargets(names, image, operation);
  } catch (error) {
    throw await withPartialState(error, image, recorded, before, done);
  }
  const outputs = await toOutputs(image, recorded, after, operation.signal);
  return recorded === undefined ? outputs : removeDropped(desired, recorded, outputs, operation);
}

/** The record of a target that holds what it should. */
async function toOutputs(
  { desired, digest, target }: ImportedContent,
  recorded: Outputs | undefined,
  held: TargetDigests,
  signal: AbortSignal,
): Promise<Outputs> {
  const names = targetNames(desired);
  const [first = ""] = names;
  if (digest === undefined) throw new ImportError(targetFailure.digestUnknown(desired.loginServer));
  const same = recorded?.sourceDigest === digest && recorded.mediaType !== undefined ? recorded : undefined;
  const seen = same ?? (held === "unreadable" ? undefined : await target.readDetails(first, digest, signal));
  return outputsOf(desired, {
    sourceDigest: digest,
    targets: Object.fromEntries(names.map((name) => [name, digest])),
    mediaType: seen?.mediaType,
    platforms: seen?.platforms,
    verifiedBy: held === "unreadable" ? "operation" : "digest",
  });
}

/** What is thrown instead of an error after which the registry is not as it was: the record of what is there now. */
async function withPartialState(
  error: unknown,
  { desired, digest, target }: ImportedContent,
  recorded: Outputs | undefined,
  before: TargetDigests,
  done: readonly string[],
): Promise<unknown> {
  if (digest === undefined) return error;
  const names = targetNames(desired);
  const now = await target.readDigestsOnce(names, digest).catch(() => "unreadable" as const);
  const gained =
    now === "unreadable" || before === "unreadable"
      ? done
      : names.filter((name) => now.get(name) === digest && before.get(name) !== digest);
  if (gained.length === 0) return error;
  const held: Targets =
    now === "unreadable"
      ? { ...recorded?.targets, ...Object.fromEntries(gained.map((name) => [name, digest])) }
      : Object.fromEntries([...now].flatMap(([name, holds]) => (holds === undefined ? [] : [[name, holds]])));
  // As long as one target holds the old digest, that one is the mark of what is ours.
  const oldRemains = recorded !== undefined && Object.values(held).includes(recorded.sourceDigest);
  const targets = { ...droppedOf(desired, recorded), ...held };
  const outputs = oldRemains
    ? { ...recorded, targets }
    : outputsOf(desired, { sourceDigest: digest, targets, verifiedBy: now === "unreadable" ? "operation" : "digest" });
  return new PartialFailure(outputs, error);
}

/** Targets that the program no longer names go as `onDelete` says; one that cannot go stays in the record. */
async function removeDropped(
  desired: Inputs,
  recorded: Outputs,
  outputs: Outputs,
  operation: OperationContext,
): Promise<Outputs> {
  const dropped = droppedOf(desired, recorded);
  try {
    await removeTargets(Object.keys(dropped), recorded, desired.onDelete ?? "retain", operation);
  } catch (error) {
    // The next run must still recognise as ours what could not be released, also when everything else has moved on.
    const { sourceDigest } = Object.keys(dropped).length > 0 ? recorded : outputs;
    throw new PartialFailure({ ...outputs, sourceDigest, targets: { ...outputs.targets, ...dropped } }, error);
  }
  return outputs;
}

function droppedOf(desired: Inputs, recorded: Outputs | undefined): Targets {
  const dropped = recorded === undefined ? [] : droppedTargets(desired, recorded);
  return Object.fromEntries(Object.entries(recorded?.targets ?? {}).filter(([name]) => dropped.includes(name)));
}
