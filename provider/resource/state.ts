/**
 * The shapes that travel between program, engine and plugin process, and stand in every user's state file.
 *
 * They are plain JSON. Keys are added, never renamed.
 */
import type { Failure } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { parseTarget, type Target } from "../reference/target";
import type { Lock } from "./lock";
import type { ReferrersArguments } from "./referrers";

/** The user's arguments as `check` receives them. In a preview any of them may be {@link UNKNOWN}. */
export interface Arguments {
  readonly registry: string;
  readonly source: string | SourceArguments;
  readonly targetTags?: readonly string[];
  readonly untaggedTargetRepositories?: readonly string[];
  readonly platform?: string;
  readonly referrers?: boolean | ReferrersArguments;
  readonly onConflict?: ConflictPolicy;
  readonly onDelete?: DeletePolicy;
  readonly onSourceUnavailable?: SourceUnavailablePolicy;
  readonly onSourceMove?: SourceMovePolicy;
  readonly cooldown?: string;
  readonly verify?: VerifyArguments;
  readonly lock?: Lock;
  readonly triggers?: readonly unknown[];
}

/** The long form of `source`. */
export interface SourceArguments {
  readonly image: string;
  readonly registry?: string;
  readonly credentials?: { readonly username?: string; readonly password: string };
  readonly digestFrom?: DigestOrigin;
}

/** Whose signatures an image must carry; their shapes are those of the folder that verifies them. */
export interface VerifyArguments {
  readonly cosign?: unknown;
  readonly notation?: unknown;
}

export const conflictPolicies = ["fail", "overwrite"] as const;
export const deletePolicies = ["retain", "untag", "delete"] as const;
export const sourceUnavailablePolicies = ["fail", "keep"] as const;
export const sourceMovePolicies = ["import", "fail", "keep"] as const;
export const digestOrigins = ["source", "target"] as const;

/** What to do when a target tag holds a digest that this resource did not import. */
export type ConflictPolicy = (typeof conflictPolicies)[number];
/** What destroy, replacement and dropped tags do to the imported image. */
export type DeletePolicy = (typeof deletePolicies)[number];
/** What to do when the source does not respond and a digest is recorded. */
export type SourceUnavailablePolicy = (typeof sourceUnavailablePolicies)[number];
/** What to do when the source holds another digest than the recorded one. */
export type SourceMovePolicy = (typeof sourceMovePolicies)[number];
/** Where the digest that keys the import is read. */
export type DigestOrigin = (typeof digestOrigins)[number];

/** `opts.customTimeouts`, recorded because `delete` receives nothing else. Durations such as `30m`. */
export interface Timeouts {
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
}

/** The result of a look-up at the source. Empty when only the target can tell the digest. */
export interface DigestResult {
  readonly digest?: Digest;
  readonly failure?: Failure;
}

/** The result of looking for what refers to an image at the source: a fingerprint, which changes when anything comes or goes. */
export interface ReferrersResult {
  readonly fingerprint?: string;
  readonly failure?: Failure;
}

/** A {@link ReferrersResult} and what was looked for. */
export interface ReferrersLookup extends ReferrersResult {
  readonly digest: Digest;
  /** Whether cosign's tags were looked for as well. */
  readonly tags: boolean;
}

/** A {@link DigestResult} and the source that it belongs to, as `sourceKey` spells it. */
export interface Lookup extends DigestResult {
  readonly source: string;
  /** The look-up used `source.credentials`. */
  readonly withCredentials?: boolean;
  readonly referrers?: ReferrersLookup;
}

/** What the program passes to `check` beside the arguments. `check` removes it, so it never reaches the state. */
export interface ProgramContext {
  readonly urn?: string;
  readonly preview?: boolean;
  readonly timeouts?: Timeouts;
  /** `ignoreChanges` keeps the recorded source, and with it the recorded digest. */
  readonly keepsSource?: boolean;
  /** The program creates a role assignment first, which may take effect only some time later. */
  readonly needsRole?: boolean;
  /** Absent where `check` has to resolve the digest. */
  readonly lookup?: Lookup;
}

/** The digest that each target (`repo:tag`, or `repo` for a manifest without a tag) holds. */
export type Targets = Readonly<Record<string, Digest>>;

/** What `check` makes of the arguments: all that is known before anything is imported. */
export interface Inputs extends Omit<Arguments, "referrers"> {
  readonly timeouts?: Timeouts;
  /** ARM resource ID of the target registry. */
  readonly registryId: string;
  readonly loginServer: string;
  /** The digest to import. Absent while only the target can tell it (`digestFrom: "target"`). */
  readonly sourceDigest?: Digest;
  /** With `platform`: the digest of the index, or of the single image, that `sourceDigest` was found in. */
  readonly indexDigest?: Digest;
  /** With `cooldown`: the digest that waits, and since when. */
  readonly candidate?: string;
  /** With `referrers`: what refers to the image, one line each. Takes the place of the argument. */
  readonly referrers?: string;
  /** Identifies what refers to the image directly, and which types of it are imported. */
  readonly referrersFingerprint?: string;
  /** With `verify`: the key of the policy, and the digest that it holds for. */
  readonly verified?: string;
  /** With `verify`: the digest of the signature that counts, and who made it. */
  readonly signature?: string;
  readonly signedBy?: string;
  /** What the targets should hold. */
  readonly targets?: Targets;
  /** Digest-pinned reference of the first target. */
  readonly reference?: string;
}

