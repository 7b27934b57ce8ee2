/** Makes the target repository hold the selected tags: each image as that of an `ImportedImage`, several at a time. */
import { failureOf, ImportError } from "../../failure/failure";
import { parseTarget } from "../../reference/target";
import { toDesiredImage } from "../../resource/desired-image";
import type { RepositoryInputs, RepositoryOutputs } from "../../resource/repository-state";
import { type Outputs, targetNames } from "../../resource/state";
import { applyChanges } from "../apply";
import { type OperationContext, PartialFailure } from "../context";
import { removeTargets } from "../remove-targets";
import { TargetRegistry } from "../target-registry";
import { AppliedState } from "./applied-state";
import { type ImageChange, planRepository, splitImage } from "./plan";
import { inPool } from "./pool";
import { TagTally } from "./tag-tally";

/**
 * Applies a create or an update. What fails does not keep the rest from being imported; at the end it is one error, with the state
 * of all that was done.
 *
 * @param recorded - The state that an update starts from.
 * @param previous - In a create: the state of the resource that it replaces.
 */
export async function applyRepository(
  desired: RepositoryInputs,
  recorded: RepositoryOutputs | undefined,
  previous: RepositoryOutputs | undefined,
  { progress, ...rest }: OperationContext,
): Promise<RepositoryOutputs> {
  const { loginServer, onDelete = "retain" } = desired;
  const context = { ...rest, progress: () => {}, registry: new TargetRegistry(loginServer, rest.azure) };
  const { changed, unchanged, leaving } = planRepository(desired, recorded, previous);
  const state = new AppliedState(desired, recorded);
  for (const image of unchanged) state.keep(image);

  const tally = new TagTally(
    [...changed.map(({ inputs }) => inputs), ...leaving].flatMap(targetNames).length,
    progress,
  );
  const isOver = () => context.signal.aborted || tally.isHopeless;
  const importImage = async (image: ImageChange): Promise<void> => {
    try {
      state.imported(
        image,
        await applyChanges(toDesiredImage(image.inputs), recorded && image.recorded, image.recorded, context),
      );
      tally.succeeded(image.tags);
    } catch (error) {
      if (error instanceof PartialFailure) state.importedInPart(image, error.outputs);
      const reason = error instanceof PartialFailure ? error.reason : error;
      const isConflict = failureOf(reason)?.code === "TARGET_CONFLICT";
      if (isConflict && image.tags.length > 1) for (const one of splitImage(image)) await importImage(one);
      else tally.failed(image.tags, reason);
    }
  };
  await inPool(changed, importImage, isOver);
  await inPool(
    leaving,
    async (image) => {
      const tags = tagNames(image);
      try {
        await removeTargets(targetNames(image).map(parseTarget), image, onDelete, context);
        state.removed(tags);
        tally.succeeded(tags);
      } catch (error) {
        tally.failed(tags, error);
      }
    },
    isOver,
  );
  const outputs = state.toOutputs();
  const failure = tally.toFailure(`${loginServer}/${desired.targetRepository}`, context.signal.aborted);
  if (failure === undefined) return outputs;
  const error = new ImportError(failure);
  // Nothing to record: the next tally creates the resource.
  if (recorded === undefined && state.isEmpty) throw error;
  throw new PartialFailure(outputs, error);
}

function tagNames(image: Outputs): readonly string[] {
  return targetNames(image).map((name) => name.slice(name.lastIndexOf(":") + 1));
}
