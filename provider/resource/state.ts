import type { Failure } from "../failure/failure";
import type { Digest } from "../reference/digest";

/**
 * What stands in the state of an `ImportedImage`: the shapes that travel between program, engine and plugin process.
 * They are plain JSON, and an interface with every state file that exists: keys are added, never renamed.
 */

/** The user's arguments as `check` sees them. In a preview any of them may be the unknown marker. */
export interface Arguments {
  readonly registry: string;
  readonly source: string | SourceArguments;
  readonly targetTags?: readonly string[];
  readonly untaggedTargetRepositories?: readonly string[];
  readonly onConflict?: ConflictPolicy;
  readonly onDelete?: DeletePolicy;
  readonly onSourceUnavailable?: SourceUnavailablePolicy;
  readonly triggers?: readonly unknown[];
}

/** The long form of `source`. */
export interface SourceArguments {
  readonly image: string;
  readonly registry?: string;
  readonly credentials?: { readonly username?: string; readonly password: string };
  readonly digestFrom?: DigestOrigin;
}

export const conflictPolicies = ["fail", "overwrite"] as const;
export const deletePolicies = ["retain", "untag", "delete"] as const;
export const sourceUnavailablePolicies = ["fail", "keep"] as const;
export const digestOrigins = ["source", "target"] as const;

/** What to do when a target tag holds a digest that this resource did not put there. */
export type ConflictPolicy = (typeof conflictPolicies)[number];
/** What destroy, replacement and dropped tags do to what was imported. */
export type DeletePolicy = (typeof deletePolicies)[number];
/** What to do when the source does not answer and a digest is recorded. */
export type SourceUnavailablePolicy = (typeof sourceUnavailablePolicies)[number];
/** Where the digest that keys the import is read. */
export type DigestOrigin = (typeof digestOrigins)[number];

/** `opts.customTimeouts`, recorded because `delete` sees nothing else. Texts such as `30m`. */
export interface Timeouts {
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
}

/** What the look-up of a source found; neither when only the target will tell the digest. `check` reports a failure. */
export interface DigestResult {
  readonly digest?: Digest;
  readonly failure?: Failure;
}

/** A finding with the source that it belongs to, as {@link sourceKey} writes it. */
export interface Lookup extends DigestResult {
  readonly source: string;
}

/** What the program tells `check` beyond the arguments; taken out there, so that it never reaches the state. */
export interface ProgramContext {
  readonly urn?: string;
  readonly preview?: boolean;
  readonly timeouts?: Timeouts;
  readonly lookup?: Lookup;
}

/** Which digest each target holds: `repo:tag` or, for a manifest without tag, `repo`. */
export type Targets = Readonly<Record<string, Digest>>;

/** What `check` makes of the arguments: everything that can be known before anything is done. */
export interface Inputs extends Arguments {
  readonly timeouts?: Timeouts;
  /** ARM ID of the target registry. */
  readonly registryId: string;
  readonly loginServer: string;
  /** The key of the import. Absent while it has yet to be read from the target (`digestFrom: "target"`). */
  readonly sourceDigest?: Digest;
  /** What the targets should hold. */
  readonly targets?: Targets;
  /** Digest-pinned reference of the first target. */
  readonly reference?: string;
  /** Digest-pinned references, one per target repository. */
  readonly references?: readonly string[];
}

/** What create and update record. `targets` is what the targets do hold; `sourceDigest` is what we put there. */
export interface Outputs extends Inputs {
  readonly sourceDigest: Digest;
  readonly targets: Targets;
  /** Absent where the target cannot be read. */
  readonly mediaType?: string;
  readonly platforms?: readonly string[];
  /** The evidence of success: the target was read back, or only the operation's own word could be had. */
  readonly verifiedBy: "digest" | "operation";
}

/**
 * All names an image gets in the target registry, the first one first: `repo:tag`, and `repo` without a tag. A list that
 * is not known yet counts as one name that is not.
 */
export function targetNames(of: Pick<Arguments, "targetTags" | "untaggedTargetRepositories">): readonly string[] {
  return [of.targetTags ?? [], of.untaggedTargetRepositories ?? []].flat();
}

/** Whether the name is a tag that could be moved or removed, as opposed to a repository that got a manifest. */
export function isTag(target: string): boolean {
  return target.includes(":");
}

/** `repo:tag` → `repo` */
export function repositoryOf(target: string): string {
  return target.split(":", 1)[0] ?? target;
}

/** `repo:tag` → `tag` */
export function tagOf(target: string): string {
  return target.slice(target.indexOf(":") + 1);
}

/** The image that a source names, whichever way it was written. In JSON `null` is a way to leave something out. */
export function sourceOf({ source }: Pick<Arguments, "source">): SourceArguments {
  return typeof source === "string" ? { image: source } : withoutNulls(source);
}

function withoutNulls<T extends object>(value: T): T {
  const entries = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    entries.map(([key, member]) => [key, typeof member === "object" ? withoutNulls(member) : member]),
  ) as T;
}

/**
 * Builds what is recorded. Plain JSON without holes, because the SDK fails on `undefined` after the import was done; and
 * without credentials, because delete and read never need them.
 */
export function outputsOf(
  inputs: Inputs,
  found: Pick<Outputs, "sourceDigest" | "targets" | "verifiedBy"> & {
    mediaType?: string | undefined;
    platforms?: readonly string[] | undefined;
  },
): Outputs {
  const { sourceDigest, targets, mediaType, platforms, verifiedBy } = found;
  const pinned = pinnedReferences(inputs.loginServer, targetNames(inputs), sourceDigest);
  const source = withoutCredentials(inputs.source);
  const outputs = { ...inputs, source, sourceDigest, targets, ...pinned, mediaType, platforms, verifiedBy };
  return Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined)) as unknown as Outputs;
}

/** The digest-pinned references of the targets, one for each repository, the first target's first. */
export function pinnedReferences(
  loginServer: string,
  targets: readonly string[],
  digest: string,
): { reference: string; references: string[] } {
  const repositories = [...new Set(targets.map(repositoryOf))];
  const references = repositories.map((repository) => `${loginServer}/${repository}@${digest}`);
  return { reference: references[0] ?? "", references };
}

/** The inputs that go with outputs, for a refresh that found something else than the record says. */
export function inputsOf({ mediaType, platforms, verifiedBy, ...inputs }: Outputs): Inputs {
  return inputs;
}

/** Whether both name the same image in the same registry in the same way; credentials do not count. */
export function sameSource(one: Partial<Arguments>, other: Partial<Arguments>): boolean {
  return one.source !== undefined && other.source !== undefined && sourceKey(one) === sourceKey(other);
}

/** A source in one text, without its credentials. */
export function sourceKey({ source = "" }: Partial<Arguments>): string {
  const { image, registry = "", digestFrom = "source" } = sourceOf({ source });
  return [image, registry, digestFrom].join(" ");
}

function withoutCredentials(source: Arguments["source"]): Arguments["source"] {
  if (typeof source === "string") return source;
  const { credentials, ...rest } = source;
  return rest;
}
