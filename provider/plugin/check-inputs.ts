import { isDeepStrictEqual } from "node:util";
import type { Azure } from "../azure/azure";
import {
  digestNotKept,
  type Failure,
  failureOf,
  isUnavailable,
  recordedDigestKept,
  sourceFailure,
} from "../failure/failure";
import type { Digest } from "../reference/digest";
import { namesRegistry, parseRegistryName } from "../reference/registry-name";
import { defaultTargetTag, sourceImage } from "../resource/source";
import {
  type Arguments,
  type Inputs,
  type ProgramContext,
  pinnedReferences,
  sameSource,
  sourceKey,
  sourceOf,
  type Targets,
  targetNames,
} from "../resource/state";
import { hasUnknown, UNKNOWN } from "../resource/unknown";

/** Everything that can be known before anything is done, and what stands against doing it. */
export interface CompletedInputs {
  readonly inputs: Inputs;
  readonly failures: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/** A part of the inputs, or why it could not be had; a warning is a failure that one can go on with. */
interface Resolved<T> {
  readonly value: T;
  readonly failure?: Failure;
  readonly warning?: Failure;
}

/** What `check` got beside the arguments. */
interface CheckContext extends ProgramContext {
  /** The recorded digest, where `ignoreChanges: ["sourceDigest"]` says to keep it. */
  readonly keep?: Digest | undefined;
  /** `ImportedImage.get` looks at the target alone. */
  readonly readsTarget?: boolean;
}

/**
 * Completes valid arguments: the digest that the program resolved, the registry, the names and references that follow.
 * What is not known yet in a preview stays the engine's marker.
 */
export async function completeInputs(
  args: Arguments,
  program: CheckContext,
  old: Partial<Inputs>,
  azure: () => Azure,
): Promise<CompletedInputs> {
  const named = withDefaultTarget(args);
  const digest = resolveDigest(named, program, old);
  const registry = await resolveRegistry(args.registry, program, old, azure);
  return {
    inputs: {
      ...named,
      ...(program.timeouts && { timeouts: program.timeouts }),
      ...registry.value,
      ...(digest.value && digestOutputs(registry.value.loginServer, targetNames(named), digest.value)),
    },
    failures: [digest.failure, registry.failure].filter((failure) => failure !== undefined),
    warnings: [digest.warning, registry.warning].filter((warning) => warning !== undefined),
  };
}

/** States the default target, so that everything after needs no rule for it. */
function withDefaultTarget(args: Arguments): Arguments {
  if (args.targetTags || args.untaggedTargetRepositories) return args;
  const tag = hasUnknown(args.source) ? UNKNOWN : defaultTargetTag(sourceImage(args));
  return tag === undefined ? args : { ...args, targetTags: [tag] };
}

/** The digest to import; `undefined` when only the target will tell it. */
function resolveDigest(
  args: Arguments,
  { keep, lookup, preview, readsTarget }: CheckContext,
  old: Partial<Inputs>,
): Resolved<Digest | undefined> {
  if (keep !== undefined) return { value: keep };
  if (hasUnknown(args.source) || hasUnknown(lookup)) return { value: UNKNOWN as Digest };
  const isOwn = lookup === undefined || lookup.source === sourceKey(args);
  const recorded = sameSource(args, old) ? old.sourceDigest : undefined;
  if (!isOwn) return recorded ? { value: recorded } : { value: undefined, failure: sourceFailure.exchanged() };
  if (lookup?.digest !== undefined) return { value: lookup.digest };
  if (lookup?.failure !== undefined) {
    const { failure } = lookup;
    if (!isUnavailable(failure)) return { value: undefined, failure };
    const policy = args.onSourceUnavailable ?? "fail";
    if (policy === "keep" && recorded) return { value: recorded, warning: recordedDigestKept(failure, recorded) };
    const whose = recorded ? "of this source" : old.sourceDigest && "of another source";
    return { value: undefined, failure: digestNotKept(failure, policy, whose) };
  }
  if (sourceOf(args).digestFrom !== "target" && !readsTarget) {
    return { value: undefined, failure: sourceFailure.notLookedUp() };
  }
  const unchanged = sameSource(args, old) && isDeepStrictEqual(keysOf(args), keysOf(old));
  return { value: preview && !unchanged ? (UNKNOWN as Digest) : undefined };
}

/** A registry that was found once is not asked for again, in whichever spelling. */
async function resolveRegistry(
  registry: string,
  { preview }: ProgramContext,
  { registryId, loginServer }: Partial<Inputs>,
  azure: () => Azure,
): Promise<Resolved<Pick<Inputs, "registryId" | "loginServer">>> {
  if (registry === UNKNOWN) return { value: { registryId: UNKNOWN, loginServer: UNKNOWN } };
  if (registryId && loginServer && namesRegistry(registry, { id: registryId, loginServer })) {
    return { value: { registryId, loginServer } };
  }
  try {
    const found = await azure().findRegistry(registry, "target");
    return { value: { registryId: found.id, loginServer: found.loginServer } };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    const name = parseRegistryName(registry);
    const value = { registryId: UNKNOWN, loginServer: name.kind === "loginServer" ? name.loginServer : UNKNOWN };
    return preview ? { value, warning: failure } : { value, failure };
  }
}

/** What the targets should hold, and how programs refer to it. */
function digestOutputs(loginServer: string, names: readonly string[], digest: Digest): Partial<Inputs> {
  const namesKnown = !hasUnknown(names);
  return {
    sourceDigest: digest,
    targets: namesKnown ? Object.fromEntries(names.map((name) => [name, digest])) : (UNKNOWN as unknown as Targets),
    ...(namesKnown && !hasUnknown([loginServer, digest])
      ? pinnedReferences(loginServer, names, digest)
      : { reference: UNKNOWN, references: UNKNOWN as unknown as string[] }),
  };
}

function keysOf({ targetTags, untaggedTargetRepositories, triggers }: Partial<Inputs>): unknown[] {
  return [targetTags, untaggedTargetRepositories, triggers];
}
