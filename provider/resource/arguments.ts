/** Validates and parses a resource's arguments, in the same way in the program and in the plugin process. */
import type { Failure } from "../failure/failure";
import { isObject } from "../json";
import { InvalidReference } from "../reference/invalid-reference";
import { parsePlatform } from "../reference/platform";
import { parseRegistryName, type RegistryName } from "../reference/registry-name";
import { parseTaggedTarget, parseUntaggedTarget } from "../reference/target";
import { cooldownOf, parseCooldown } from "./cooldown";
import { given, Problems } from "./problems";
import { referrersPolicy } from "./referrers";
import { parseSource, type Source } from "./source";
import { checkRegistry, checkSource } from "./source-arguments";
import {
  type Arguments,
  conflictPolicies,
  deletePolicies,
  sourceMovePolicies,
  sourceUnavailablePolicies,
} from "./state";
import { parseDuration } from "./timeouts";
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
  checkNames(problems, "targetTags", args.targetTags, parseTaggedTarget);
  checkNames(problems, "untaggedTargetRepositories", args.untaggedTargetRepositories, parseUntaggedTarget);
  if (given(args.platform)) problems.parsed("platform", args.platform, parsePlatform);
  checkReferrers(problems, args.referrers);
  problems.choice("onConflict", args.onConflict, conflictPolicies);
  problems.choice("onDelete", args.onDelete, deletePolicies);
  problems.choice("onSourceUnavailable", args.onSourceUnavailable, sourceUnavailablePolicies);
  problems.choice("onSourceMove", args.onSourceMove, sourceMovePolicies);
  checkCooldown(problems, args.cooldown);
  checkLock(problems, args.lock);
  checkTriggers(problems, args.triggers);
  checkTimeouts(problems, timeouts);
  if (problems.found.length > 0) return { problems: problems.found };

  const valid = args as unknown as Arguments;
  const source = hasUnknown(valid.source) ? undefined : parseSource(valid.source);
  if (source && !hasUnknown(args)) checkTogether(problems, valid, source);
  if (problems.found.length > 0) return { problems: problems.found };
  return { args: valid, source, registry: valid.registry === UNKNOWN ? undefined : parseRegistryName(valid.registry) };
}

const ARGUMENTS = [
  "registry",
  "source",
  "targetTags",
  "untaggedTargetRepositories",
  "platform",
  "referrers",
  "onConflict",
  "onDelete",
  "onSourceUnavailable",
  "onSourceMove",
  "cooldown",
  "verify",
  "lock",
  "triggers",
];
const REFERRERS_ARGUMENTS = ["artifactTypes", "tags"];
const LOCK_ARGUMENTS = ["write", "delete"];

function checkNames(problems: Problems, path: string, value: unknown, parse: (text: string) => unknown): void {
  if (!given(value) || value === UNKNOWN) return;
  if (!Array.isArray(value)) {
    problems.add(path, "must be a list of strings");
    return;
  }
  value.forEach((name, index) => {
    problems.parsed(`${path}[${index}]`, name, parse);
    if (name !== UNKNOWN && value.indexOf(name) < index) problems.add(`${path}[${index}]`, "must not be listed twice");
  });
}

function checkReferrers(problems: Problems, referrers: unknown): void {
  if (!given(referrers) || referrers === UNKNOWN || typeof referrers === "boolean") return;
  if (!isObject(referrers)) {
    problems.add("referrers", "must be true, false, or an object with artifactTypes and tags");
    return;
  }
  problems.knownKeys("referrers.", referrers, REFERRERS_ARGUMENTS);
  const { artifactTypes, tags } = referrers;
  checkNames(problems, "referrers.artifactTypes", artifactTypes, parseArtifactType);
  if (given(tags) && tags !== UNKNOWN && typeof tags !== "boolean") {
    problems.add("referrers.tags", "must be true or false");
  }
}

function parseArtifactType(text: string): void {
  if (/^[^\s*]+\*?$|^\*$/.test(text)) return;
  throw new InvalidReference("must be a media type, or its beginning followed by *");
}

function checkCooldown(problems: Problems, value: unknown): void {
  if (!given(value) || value === UNKNOWN) return;
  if (typeof value === "string" && parseCooldown(value) !== undefined) return;
  problems.add("cooldown", 'must be a duration of an hour or more, such as "3d" or "12h", or "0"');
}

function checkLock(problems: Problems, lock: unknown): void {
  if (!given(lock) || lock === UNKNOWN || typeof lock === "boolean") return;
  if (!isObject(lock)) {
    problems.add("lock", "must be true, false, or an object with write and delete");
    return;
  }
  // `ignoreChanges` restores what the state holds.
  const { unlocked, ...parts } = lock;
  problems.knownKeys("lock.", parts, LOCK_ARGUMENTS);
  for (const part of LOCK_ARGUMENTS) {
    const value = parts[part];
    if (given(value) && value !== UNKNOWN && typeof value !== "boolean") {
      problems.add(`lock.${part}`, "must be true or false");
    }
  }
}

function checkTriggers(problems: Problems, triggers: unknown): void {
  if (!given(triggers) || triggers === UNKNOWN || Array.isArray(triggers)) return;
  problems.add("triggers", "must be a list");
}

function checkTimeouts(problems: Problems, timeouts: unknown): void {
  if (!isObject(timeouts)) return;
  for (const [operation, text] of Object.entries(timeouts)) {
    if (given(text) && (typeof text !== "string" || parseDuration(text) === undefined)) {
      problems.add(`opts.customTimeouts.${operation}`, 'must be a positive duration such as "30m" or "1h30m"');
    }
  }
}

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
