/** Checks the arguments that all resources have: what is imported with an image, and what happens when something changed. */
import { isObject } from "../json";
import { InvalidReference } from "../reference/invalid-reference";
import { parseCooldown } from "./cooldown";
import { given, type Problems } from "./problems";
import {
  type Arguments,
  conflictPolicies,
  deletePolicies,
  sourceMovePolicies,
  sourceUnavailablePolicies,
} from "./state";
import { parseDuration } from "./timeouts";
import { UNKNOWN } from "./unknown";

export const POLICY_ARGUMENTS = [
  "referrers",
  "onConflict",
  "onDelete",
  "onSourceUnavailable",
  "onSourceMove",
  "cooldown",
  "verify",
  "lock",
  "triggers",
] as const satisfies readonly (keyof Arguments)[];

/** The name of an argument that all resources have. */
export type PolicyArgument = (typeof POLICY_ARGUMENTS)[number];

const REFERRERS_ARGUMENTS = ["artifactTypes", "tags"];
const LOCK_ARGUMENTS = ["write", "delete"];

/** Checks policies and timeouts. What `verify` contains is left to `check`, which verifies. */
export function checkPolicies(
  problems: Problems,
  args: { readonly [argument: string]: unknown },
  timeouts: unknown,
): void {
  checkReferrers(problems, args.referrers);
  problems.choice("onConflict", args.onConflict, conflictPolicies);
  problems.choice("onDelete", args.onDelete, deletePolicies);
  problems.choice("onSourceUnavailable", args.onSourceUnavailable, sourceUnavailablePolicies);
  problems.choice("onSourceMove", args.onSourceMove, sourceMovePolicies);
  checkCooldown(problems, args.cooldown);
  checkLock(problems, args.lock);
  checkTriggers(problems, args.triggers);
  checkTimeouts(problems, timeouts);
}

function checkReferrers(problems: Problems, referrers: unknown): void {
  if (!given(referrers) || referrers === UNKNOWN || typeof referrers === "boolean") return;
  if (!isObject(referrers)) {
    problems.add("referrers", "must be true, false, or an object with artifactTypes and tags");
    return;
  }
  problems.knownKeys("referrers.", referrers, REFERRERS_ARGUMENTS);
  const { artifactTypes, tags } = referrers;
  problems.names("referrers.artifactTypes", artifactTypes, parseArtifactType);
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
