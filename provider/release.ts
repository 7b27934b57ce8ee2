import { isClaimed } from "./claims";
import { failureOf, ImportError, targetFailure } from "./failure";
import type { Operation } from "./operation";
import { type DeletePolicy, isTag, type Outputs, repositoryOf, tagOf } from "./record";
import { Target } from "./target";

/**
 * Gives up targets as `onDelete` says. Only what is ours goes: a tag that still holds our digest, and our manifest once no
 * tag holds it. What a resource of this run wants is left alone.
 */
export async function release(
  targets: readonly string[],
  recorded: Outputs,
  policy: DeletePolicy,
  { azure, signal, progress }: Operation,
): Promise<void> {
  const { loginServer, sourceDigest } = recorded;
  const free = targets.filter((name) => !isClaimed(loginServer, name));
  if (policy === "retain" || free.length === 0) return;

  progress(`releasing ${free.join(", ")}`);
  const target = new Target(recorded, azure);
  const held = await target.holdings(free, sourceDigest, signal);
  if (held === "unreadable") {
    if (await isGone(recorded.registryId, azure)) return;
    throw new ImportError(targetFailure.unreleasable(loginServer, free));
  }
  for (const name of free.filter((one) => isTag(one) && held.get(one) === sourceDigest)) {
    await target.client.untag(repositoryOf(name), tagOf(name), signal);
  }
  if (policy !== "delete") return;
  for (const repository of new Set(free.map(repositoryOf))) {
    if (isClaimed(loginServer, repository)) continue;
    const others = await target.client.tagsOf(repository, sourceDigest, signal);
    if (others.length === 0) await target.client.deleteManifest(repository, sourceDigest, signal);
  }
}

/** Whether the registry itself is gone, and everything in it. */
export async function isGone(registryId: string, azure: Operation["azure"]): Promise<boolean> {
  try {
    await azure.findRegistry(registryId, "target");
    return false;
  } catch (error) {
    if (failureOf(error)?.code === "REGISTRY_NOT_FOUND") return true;
    throw error;
  }
}
