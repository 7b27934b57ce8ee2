/** Validates and parses a resource's arguments, in the same way in the program and in the plugin process. */
import type { Failure } from "../failure/failure";
import { parsePlatform } from "../reference/platform";
import { parseRegistryName, type RegistryName } from "../reference/registry-name";
import { parseTaggedTarget, parseUntaggedTarget } from "../reference/target";
import { cooldownOf } from "./cooldown";
import { checkPolicies, POLICY_ARGUMENTS } from "./policy-arguments";
import { given, Problems } from "./problems";
import { referrersPolicy } from "./referrers";
import { parseSource, type Source } from "./source";
import { checkRegistry, checkSource } from "./source-arguments";
import type { Arguments } from "./state";
import { hasUnknown, UNKNOWN } from "./unknown";

/** Valid arguments, parsed; what is unknown in this preview is `undefined`. */
export interface ParsedArguments {
  readonly args: Arguments;
  readonly registry: RegistryName | undefined;
  readonly source: Source | undefined;
}

/**
 * Parses arguments, or returns every problem with them, each beginning with the path of its argument. What `verify` contains is
 * left to `check`, which verifies. The program
 * resolves nothing for arguments with problems; `check` reports them all at once. Unknown values pass.
 */
export function parseArguments(
  args: { readonly [argument: string]: unknown },
  timeouts?: unknown,
): { readonly problems: readonly Failure[] } | ParsedArguments {
  const problems = new Problems();
  problems.knownKeys("", args, ARGUMENTS);
  checkRegistry(problems, "registry", args.registry);
  checkSource(problems, "source", args.source);
  problems.names("targetTags", args.targetTags, parseTaggedTarget);
  problems.names("untaggedTargetRepositories", args.untaggedTargetRepositories, parseUntaggedTarget);
  if (given(args.platform)) problems.parsed("platform", args.platform, parsePlatform);
  checkPolicies(problems, args, timeouts);
  if (problems.found.length > 0) return { problems: problems.found };

  const valid = args as unknown as Arguments;
  const source = hasUnknown(valid.source) ? undefined : parseSource(valid.source);
  if (source && !hasUnknown(args)) checkTogether(problems, valid, source);
  if (problems.found.length > 0) return { problems: problems.found };
  return { args: valid, source, registry: valid.registry === UNKNOWN ? undefined : parseRegistryName(valid.registry) };
}

const ARGUMENTS = ["registry", "source", "targetTags", "untaggedTargetRepositories", "platform", ...POLICY_ARGUMENTS];

/** What only several arguments together can get wrong. */
function checkTogether(problems: Problems, args: Arguments, { tag, digest, digestFrom }: Source): void {
  const tags = args.targetTags ?? undefined;
  const untagged = args.untaggedTargetRepositories ?? undefined;
  if (tags === undefined && untagged === undefined) {
    if (tag === undefined) {
      problems.add("source", "has a digest but no tag; set targetTags or untaggedTargetRepositories");
    }
  } else if ((tags ?? []).length + (untagged ?? []).length === 0) {
    problems.add(tags ? "targetTags" : "untaggedTargetRepositories", "must contain at least one target");
  } else if (digestFrom === "target" && digest === undefined && (tags ?? []).length === 0) {
    problems.add("source.digestFrom", 'must not be "target" without targetTags: the digest is read from one of them');
  }
  if (digestFrom === "target") {
    for (const [argument, isSet] of Object.entries(readingTheSource(args))) {
      if (isSet)
        problems.add(argument, 'must not be set with source.digestFrom "target", which does not read the source');
    }
  }
}

/** The arguments that need what the source says, and whether they are set. */
function readingTheSource(args: Arguments) {
  const { platform, onSourceMove, verify } = args;
  return {
    platform: given(platform),
    referrers: referrersPolicy(args.referrers) !== undefined,
    onSourceMove: given(onSourceMove) && onSourceMove !== "import",
    cooldown: cooldownOf(args) > 0,
    verify: given(verify),
  };
}
