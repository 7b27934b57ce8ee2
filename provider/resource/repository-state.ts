/**
 * The shapes of an `ImportedRepository` that travel between program, engine and plugin process, and stand in users' states.
 *
 * They are plain JSON. Keys are added, never renamed. To the life cycle, tags with the same digest are one image: everything that
 * is decided or done about them is decided and done as for an `ImportedImage`.
 */
import type { Failure } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { type Lock, lockParts, toLock } from "./lock";
import { POLICY_ARGUMENTS, type PolicyArgument } from "./policy-arguments";
import type { RepositorySourceArguments } from "./repository-source";
import type { Selection } from "./selection";
import {
  type Arguments,
  type Inputs,
  type Outputs,
  type ProgramContext,
  type Timeouts,
  withoutCredentials,
} from "./state";
import { printTagRecords, type TagRecord, type TagRecords, type TagTexts } from "./tag-records";

/** The policies that an `ImportedRepository` shares with an `ImportedImage`. */
export type ImagePolicies = Pick<Arguments, PolicyArgument>;

/** The policies that are set. */
export function policiesOf<T extends { readonly [P in PolicyArgument]?: unknown }>(args: T): Pick<T, PolicyArgument> {
  const set = POLICY_ARGUMENTS.flatMap((name) => (args[name] === undefined ? [] : [[name, args[name]]]));
  return Object.fromEntries(set);
}

/** The user's arguments as `check` receives them. In a preview any of them may be unknown. */
export interface RepositoryArguments extends Selection, ImagePolicies {
  readonly registry: string;
  readonly source: RepositorySourceArguments;
  /** The tags themselves, in place of a selection. */
  readonly tags?: readonly string[];
  readonly targetRepository?: string;
  readonly stripPrefix?: string;
  readonly tagSuffix?: string;
  readonly allowShrink?: boolean;
}

/** What `check` makes of the arguments. */
export interface RepositoryInputs
  extends Omit<RepositoryArguments, "tags" | "referrers" | "targetRepository">,
    Omit<TagTexts, "imported" | "pending"> {
  readonly timeouts?: Timeouts;
  /** ARM resource ID of the target registry. */
  readonly registryId: string;
  readonly loginServer: string;
  readonly targetRepository: string;
  /** With `verify`: the key of the policy by which the signatures count. */
  readonly verified?: string;
}

/** What create and update record. */
export interface RepositoryOutputs extends RepositoryInputs, TagTexts {
  /** The evidence of success: all tags were read back, or for some there is only the success of the operation. */
  readonly verifiedBy: Outputs["verifiedBy"];
}

/** What the program found at the source. */
export interface RepositoryLookup extends FoundTags {
  /** Identifies source and selection, as {@link selectionKey} spells them. */
  readonly source: string;
  /** The look-up used `source.credentials`. */
  readonly withCredentials?: boolean;
}

/** The selected tags of a source, or why they could not be listed. */
export interface FoundTags {
  /** Lines `tag digest`, of the source. */
  readonly tags?: string;
  /** The selected tags whose digest could not be resolved. */
  readonly unresolved?: readonly UnresolvedTag[];
  readonly failure?: Failure;
}

/** A tag that was selected, and why its digest is not known. */
export interface UnresolvedTag {
  readonly tag: string;
  readonly failure: Failure;
}

/** What the program passes to `check` beside the arguments. */
export interface RepositoryContext extends Omit<ProgramContext, "lookup" | "keepsSource"> {
  /** Absent where `check` has to read the source. */
  readonly lookup?: RepositoryLookup;
}

export const SELECTION_ARGUMENTS = ["match", "exclude", "extract", "semver", "prerelease", "newest"] as const;

/** The selection among the arguments. */
export function selectionOf(args: RepositoryArguments): Selection {
  return Object.fromEntries(SELECTION_ARGUMENTS.flatMap((name) => (args[name] == null ? [] : [[name, args[name]]])));
}

/** The arguments that say which tags of which repository are imported; credentials do not count. */
export function selectionKey(args: Pick<RepositoryArguments, "source" | "tags"> & Selection): string {
  return JSON.stringify([
    sourceRepositoryKey(args),
    args.tags ?? null,
    ...SELECTION_ARGUMENTS.map((name) => args[name] ?? null),
  ]);
}

/** Identifies the source repository by its spelling. */
export function sourceRepositoryKey({ source }: Pick<RepositoryArguments, "source">): string {
  if (typeof source === "string") return source;
  return [source?.repository, source?.registry ?? ""].join(" ");
}

/** The name of a source's tag in the target, which may turn out to be no valid tag. */
export function toTargetTag(
  tag: string,
  { stripPrefix, tagSuffix }: Pick<RepositoryArguments, "stripPrefix" | "tagSuffix">,
): string {
  const stripped = stripPrefix && tag.startsWith(stripPrefix) ? tag.slice(stripPrefix.length) : tag;
  return `${stripped}${tagSuffix ?? ""}`;
}

