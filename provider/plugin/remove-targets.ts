/** Removes targets as `onDelete` says: on destroy, on replacement, and when the program drops a tag. */
import { ImportError } from "../failure/failure";
import { targetFailure } from "../failure/target";
import { isTagged, type Target } from "../reference/target";
import type { DeletePolicy, Outputs } from "../resource/state";
import type { OperationContext } from "./context";
import { unlock } from "./lock";
import { isDeclared, whileRemoving } from "./ownership";
import { planUnlockForRemoval, repositoriesOf } from "./plan";
import { removeReferrersIndexes } from "./referrers-index";
import { removeReferrers } from "./remove-referrers";
import { isDeleted, TargetRegistry } from "./target-registry";

/**
 * Removes only what this resource imported: tags that still hold our digest, and our manifest when no tag holds it and no
 * index lists it, after what refers to it. Our own lock is taken off before, and stays on what is retained. Targets that another resource of this run
 * declares stay.
 */
export async function removeTargets(
  targets: readonly Target[],
  recorded: Outputs,
  policy: DeletePolicy,
  context: OperationContext,
): Promise<void> {
  const { loginServer } = recorded;
  const undeclared = targets.filter(({ name }) => !isDeclared(loginServer, name));
  if (policy === "retain" || undeclared.length === 0) return;
  const names = undeclared.map(({ name }) => name);
  context.progress("removing", names.join(", "));
  await whileRemoving(loginServer, names, () => removeUndeclared(undeclared, recorded, policy, context));
}

async function removeUndeclared(
  targets: readonly Target[],
  recorded: Outputs,
  policy: DeletePolicy,
  { azure, signal, registry: shared }: OperationContext,
): Promise<void> {
  const { loginServer, sourceDigest } = recorded;
  const registry = shared ?? new TargetRegistry(loginServer, azure);
  const { client } = registry;
  const held = await registry.readDigests(targets, sourceDigest, signal);
  if (held === "unreadable") {
    if (await isDeleted(recorded, azure)) return;
    const names = targets.map(({ name }) => name);
    throw new ImportError(targetFailure.notRemovable(loginServer, names));
  }
  for (const target of targets.filter(isTagged)) {
    const { name, repository, tag } = target;
    // Another resource may have declared it while the targets were read.
    if (held.get(name) === sourceDigest && !isDeclared(loginServer, name)) {
      await unlock(planUnlockForRemoval(target, recorded), sourceDigest, held, registry, signal);
      await client.untag(repository, tag, signal);
    }
  }
  if (policy !== "delete") return;
  for (const repository of repositoriesOf(targets)) {
    if (isDeclared(loginServer, repository)) continue;
    if ((await client.tagsOf(repository, sourceDigest, signal)).length > 0) continue;
    await removeReferrersIndexes(repository, recorded, client, signal);
    const indexes = await client.indexes(repository, signal);
    if (indexes.some(({ entries }) => entries.some(({ digest }) => digest === sourceDigest))) continue;
    const others = indexes.filter(({ descriptor }) => descriptor.digest !== sourceDigest);
    await removeReferrers(repository, recorded, client, others, signal);
    const untagged = targets.filter((target) => target.name === repository);
    const unlocks = untagged.flatMap((target) => planUnlockForRemoval(target, recorded));
    await unlock(unlocks, sourceDigest, held, registry, signal);
    await client.deleteManifest(repository, sourceDigest, signal);
  }
}
