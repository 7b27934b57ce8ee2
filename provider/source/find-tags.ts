/** Finds the tags of a source that a program selects, and their digests. */

import type { RepositorySource } from "../resource/repository-source";
import {
  type FoundTags,
  type RepositoryArguments,
  selectionOf,
  type UnresolvedTag,
} from "../resource/repository-state";
import type { DigestResolver } from "./resolve-digest";

/** Lists and resolves tags. */
export type TagReader = Pick<DigestResolver, "listTags" | "resolveTag">;

/** Lists the tags of a source unless the program names them, selects, and resolves those whose digest the list does not tell. */
export async function findTags(
  args: RepositoryArguments,
  source: RepositorySource,
  reader: TagReader,
): Promise<FoundTags> {
  const listed = args.tags ? undefined : await reader.listTags(source);
  if (listed && "failure" in listed) return { failure: listed.failure };
  const digests = new Map(listed?.tags.map(({ tag, digest }) => [tag, digest]));
  const selected = args.tags ?? selection().selectTags([...digests.keys()], selectionOf(args));
  const lines: string[] = [];
  const unresolved: UnresolvedTag[] = [];
  await Promise.all(
    selected.map(async (tag) => {
      const known = digests.get(tag);
      const { digest, failure } = known ? { digest: known } : await reader.resolveTag(source, tag);
      if (digest !== undefined) lines.push(`${tag} ${digest}`);
      // A tag that was removed after it was listed is not there to be selected.
      else if (failure && !(listed && failure.code === "SOURCE_NOT_FOUND")) unresolved.push({ tag, failure });
    }),
  );
  return { tags: lines.join("\n"), ...(unresolved.length > 0 && { unresolved }) };
}

/** Loaded at its first use, with the libraries for patterns and versions. */
function selection(): typeof import("../resource/selection") {
  return require("../resource/selection");
}
