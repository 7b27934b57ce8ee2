/** Lists the tags of a repository for a program. */
import { ImportError } from "../failure/failure";
import { parseImageTagsArguments } from "../resource/function-arguments";
import { selectTags } from "../resource/selection";
import type { DataFunction } from "./data-function";

/** The function `getImageTags`. */
export const imageTags: DataFunction<
  Exclude<ReturnType<typeof parseImageTagsArguments>, { problems: unknown }>,
  { readonly tags: string[]; readonly repository: string }
> = {
  name: "getImageTags",
  parse: parseImageTagsArguments,
  async evaluate({ source, selection }, resolver) {
    const [listed, host] = await Promise.all([resolver.listTags(source), resolver.host(source)]);
    if ("failure" in listed) throw new ImportError(listed.failure);
    const names = listed.tags.map(({ tag }) => tag);
    return { tags: selectTags(names, selection), repository: `${host}/${source.repository}` };
  },
};
