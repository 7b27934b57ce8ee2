/** Finds the selected tags of a repository, and their digests, while the program runs. */
import { parseRepositoryArguments } from "../resource/repository-arguments";
import { type RepositoryLookup, SELECTION_ARGUMENTS, selectionKey } from "../resource/repository-state";
import { findTags } from "../source/find-tags";
import type { DigestResolver } from "../source/resolve-digest";
import type { LookUp } from "./program-context";

/** Lists, selects and resolves tags. */
export const tagsLookUp: LookUp = { needs: ["source", "tags", ...SELECTION_ARGUMENTS], run: lookUpTags };

async function lookUpTags(
  args: { readonly [argument: string]: unknown },
  resolver: DigestResolver,
): Promise<RepositoryLookup | undefined> {
  const parsed = parseRepositoryArguments(args);
  if ("problems" in parsed || parsed.source === undefined) return undefined;
  const source = selectionKey(parsed.args);
  const withCredentials = parsed.source.credentials !== undefined;
  return { source, withCredentials, ...(await findTags(parsed.args, parsed.source, resolver)) };
}
