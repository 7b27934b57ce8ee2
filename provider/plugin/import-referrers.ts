/** Imports what refers to an image: after the image itself, and before its tags, so that no tag is without its signatures. */
import { ImportError } from "../failure/failure";
import { targetFailure } from "../failure/target";
import type { Repository } from "../reference/repository";
import { parseTaggedTarget, parseUntaggedTarget } from "../reference/target";
import { parseReferrers, type Referrer } from "../resource/referrers";
import type { OwnedDigest } from "../resource/state";
import type { OperationContext } from "./context";
import { type ImageImport, importBatch, toBatches, verifyTargets } from "./import-targets";
import { planTargets, type ReferrerImport, recordedRepositories, repositoriesOf, type TargetPlan } from "./plan";

/** How many referrers of one image are imported at the same time: each is an operation of its own. */
const AT_ONCE = 4;

/**
 * Imports the image without a tag into the repositories whose tags are about to be set, unless they have it.
 *
 * @returns the names of the repositories that were imported
 */
export async function importWithoutTags(
  { add, move }: TargetPlan,
  image: ImageImport,
  context: OperationContext,
): Promise<readonly string[]> {
  const { registry, digest } = image;
  const targets = repositoriesOf([...add, ...move]).map(parseUntaggedTarget);
  const before = await registry.readDigests(targets, digest, context.signal);
  const missing = targets.filter(({ name }) => before === "unreadable" || before.get(name) === undefined);
  if (missing.length === 0) return [];
  await importBatch({ mode: "Force", targets: missing }, image, before, context);
  await verifyTargets(missing, image, context);
  return missing.map(({ name }) => name);
}

/** Imports referrers, a few at a time, and collects those that have arrived. The first failure ends it. */
export async function importReferrers(
  imports: readonly ReferrerImport[],
  image: ImageImport,
  owned: OwnedDigest | undefined,
  context: OperationContext,
  arrived: Referrer[],
): Promise<void> {
  const queue = [...imports];
  const errors: unknown[] = [];
  const work = async () => {
    for (let next = queue.shift(); next && errors.length === 0; next = queue.shift()) {
      try {
        await importReferrer(next, image, ownTag(next.referrer, owned), context);
        arrived.push(next.referrer);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (errors.length > 0) throw errors[0];
}

/**
 * Imports a referrer into the repositories that lack it.
 *
 * @param owned - What this resource put under the referrer's tag before
 */
export async function importReferrer(
  { referrer, repositories }: ReferrerImport,
  image: ImageImport,
  owned: OwnedDigest | undefined,
  context: OperationContext,
): Promise<void> {
  const { digest } = referrer;
  const { registry, desired } = image;
  const targets = repositories.map((repository) => toTarget(referrer, repository));
  const before = await registry.readDigests(targets, digest, context.signal);
  const overwrite = desired.inputs.onConflict === "overwrite";
  const plan = planTargets(targets, digest, owned, before, { overwrite, again: false });
  if (plan.conflicts.length > 0) {
    throw new ImportError(targetFailure.conflict(registry.loginServer, plan.conflicts, digest, false));
  }
  const batches = toBatches(plan);
  for (const batch of batches) await importBatch(batch, { ...image, digest }, before, context);
  if (batches.length > 0) await verifyTargets(targets, { ...image, digest }, context);
}

/** Where a referrer is in a repository of the target: under cosign's tag, or without one. */
export function toTarget({ tag }: Referrer, repository: Repository) {
  return tag === undefined ? parseUntaggedTarget(repository) : parseTaggedTarget(`${repository}:${tag}`);
}

/** What this resource put under cosign's tag before: a client that signs again moves it. */
function ownTag({ tag }: Referrer, owned: OwnedDigest | undefined): OwnedDigest | undefined {
  const recorded = parseReferrers(owned?.referrers).find((one) => tag !== undefined && one.tag === tag);
  if (recorded === undefined) return undefined;
  const names = recordedRepositories(owned).map((repository) => `${repository}:${tag}`);
  return {
    sourceDigest: recorded.digest,
    targets: Object.fromEntries(names.map((name) => [name, recorded.digest])),
  };
}
