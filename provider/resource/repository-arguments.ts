/** Validates and parses the arguments of an `ImportedRepository`, in the same way in the program and in the plugin process. */
import type { Failure } from "../failure/failure";
import { InvalidReference } from "../reference/invalid-reference";
import { parseRegistryName, type RegistryName } from "../reference/registry-name";
import { parseTag } from "../reference/tag";
import { parseUntaggedTarget } from "../reference/target";
import { checkPolicies, POLICY_ARGUMENTS } from "./policy-arguments";
import { given, Problems } from "./problems";
import { parseRepositorySource, type RepositorySource } from "./repository-source";
import { type RepositoryArguments, SELECTION_ARGUMENTS } from "./repository-state";
import { checkRegistry, checkRepositorySource } from "./source-arguments";
import { hasUnknown, UNKNOWN } from "./unknown";

/** Valid arguments, parsed; what is unknown in this preview is `undefined`. */
export interface ParsedRepository {
  readonly args: RepositoryArguments;
  readonly registry: RegistryName | undefined;
  readonly source: RepositorySource | undefined;
}

/** Parses arguments, or returns every problem with them, each beginning with the path of its argument. Unknown values pass. */
export function parseRepositoryArguments(
  args: { readonly [argument: string]: unknown },
  timeouts?: unknown,
): { readonly problems: readonly Failure[] } | ParsedRepository {
  const problems = new Problems();
  problems.knownKeys("", args, ARGUMENTS);
  checkRegistry(problems, "registry", args.registry);
  checkRepositorySource(problems, "source", args.source);
  problems.names("tags", args.tags, parseTag);
  checkSelection(problems, args);
  if (given(args.targetRepository)) problems.parsed("targetRepository", args.targetRepository, parseUntaggedTarget);
  if (given(args.stripPrefix)) problems.parsed("stripPrefix", args.stripPrefix, parseAffix);
  if (given(args.tagSuffix)) problems.parsed("tagSuffix", args.tagSuffix, parseAffix);
  problems.flag("allowShrink", args.allowShrink);
  checkPolicies(problems, args, timeouts);
  if (problems.found.length > 0) return { problems: problems.found };

  const valid = args as unknown as RepositoryArguments;
  return {
    args: valid,
    source: hasUnknown(valid.source) ? undefined : parseRepositorySource(valid.source),
    registry: valid.registry === UNKNOWN ? undefined : parseRegistryName(valid.registry),
  };
}

const ARGUMENTS = [
  "registry",
  "source",
  "tags",
  ...SELECTION_ARGUMENTS,
  "targetRepository",
  "stripPrefix",
  "tagSuffix",
  "allowShrink",
  ...POLICY_ARGUMENTS,
];

/** Without a selection, all tags would be imported, which nobody means by leaving it out. */
function checkSelection(problems: Problems, args: { readonly [argument: string]: unknown }): void {
  const set = SELECTION_ARGUMENTS.filter((name) => given(args[name]));
  if (!given(args.tags) && set.length === 0) {
    problems.add(
      "tags",
      "is required, or a selection: match, semver, newest or extract",
      'Set match: ".*" to import all tags',
    );
  } else if (given(args.tags) && set.length > 0) {
    problems.add("tags", `must not be set together with ${set.join(", ")}`);
  } else if (set.length > 0) problems.found.push(...selection().selectionProblems(args));
}

function parseAffix(text: string): void {
  if (/^[\w.-]{1,127}$/.test(text)) return;
  throw new InvalidReference("must consist of letters, digits, periods, underscores and hyphens, as a tag does");
}

/** Loaded at its first use, with the libraries for patterns and versions. */
function selection(): typeof import("./selection") {
  return require("./selection");
}
