import { isDeepStrictEqual } from "node:util";
import type { Azure } from "./azure/azure";
import type { ImportRequest } from "./azure/import-image";
import { registryOf } from "./azure/registry-name";
import { ImportError, targetFailure } from "./failure";
import { importSource, sourceProblem } from "./import-source";
import { droppedTargets, type Holdings, knownDigest, planTargets, type TargetPlan } from "./plan";
import type { Progress } from "./progress";
import { type Inputs, isTag, type Outputs, outputsOf, type Targets, targetNames } from "./record";
import type { Digest } from "./reference/digest";
import { release } from "./release";
import { printSource, sourceImage } from "./source-image";
import { Target } from "./target";

/** What one create, update or delete works with. */
export interface Operation {
  readonly azure: Azure;
  /** Ends when the time limit of the operation is reached. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** A failure after something was done: the record of what is really there goes with it, so that nothing is lost. */
export class Unfinished extends Error {
  override readonly name = "Unfinished";

  constructor(
    readonly outputs: Outputs,
    readonly reason: unknown,
  ) {
    super("the operation was not finished");
  }
}

/**
 * Makes the target hold what is desired: read, decide, import, read back. The same for create and update, and the same
 * after a crash anywhere in between: what is there already is adopted.
 */
export async function converge(desired: Inputs, recorded: Outputs | undefined, operation: Operation): Promise<Outputs> {
  const { signal } = operation;
  const target = new Target(desired, operation.azure);
  const names = targetNames(desired);
  const digest = knownDigest(desired, recorded);

  const before = await target.holdings(names, digest, signal);
  if (digest === undefined && before === "unreadable") {
    throw new ImportError(targetFailure.digestUnknown(desired.loginServer));
  }
  const plan = planTargets(names, digest, recorded, before, {
    overwrite: desired.onConflict === "overwrite",
    again: recorded !== undefined && !isDeepStrictEqual(desired.triggers, recorded.triggers),
  });
  rejectConflicts(plan, desired, digest);

  const imports = importsOf(plan);
  const done: string[] = [];
  let after = before;
  try {
    for (const { mode, targets } of imports) {
      await importInto(targets, mode, digest, desired, target, operation);
      done.push(...targets);
    }
    if (imports.length > 0) after = await verified(names, digest, target, operation);
  } catch (error) {
    throw await salvaged(error, { desired, recorded, digest, before, done, target });
  }
  const outputs = await describe(after, digest, desired, recorded, target, signal);
  return recorded === undefined ? outputs : releaseDropped(desired, recorded, outputs, operation);
}

/**
 * One operation per mode. Ours first: when somebody was faster with a new tag, the tags that are ours have moved. A
 * manifest without a tag overwrites nothing, so it goes along with whatever is imported.
 */
function importsOf({ move, add }: TargetPlan): { mode: ImportRequest["mode"]; targets: readonly string[] }[] {
  const tags = add.filter(isTag);
  const untagged = add.filter((target) => !isTag(target));
  const imports =
    move.length > 0 || tags.length === 0
      ? [
          { mode: "Force" as const, targets: [...move, ...untagged] },
          { mode: "NoForce" as const, targets: tags },
        ]
      : [{ mode: "NoForce" as const, targets: add }];
  return imports.filter(({ targets }) => targets.length > 0);
}

/** Imports once. Whatever the operation says, the target has the last word where it can be read. */
async function importInto(
  targets: readonly string[],
  mode: ImportRequest["mode"],
  digest: Digest | undefined,
  desired: Inputs,
  target: Target,
  { azure, signal, progress }: Operation,
): Promise<void> {
  const image = sourceImage(desired);
  progress(`importing ${printSource(image)}${digest === undefined ? "" : ` at ${digest.slice(0, 19)}…`}`);
  const outcome = await azure.importImage(
    registryOf(desired.registryId, desired.loginServer),
    {
      source: await importSource(image, digest, azure),
      targetTags: targets.filter(isTag),
      untaggedTargetRepositories: targets.filter((name) => !isTag(name)),
      mode,
    },
    { signal, onProgress: progress },
  );
  if (outcome.state === "succeeded") return;

  const tells = (found: ReadonlyMap<string, Digest | undefined>) => {
    if (outcome.state === "unknown") return targets.every((name) => found.get(name) === digest);
    return !outcome.tagExists || targets.some((name) => found.get(name) !== undefined);
  };
  const held = signal.aborted
    ? await target.lastLook(targets, digest)
    : await target.awaitHoldings(targets, digest, signal, tells);
  if (held !== "unreadable" && digest !== undefined && targets.every((name) => held.get(name) === digest)) return;
  if (outcome.state === "failed" && outcome.tagExists) {
    if (held === "unreadable") throw new ImportError(targetFailure.uncomparable(desired.loginServer, targets));
    const conflicts = targets.flatMap((name) => {
      const holds = held.get(name);
      return holds === undefined || holds === digest ? [] : [{ target: name, holds }];
    });
    if (conflicts.length > 0) throw new ImportError(targetFailure.conflict(desired.loginServer, conflicts, digest));
  }
  throw new ImportError(await sourceProblem(image, outcome.failure, azure));
}

function rejectConflicts({ conflicts }: TargetPlan, { loginServer }: Inputs, digest: Digest | undefined): void {
  if (conflicts.length > 0) throw new ImportError(targetFailure.conflict(loginServer, conflicts, digest));
}

/** Reads back what was imported; a replica may show it late. */
async function verified(
  names: readonly string[],
  digest: Digest | undefined,
  target: Target,
  { signal, progress }: Operation,
): Promise<Holdings> {
  progress("verifying the target");
  const proves = (held: Digest | undefined) => held !== undefined && (digest === undefined || held === digest);
  const held = await target.awaitHoldings(names, digest, signal, (found) =>
    names.every((name) => proves(found.get(name))),
  );
  if (held === "unreadable") return held;
  const unproven = names.filter((name) => !proves(held.get(name)));
  if (unproven.length === 0) return held;
  throw new ImportError(
    targetFailure.notVerified(
      target.loginServer,
      unproven.map((name) => ({ target: name, holds: held.get(name) })),
      digest,
    ),
  );
}

async function describe(
  held: Holdings,
  known: Digest | undefined,
  desired: Inputs,
  recorded: Outputs | undefined,
  target: Target,
  signal: AbortSignal,
): Promise<Outputs> {
  const names = targetNames(desired);
  const [first = ""] = names;
  const digest = known ?? (held === "unreadable" ? undefined : held.get(first));
  if (digest === undefined) throw new ImportError(targetFailure.digestUnknown(desired.loginServer));
  const same = recorded?.sourceDigest === digest && recorded.mediaType !== undefined ? recorded : undefined;
  const seen = same ?? (held === "unreadable" ? undefined : await target.describe(first, digest, signal));
  return outputsOf(desired, {
    sourceDigest: digest,
    targets: Object.fromEntries(names.map((name) => [name, digest])),
    mediaType: seen?.mediaType,
    platforms: seen?.platforms,
    verifiedBy: held === "unreadable" ? "operation" : "digest",
  });
}

/** What is thrown instead of an error after which the registry is not as it was: the record of what is there now. */
async function salvaged(
  error: unknown,
  at: {
    desired: Inputs;
    recorded: Outputs | undefined;
    digest: Digest | undefined;
    before: Holdings;
    done: readonly string[];
    target: Target;
  },
): Promise<unknown> {
  const { desired, recorded, digest, before, done, target } = at;
  if (digest === undefined) return error;
  const names = targetNames(desired);
  const now = await target.lastLook(names, digest);
  const gained =
    now === "unreadable" || before === "unreadable"
      ? done
      : names.filter((name) => now.get(name) === digest && before.get(name) !== digest);
  if (gained.length === 0) return error;
  const seen = now === "unreadable" ? gained.map((name) => [name, digest] as const) : [...now];
  const targets: Targets = {
    ...(now === "unreadable" ? recorded?.targets : {}),
    ...Object.fromEntries(seen.flatMap(([name, holds]) => (holds === undefined ? [] : [[name, holds]]))),
  };
  // As long as one target holds the old digest, that one is the mark of what is ours.
  const oldRemains = recorded !== undefined && Object.values(targets).includes(recorded.sourceDigest);
  const outputs = oldRemains
    ? { ...recorded, targets }
    : outputsOf(desired, {
        sourceDigest: digest,
        targets,
        verifiedBy: now === "unreadable" ? "operation" : "digest",
      });
  return new Unfinished(outputs, error);
}

/** Targets that the program no longer names go as `onDelete` says; one that cannot go stays in the record. */
async function releaseDropped(
  desired: Inputs,
  recorded: Outputs,
  outputs: Outputs,
  operation: Operation,
): Promise<Outputs> {
  const dropped = droppedTargets(desired, recorded);
  try {
    await release(dropped, recorded, desired.onDelete ?? "retain", operation);
  } catch (error) {
    const kept = Object.fromEntries(dropped.map((name) => [name, recorded.targets[name] ?? recorded.sourceDigest]));
    throw new Unfinished({ ...outputs, targets: { ...outputs.targets, ...kept } }, error);
  }
  return outputs;
}
