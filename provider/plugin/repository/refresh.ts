/** Reads what the tags of an `ImportedRepository` hold, for `pulumi refresh`. */
import { isDeepStrictEqual } from "node:util";
import type { ReadResult } from "@pulumi/pulumi/dynamic";
import type { Azure } from "../../azure/azure";
import { unlockedIn } from "../../resource/lock";
import {
  type RepositoryOutputs,
  repositoryInputsOf,
  toRepositoryOutputs,
  toTagRecord,
} from "../../resource/repository-state";
import type { Outputs } from "../../resource/state";
import { parseTagRecords } from "../../resource/tag-records";
import { refreshTargets } from "../refresh";
import { TargetRegistry } from "../target-registry";
import { imagesOf } from "./plan";
import { inPool } from "./pool";

/**
 * Reads the tags that are in the state, each image as that of an `ImportedImage`. A tag that is gone leaves `tags`, one that moved
 * shows the other digest; `imported` then says what this resource put there.
 */
export async function refreshRepository(
  id: string,
  recorded: RepositoryOutputs,
  azure: Azure,
  signal: AbortSignal,
): Promise<ReadResult> {
  const records = parseTagRecords(recorded);
  const registry = new TargetRegistry(recorded.loginServer, azure);
  const unlocked = new Set<string>();
  const errors: unknown[] = [];
  let isGone = false;
  const isOver = () => isGone || errors.length > 0;
  await inPool(
    imagesOf(recorded, records),
    async ({ tags, image }) => {
      try {
        const { props } = await refreshTargets(id, image, azure, signal, registry);
        if (props === undefined) isGone = true;
        else {
          const found = props as Outputs;
          const record = toTagRecord(found);
          for (const tag of tags) {
            const { candidate, isPending } = records.get(tag) ?? {};
            const held = found.targets[`${recorded.targetRepository}:${tag}`];
            const more = { ...(candidate !== undefined && { candidate }), ...(isPending && { isPending }) };
            records.set(tag, { ...record, held, ...more });
          }
          for (const name of unlockedIn(found.lock)) unlocked.add(name);
        }
      } catch (error) {
        errors.push(error);
      }
    },
    isOver,
  );
  if (errors.length > 0) throw errors[0];
  if (isGone) return {};
  const found = toRepositoryOutputs(recorded, records, [...unlocked], recorded.verifiedBy);
  return isDeepStrictEqual(found, recorded)
    ? { id, props: recorded }
    : { id, props: found, inputs: repositoryInputsOf(found) };
}
