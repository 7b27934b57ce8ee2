import { ImportError, targetFailure } from "../failure/failure";
import { type DeletePolicy, isTag, type Outputs, repositoryOf, tagOf } from "../resource/state";
import type { OperationContext } from "./context";
import { isDeclared, whileRemoving } from "./ownership";
import { isDeleted, TargetRegistry } from "./target-registry";

/**
 * Gives up targets as `onDelete` says. Only what is ours goes: a tag that still holds our digest, and our manifest once no
 * tag holds it and no index lists it. What a resource of this run wants is left alone.
 */
export async function removeTargets(
  targets: readonly string[],
  recorded: Outputs,
  policy: DeletePolicy,
  operation: OperationContext,
): Promise<void> {
  const { loginServer } = recorded;
  const free = targets.filter((name) => !isDeclared(loginServer, name));
  if (policy === "retain" || free.length === 0) return;
  operation.progress("releasing", free.join(", "));
  await whileRemoving(loginServer, free, () => removeUndeclared(free, recorded, policy, operation));
}

async function removeUndeclared(
  free: readonly string[],
  recorded: Outputs,
  policy: DeletePolicy,
  { azure, signal }: OperationContext,
): Promise<void> {
  const { loginServer, sourceDigest } = recorded;
  const target = new TargetRegistry(recorded, azure);
  const { client } = target;
  const held = await target.readDigests(free, sourceDigest, signal);
  if (held === "unreadable") {
    if (await isDeleted(recorded, azure)) return;
    throw new ImportError(targetFailure.unreleasable(loginServer, free));
  }
  // Claimed may be now what was free a moment ago.
  for (const name of free.filter((one) => isTag(one) && held.get(one) === sourceDigest)) {
    if (!isDeclared(loginServer, name)) await client.untag(repositoryOf(name), tagOf(name), signal);
  }
  if (policy !== "delete") return;
  for (const repository of new Set(free.map(repositoryOf))) {
    const isNeeded =
      isDeclared(loginServer, repository) ||
      (await client.tagsOf(repository, sourceDigest, signal)).length > 0 ||
      (await client.isListed(repository, sourceDigest, signal));
    if (!isNeeded) await client.deleteManifest(repository, sourceDigest, signal);
  }
}