/** Identifies a resource to what has to know it again between calls of the engine: as an image with these targets. */
export function repositoryTargets({
  loginServer,
  targetRepository,
}: Pick<RepositoryInputs, "loginServer" | "targetRepository">): Pick<Inputs, "loginServer" | "targetTags"> {
  return { loginServer, targetTags: [`${targetRepository}:*`] };
}

/** The inputs of an image for some tags that have a record in common. */
export function toImageInputs(inputs: RepositoryInputs, tags: readonly string[], record: TagRecord): Inputs {
  const { registry, registryId, loginServer, targetRepository, timeouts } = inputs;
  const { referrers, ...policies } = policiesOf(inputs);
  return {
    registry,
    registryId,
    loginServer,
    source: imageSource(inputs.source, record.digest),
    targetTags: tags.map((tag) => `${targetRepository}:${tag}`),
    ...policies,
    ...(timeouts && { timeouts }),
    sourceDigest: record.digest,
    ...(record.referrers !== undefined && { referrers: record.referrers }),
    ...(record.referrersFingerprint !== undefined && { referrersFingerprint: record.referrersFingerprint }),
    ...(inputs.verified !== undefined &&
      record.signature !== undefined && {
        verified: verifiedOf(inputs.verified, record.digest),
        signature: record.signature,
        ...(record.signedBy !== undefined && { signedBy: record.signedBy }),
      }),
  };
}

/** The state of an image for some tags that were imported with the same digest. */
export function toImageOutputs(
  recorded: RepositoryOutputs,
  tags: ReadonlyMap<string, Digest | undefined>,
  record: TagRecord,
): Outputs {
  const { targetRepository } = recorded;
  const names = [...tags.keys()];
  const targets = [...tags].flatMap(([tag, held]) =>
    held === undefined ? [] : [[`${targetRepository}:${tag}`, held]],
  );
  const inputs = toImageInputs(recorded, names, record);
  const lock = lockOf(recorded.lock, inputs.targetTags ?? []);
  return {
    ...inputs,
    ...(lock !== undefined && { lock }),
    sourceDigest: record.digest,
    targets: Object.fromEntries(targets),
    ...(record.isPending && { triggers: [PENDING] }),
    verifiedBy: recorded.verifiedBy,
  };
}

/** Stands for the triggers of before: any that the program has ask for an import. */
const PENDING = "pending";

/** The state of some tags of an image. */
export function ofTargets(image: Outputs, targetTags: readonly string[]): Outputs {
  const targets = Object.entries(image.targets).filter(([name]) => targetTags.includes(name));
  const lock = lockOf(image.lock, targetTags);
  return { ...image, targetTags, targets: Object.fromEntries(targets), ...(lock !== undefined && { lock }) };
}

/** The record of the tags of an image. A candidate is of the tag, not of the image, and is not among it. */
export function toTagRecord({
  sourceDigest,
  referrers,
  referrersFingerprint,
  signature,
  signedBy,
}: Outputs): Omit<TagRecord, "held"> {
  return {
    digest: sourceDigest,
    ...(referrers !== undefined && { referrers }),
    ...(referrersFingerprint !== undefined && { referrersFingerprint }),
    ...(signature !== undefined && signedBy !== undefined && { signature, signedBy }),
  };
}

/** How the record says that a policy holds for a digest, as an image does. */
export function verifiedOf(policy: string, digest: Digest): string {
  return `${policy} ${digest}`;
}

/** `source` of the image of a digest. */
export function imageSource(source: RepositorySourceArguments, tagOrDigest: string): Arguments["source"] {
  const separator = tagOrDigest.includes(":") ? "@" : ":";
  if (typeof source === "string") return `${source}${separator}${tagOrDigest}`;
  const { repository, ...rest } = source;
  return { image: `${repository}${separator}${tagOrDigest}`, ...rest };
}

/** Serialises what is recorded: without credentials, which delete and read never need. */
export function toRepositoryOutputs(
  inputs: RepositoryInputs,
  records: TagRecords,
  unlocked: readonly string[],
  verifiedBy: Outputs["verifiedBy"],
): RepositoryOutputs {
  const { tags, imported, candidates, referrers, referrersFingerprints, signatures, pending, lock, ...rest } =
    inputs as RepositoryOutputs;
  const recordedLock = toLock(lockParts(lock), unlocked);
  return {
    ...rest,
    source: withoutCredentials(inputs.source),
    ...(recordedLock !== undefined && { lock: recordedLock }),
    ...printTagRecords(records),
    verifiedBy,
  };
}

/** The inputs that go with outputs that a refresh has changed. */
export function repositoryInputsOf({ verifiedBy, ...inputs }: RepositoryOutputs): RepositoryInputs {
  return inputs;
}

/** The recorded lock, with those of the targets that lack a part of it. */
function lockOf(lock: Lock | undefined, names: readonly string[]): Lock | undefined {
  if (typeof lock !== "object" || lock === null || lock.unlocked === undefined) return lock;
  return toLock(
    lockParts(lock),
    lock.unlocked.filter((name) => names.includes(name)),
  );
}
