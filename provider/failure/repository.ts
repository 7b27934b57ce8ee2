/** Failures of many tags at once: what was selected, and what could not be imported. */
import type { Failure } from "./failure";

/** Tags that failed for the same reason. */
export interface TagFailure {
  readonly tags: readonly string[];
  /** The message of the first one, where the reason is not that of a tag alone. */
  readonly message: string;
}

/** How an operation on many tags ended. */
export interface TagTotals {
  /** All that had to be imported. */
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

/** How many reasons are printed; tags beyond that are only named. */
const PRINTED_FAILURES = 10;
const NAMED_TAGS = 50;

export const repositoryFailure = {
  /** Some tags were imported and recorded, others were not. */
  incomplete: (
    target: string,
    { total, done, failed }: TagTotals,
    failures: readonly TagFailure[],
    timedOut: boolean,
  ): Failure => ({
    code: "IMPORT_INCOMPLETE",
    side: "target",
    object: target,
    reason: `has ${done} of ${count(total, "tag")} that had to be imported or removed; ${failed} failed${
      done + failed < total ? `, ${total - done - failed} were not tried${timedOut ? " before the timeout" : ""}` : ""
    }`,
    hints: [
      `Run the command again to continue: what was done is recorded${timedOut ? ". Or raise opts.customTimeouts" : ""}`,
    ],
    detail: printFailures(failures),
  }),
  selectionEmpty: (source: string, recorded: number): Failure => ({
    code: "SELECTION_EMPTY",
    side: "source",
    object: source,
    reason: `has no tag that is selected, while ${count(recorded, "tag")} of it ${recorded === 1 ? "is" : "are"} recorded, which onDelete would remove`,
    hints: [
      'Check the selection, set allowShrink: true to remove them, or onDelete: "retain" to leave them in the registry',
    ],
  }),
  selectionShrunk: (source: string, leaving: readonly string[], recorded: number): Failure => ({
    code: "SELECTION_SHRUNK",
    side: "source",
    object: source,
    reason: `lacks ${leaving.length} of the ${recorded} recorded tags, more than half, which onDelete would remove: ${nameTags(leaving)}`,
    hints: [
      'Check the selection, set allowShrink: true to remove them, or onDelete: "retain" to leave them in the registry',
    ],
  }),
  nothingSelected: (source: string): Failure => ({
    code: "SELECTION_EMPTY",
    side: "source",
    object: source,
    reason: "has no tag that is selected",
    hints: ["Check match, exclude, extract, semver and newest against the tags of the repository"],
  }),
  sameName: (tag: string, other: string, name: string): Failure => ({
    code: "INVALID_ARGUMENT",
    object: "stripPrefix",
    reason: `must not give two tags the same name: ${other} and ${tag} would both be ${name}`,
    hints: ["Leave one of them out with exclude, or leave stripPrefix out"],
  }),
  notATag: (tag: string, name: string): Failure => ({
    code: "INVALID_ARGUMENT",
    object: "stripPrefix, tagSuffix",
    reason: `must leave a valid tag: ${tag} would be ${JSON.stringify(name)}`,
    hints: [
      "Leave 1 to 128 letters, digits, periods, underscores and hyphens, of which the first is no period or hyphen",
    ],
  }),
  /** Stands for failures that are not printed; `like` is the first of them. */
  moreTags: ({ code, side }: Failure, more: number): Failure => ({
    code,
    ...(side && { side }),
    object: count(more, "more tag"),
    reason: `${more === 1 ? "has" : "have"} failed as well`,
    hints: ["Look at the tags above: most have a reason in common"],
  }),
} as const;

/** Reasons, each with its tags; a text of bounded length, however many tags there are. */
function printFailures(failures: readonly TagFailure[]): string {
  const printed = failures.slice(0, PRINTED_FAILURES).map(({ tags, message }) => `${nameTags(tags)}: ${message}`);
  const others = failures.slice(PRINTED_FAILURES).flatMap(({ tags }) => tags);
  return [...printed, ...(others.length > 0 ? [`also failed: ${nameTags(others)}`] : [])]
    .join("\n")
    .replaceAll("\n", "\n    ");
}

function nameTags(tags: readonly string[]): string {
  const named = tags.slice(0, NAMED_TAGS).join(", ");
  return tags.length > NAMED_TAGS ? `${named} and ${tags.length - NAMED_TAGS} more` : named;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
