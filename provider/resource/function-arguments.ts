/** Validates and parses the arguments of functions that read a source registry. */
import type { Failure } from "../failure/failure";
import { type Platform, parsePlatform } from "../reference/platform";
import { given, Problems } from "./problems";
import { parseRepositorySource, type RepositorySource, type RepositorySourceArguments } from "./repository-source";
import { type Selection, selectionProblems } from "./selection";
import { parseSource, type Source } from "./source";
import { checkImageSource, checkRepositorySource } from "./source-arguments";
import type { Arguments } from "./state";

type GivenArguments = Readonly<Record<string, unknown>>;
/** All problems, each beginning with the path of its argument. */
interface Rejected {
  readonly problems: readonly Failure[];
}

const SELECTION_ARGUMENTS = ["match", "exclude", "extract", "semver", "prerelease", "newest"];

/** Parses the arguments of `getImageDigest`. */
export function parseImageDigestArguments(
  args: GivenArguments,
): Rejected | { readonly source: Source; readonly platform?: Platform } {
  const problems = new Problems();
  problems.knownKeys("", args, ["source", "platform"]);
  checkImageSource(problems, "source", args.source);
  if (given(args.platform)) problems.parsed("platform", args.platform, parsePlatform);
  if (problems.found.length > 0) return { problems: problems.found };
  const source = parseSource(args.source as Arguments["source"]);
  return given(args.platform) ? { source, platform: parsePlatform(args.platform as string) } : { source };
}

/** Parses the arguments of `getImageTags`. */
export function parseImageTagsArguments(
  args: GivenArguments,
): Rejected | { readonly source: RepositorySource; readonly selection: Selection } {
  const problems = new Problems();
  problems.knownKeys("", args, ["source", ...SELECTION_ARGUMENTS]);
  checkRepositorySource(problems, "source", args.source);
  problems.found.push(...selectionProblems(args));
  if (problems.found.length > 0) return { problems: problems.found };
  const { source, ...selection } = args;
  return { source: parseRepositorySource(source as RepositorySourceArguments), selection };
}
