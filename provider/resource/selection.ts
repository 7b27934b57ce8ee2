/** Selects tags of a repository by patterns and versions, in a documented order. */
import type { SemVer } from "semver";
import type { Failure } from "../failure/failure";
import { InvalidReference } from "../reference/invalid-reference";
import { compilePattern } from "../reference/pattern";
import { given, Problems } from "./problems";
import { UNKNOWN } from "./unknown";

/** Which tags of a repository count. Patterns are RE2 and match a whole tag. */
export interface Selection {
  /** Tags to take. */
  readonly match?: string;
  /** Tags to leave out. */
  readonly exclude?: string;
  /** Takes the version out of a tag: its group 1. Tags that it does not match are left out. */
  readonly extract?: string;
  /** A range as npm has it, in which a comma means "and": `>=1.29, <1.35`. */
  readonly semver?: string;
  /** Whether pre-releases count. */
  readonly prerelease?: boolean;
  /** Takes only so many, the highest versions. */
  readonly newest?: number;
}

/** What is wrong with the arguments of a selection, each beginning with its path. Unknown values pass. */
export function selectionProblems(args: Readonly<Record<string, unknown>>): Failure[] {
  const problems = new Problems();
  for (const name of ["match", "exclude"]) {
    if (given(args[name])) problems.parsed(name, args[name], parsePattern);
  }
  if (given(args.extract)) problems.parsed("extract", args.extract, parseExtract);
  if (given(args.semver)) problems.parsed("semver", args.semver, parseRange);
  checkPrerelease(problems, args);
  if (given(args.newest) && args.newest !== UNKNOWN && !isCount(args.newest)) {
    problems.add("newest", "must be a whole number of 1 or more");
  }
  return problems.found;
}

function checkPrerelease(problems: Problems, { prerelease, ...others }: Readonly<Record<string, unknown>>): void {
  if (!given(prerelease) || prerelease === UNKNOWN) return;
  if (typeof prerelease !== "boolean") problems.add("prerelease", "must be true or false");
  else if (!VERSIONED.some((name) => given(others[name]))) {
    problems.add("prerelease", "must not be set without semver, newest or extract: without them tags are no versions");
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** The arguments for which a tag must be a version. */
const VERSIONED = ["semver", "newest", "extract"] as const;

/**
 * The tags that a selection takes, each once. With `semver`, `newest` or `extract` only versions count, and the order is version
 * descending, then tag descending; otherwise it is that of the tags as text, ascending. The order of `tags` never counts. The
 * tags of signatures and of the referrers tag schema are left out.
 *
 * @param selection - Without problems; JSON can leave an argument out by `null`.
 */
export function selectTags(tags: readonly string[], selection: Selection): string[] {
  const { match, exclude, newest } = selection;
  const matches = given(match) ? compilePattern(match) : undefined;
  const excludes = given(exclude) ? compilePattern(exclude) : undefined;
  const taken = [...new Set(tags)].filter(
    (tag) => !isReferrersTag(tag) && matches?.matches(tag) !== false && excludes?.matches(tag) !== true,
  );
  if (!VERSIONED.some((name) => given(selection[name]))) return taken.sort(ascending);
  const versions = selectVersions(taken, selection);
  return versions.slice(0, newest ?? versions.length).map(({ tag }) => tag);
}

/** What cosign and clients without the referrers API keep about a digest: `sha256-<digest>`, `sha256-<digest>.sig`. */
function isReferrersTag(tag: string): boolean {
  return /^sha(256|512)-[0-9a-f]{64}/.test(tag);
}

function ascending(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A tag that is a version. Of four numbers the last one is not part of `version`, which has three. */
interface TaggedVersion {
  readonly tag: string;
  readonly version: SemVer;
  readonly fourth: number;
}

function selectVersions(tags: readonly string[], selection: Selection): TaggedVersion[] {
  const { compare, Range } = semver();
  const { prerelease } = selection;
  const range = given(selection.semver)
    ? new Range(normalizeRange(selection.semver), { includePrerelease: prerelease === true })
    : undefined;
  const versionIn = versionReader(selection.extract);
  return tags
    .flatMap((tag) => {
      const found = parseVersion(versionIn(tag));
      return found ? [{ tag, ...found }] : [];
    })
    .filter(({ version }) => prerelease === true || version.prerelease.length === 0)
    .filter(({ version }) => range?.test(version) !== false)
    .sort(
      (one, other) => compare(other.version, one.version) || other.fourth - one.fourth || ascending(other.tag, one.tag),
    );
}

function versionReader(extract: string | null | undefined): (tag: string) => string | undefined {
  if (!given(extract)) return (tag) => tag;
  const pattern = compilePattern(extract);
  return (tag) => {
    const matcher = pattern.matcher(tag);
    return matcher.matches() ? (matcher.group(1) ?? undefined) : undefined;
  };
}

/** Two to four numbers, a pre-release, and build metadata, before which Helm writes `_` instead of `+`. */
const VERSION = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(?:_[0-9A-Za-z.-]+)?$/;

/** Numbers that are missing are 0. A single number is no version: most are dates, and higher than every version. */
function parseVersion(text: string | undefined): Omit<TaggedVersion, "tag"> | undefined {
  const [, major, minor, patch = "0", fourth = "0", suffix = ""] = VERSION.exec(text ?? "") ?? [];
  if (major === undefined || !Number.isSafeInteger(Number(fourth))) return undefined;
  const numbers = [major, minor, patch].map(Number).join(".");
  // Loose: a pre-release may have leading zeros, too.
  const version = semver().parse(numbers + suffix, { loose: true });
  const normal = version && semver().parse(version.version);
  return normal ? { version: normal, fourth: Number(fourth) } : undefined;
}

function parsePattern(text: string): void {
  if (text === "") throw new InvalidReference("must not be empty");
  compilePattern(text);
}

function parseExtract(text: string): void {
  parsePattern(text);
  if (compilePattern(text).groupCount() > 0) return;
  throw new InvalidReference("must have a group, which is the version", "Write it in parentheses: stable-(.*)");
}

function parseRange(text: string): void {
  const isComplete = text.split("||").every((part) => part.split(",").every((one) => one.trim() !== ""));
  if (isComplete && semver().validRange(normalizeRange(text)) !== null) return;
  throw new InvalidReference(
    "must be a range of versions",
    "Write it as npm does: >=1.29 <1.35, ^1.29, 1.29.x, or several with ||. A comma means and",
  );
}

/** A range as npm reads it. Tags have leading zeros (22.04), npm does not allow them. */
function normalizeRange(text: string): string {
  return text.replaceAll(",", " ").replace(/(^|[\s<>=~^|v.])0+(?=\d)/g, "$1");
}

/** Loaded at its first use, which most programs do not have. */
function semver(): typeof import("semver") {
  return require("semver");
}
