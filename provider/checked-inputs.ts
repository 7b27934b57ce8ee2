import { isDeepStrictEqual } from "node:util";
import type { Azure } from "./azure/azure";
import { namesRegistry, parseRegistryName } from "./azure/registry-name";
import { type Failure, failureOf, isUnavailable, keptDigest, sourceFailure, unkeptDigest } from "./failure";
import {
  type Arguments,
  type FromProgram,
  type Inputs,
  pinnedReferences,
  sameSource,
  sourceKey,
  sourceOf,
  type Targets,
  targetNames,
} from "./record";
import type { Digest } from "./reference/digest";
import { defaultTargetTag, sourceImage } from "./source-image";
import { hasUnknown, unknown } from "./unknown";

/** Everything that can be known before anything is done, and what stands against doing it. */
export interface Checked {
  readonly inputs: Inputs;
  readonly failures: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/** A part of the inputs, or why it could not be had; a warning is a failure that one can go on with. */
interface Settled<T> {
  readonly value: T;
  readonly failure?: Failure;
  readonly warning?: Failure;
}

/** What `check` got beside the arguments. */
interface Circumstances extends FromProgram {
  /** The recorded digest, where `ignoreChanges: ["sourceDigest"]` says to keep it. */
  readonly keep?: Digest | undefined;
  /** `ImportedImage.get` looks at the target alone. */
  readonly targetTells?: boolean;
}

/**
 * Completes valid arguments: the digest that the program resolved, the registry, the names and references that follow.
 * What is not known yet in a preview stays the engine's marker.
 */
export async function completed(
  args: Arguments,
  program: Circumstances,
  old: Partial<Inputs>,
  azure: () => Azure,
): Promise<Checked> {
  const named = withTargets(args);
  const digest = settleDigest(named, program, old);
  const registry = await settleRegistry(args.registry, program, old, azure);
  return {
    inputs: {
      ...named,
      ...(program.timeouts && { timeouts: program.timeouts }),
      ...registry.value,
      ...(digest.value && contentOf(registry.value.loginServer, targetNames(named), digest.value)),
    },
    failures: [digest.failure, registry.failure].filter((failure) => failure !== undefined),
    warnings: [digest.warning, registry.warning].filter((warning) => warning !== undefined),
  };
}

/** States the default target, so that everything after needs no rule for it. */
function withTargets(args: Arguments): Arguments {
  if (args.targetTags || args.untaggedTargetRepositories) return args;
  const tag = hasUnknown(args.source) ? unknown : defaultTargetTag(sourceImage(args));
  return tag === undefined ? args : { ...args, targetTags: [tag] };
}

/** The digest to import; `undefined` when only the target will tell it. */
function settleDigest(
  args: Arguments,
  { keep, lookup, preview, targetTells }: Circumstances,
  old: Partial<Inputs>,
): Settled<Digest | undefined> {
  if (keep !== undefined) return { value: keep };
  if (hasUnknown(args.source) || hasUnknown(lookup)) return { value: unknown as Digest };
  const isOwn = lookup === undefined || lookup.of === sourceKey(args);
  const recorded = sameSource(args, old) ? old.sourceDigest : undefined;
  if (!isOwn) return recorded ? { value: recorded } : { value: undefined, failure: sourceFailure.exchanged() };
  if (lookup?.digest !== undefined) return { value: lookup.digest };
  if (lookup?.failure !== undefined) {
    const { failure } = lookup;
    if (!isUnavailable(failure)) return { value: undefined, failure };
    const policy = args.onSourceUnavailable ?? "fail";
    if (policy === "keep" && recorded) return { value: recorded, warning: keptDigest(failure, recorded) };
    const whose = recorded ? "of this source" : old.sourceDigest && "of another source";
    return { value: undefined, failure: unkeptDigest(failure, policy, whose) };
  }
  if (sourceOf(args).digestFrom !== "target" && !targetTells) {
    return { value: undefined, failure: sourceFailure.notLookedUp() };
  }
  const unchanged = sameSource(args, old) && isDeepStrictEqual(keysOf(args), keysOf(old));
  return { value: preview && !unchanged ? (unknown as Digest) : undefined };
}

/** A registry that was found once is not asked for again, in whichever spelling. */
async function settleRegistry(
  registry: string,
  { preview }: FromProgram,
  { registryId, loginServer }: Partial<Inputs>,
  azure: () => Azure,
): Promise<Settled<Pick<Inputs, "registryId" | "loginServer">>> {
  if (registry === unknown) return { value: { registryId: unknown, loginServer: unknown } };
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
    const value = { registryId: unknown, loginServer: name.kind === "loginServer" ? name.loginServer : unknown };
    return preview ? { value, warning: failure } : { value, failure };
  }
}

/** What the targets should hold, and how programs refer to it. */
function contentOf(loginServer: string, names: readonly string[], digest: Digest): Partial<Inputs> {
  const namesKnown = !hasUnknown(names);
  return {
    sourceDigest: digest,
    targets: namesKnown ? Object.fromEntries(names.map((name) => [name, digest])) : (unknown as unknown as Targets),
    ...(namesKnown && !hasUnknown([loginServer, digest])
      ? pinnedReferences(loginServer, names, digest)
      : { reference: unknown, references: unknown as unknown as string[] }),
  };
}

function keysOf({ targetTags, untaggedTargetRepositories, triggers }: Partial<Inputs>): unknown[] {
  return [targetTags, untaggedTargetRepositories, triggers];
}