/** What create and update record. `targets` is what the targets hold; `sourceDigest` is what this resource imported. */
export interface Outputs extends Inputs {
  readonly sourceDigest: Digest;
  readonly targets: Targets;
  /** Absent where the target cannot be read. */
  readonly mediaType?: string;
  readonly platforms?: readonly string[];
  /** The evidence of success: the target was read back, or Azure reported success and the target cannot be read. */
  readonly verifiedBy: "digest" | "operation";
}

/** What a resource imported, by which its tags are recognised, and how it locked them. */
export type OwnedDigest = Pick<Outputs, "sourceDigest" | "targets" | "lock" | "referrers">;

/** The names of all targets, the first one first. A list that is unknown counts as one unknown name. */
export function targetNames(of: Pick<Arguments, "targetTags" | "untaggedTargetRepositories">): readonly string[] {
  return [of.targetTags ?? [], of.untaggedTargetRepositories ?? []].flat();
}

/** The registry and the names of targets. */
export type TargetNames = Pick<Inputs, "loginServer" | "targetTags" | "untaggedTargetRepositories">;

/**
 * Identifies a resource by its targets. `create` and `update` receive the inputs that `check` has returned and nothing else that
 * tells the two that they are about the same resource.
 */
export function targetsKey(inputs: TargetNames): string {
  return JSON.stringify([inputs.loginServer, targetNames(inputs)]);
}

/** Every target in the state: those in the arguments, and those that an earlier update could not remove. */
export function recordedTargets(recorded: Outputs): readonly Target[] {
  return [...new Set([...targetNames(recorded), ...Object.keys(recorded.targets)])].map(parseTarget);
}

/**
 * Serialises what is recorded: JSON without `undefined`, on which the SDK fails after the import is done, and without
 * credentials, which delete and read never need.
 */
export function toOutputs(
  inputs: Inputs,
  found: Pick<Outputs, "sourceDigest" | "targets" | "verifiedBy"> & {
    mediaType?: string | undefined;
    platforms?: readonly string[] | undefined;
  },
): Outputs {
  const { sourceDigest, targets, mediaType, platforms, verifiedBy } = found;
  const reference = pinnedReference(inputs.loginServer, targetNames(inputs), sourceDigest);
  const source = withoutCredentials(inputs.source);
  const outputs = { ...inputs, source, sourceDigest, targets, reference, mediaType, platforms, verifiedBy };
  return Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined)) as unknown as Outputs;
}

/** Outputs with another record of the lock; `undefined` leaves none. */
export function withLock({ lock: before, ...outputs }: Outputs, lock: Lock | undefined): Outputs {
  return lock === undefined ? outputs : { ...outputs, lock };
}

/** The inputs that go with outputs that a refresh has changed. */
export function inputsOf({ mediaType, platforms, verifiedBy, ...inputs }: Outputs): Inputs {
  return inputs;
}

/** The digest-pinned reference of the first target. */
export function pinnedReference(loginServer: string, names: readonly string[], digest: string): string {
  const [name] = names;
  return name === undefined ? "" : `${loginServer}/${parseTarget(name).repository}@${digest}`;
}

/** The digest-pinned references of all repositories that hold the imported digest, the first target's first. */
export function pinnedReferences(
  loginServer: string,
  reference: string,
  digest: string,
  targets: Readonly<Record<string, string>>,
): string[] {
  const names = Object.keys(targets).filter((name) => targets[name] === digest);
  return [...new Set([reference, ...names.map((name) => pinnedReference(loginServer, [name], digest))])];
}

/** The parts of a reference, as Helm charts and other tools want them. */
export interface ImageParts {
  /** `myregistry.azurecr.io` */
  readonly registry: string;
  /** `library/node` */
  readonly repository: string;
  /** `22`; absent where no target has a tag. */
  readonly tag?: string;
  /** `sha256:…` */
  readonly digest: string;
}

/** Splits the reference of the first target, which is the first of the tags if there are any. */
export function referenceParts(reference: string, targetTags: readonly string[]): ImageParts {
  const [, registry = "", repository = "", digest = ""] = /^([^/]+)\/(.+)@(.+)$/.exec(reference) ?? [];
  const [first] = targetTags;
  const tag = first?.slice(first.lastIndexOf(":") + 1);
  return { registry, repository, ...(tag && { tag }), digest };
}

/** `registry/repository:tag@digest` of the first target; `undefined` where no target has a tag. */
export function taggedReference({ registry, repository, tag, digest }: ImageParts): string | undefined {
  return tag === undefined ? undefined : `${registry}/${repository}:${tag}@${digest}`;
}

/** A source as the state records it. */
export function withoutCredentials<T extends object>(source: string | T): string | Omit<T, "credentials"> {
  if (typeof source === "string") return source;
  const { credentials, ...rest } = source as T & { readonly credentials?: unknown };
  return rest;
}
