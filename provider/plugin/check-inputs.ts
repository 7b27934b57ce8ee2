/** Completes valid arguments with what is known before anything is imported: digest, registry, target names, references. */
import { isDeepStrictEqual } from "node:util";
import type { Azure } from "../azure/azure";
import { type Failure, failureOf, isUnavailable } from "../failure/failure";
import { digestNotKept, recordedDigestKept } from "../failure/source";
import type { Digest } from "../reference/digest";
import { namesRegistry, printRegistryName, type RegistryName } from "../reference/registry-name";
import type { ParsedArguments } from "../resource/arguments";
import { defaultTargetTag, isSameSource, type Source, sourceKey } from "../resource/source";
import {
  type Arguments,
  type DigestResult,
  type Inputs,
  type Lookup,
  type ProgramContext,
  pinnedReference,
  targetNames,
} from "../resource/state";
import { hasUnknown, UNKNOWN, unknownAs } from "../resource/unknown";
import { type RoleWait, untilRoleTakesEffect } from "./role-assignment";

/** Inputs, and the reasons for which they cannot be used. */
export interface CompletedInputs {
  readonly inputs: Inputs;
  readonly failures: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/** A part of the inputs, or why it is missing. A warning is a failure that the operation can do without. */
interface Resolved<T> {
  readonly value: T;
  readonly failure?: Failure;
  readonly warning?: Failure;
}

/** What `check` knows beside the arguments. */
export interface CheckContext extends ProgramContext {
  /** The recorded digest, where `ignoreChanges: ["sourceDigest"]` keeps it. */
  readonly keep?: Digest | undefined;
  /** `ImportedImage.get` reads the digest from the target. */
  readonly readsTarget?: boolean;
}

/** Resolves a digest where the program did not. Never rejects. */
type Resolve = (source: Source) => Promise<DigestResult>;

/** Completes arguments. What is unknown in a preview stays the engine's marker. */
export async function completeInputs(
  parsed: ParsedArguments,
  context: CheckContext,
  old: Partial<Inputs>,
  azure: () => Azure,
  resolve: Resolve,
): Promise<CompletedInputs> {
  const args = withDefaultTarget(parsed);
  const digest = await resolveDigest(args, parsed.source, context, old, resolve);
  const registry = await resolveRegistry(parsed.registry, context, old, azure);
  return {
    inputs: {
      ...args,
      ...(context.timeouts && { timeouts: context.timeouts }),
      ...registry.value,
      ...(digest.value && digestOutputs(registry.value.loginServer, targetNames(args), digest.value)),
    },
    failures: [digest.failure, registry.failure].filter((failure) => failure !== undefined),
    warnings: [digest.warning, registry.warning].filter((warning) => warning !== undefined),
  };
}

/** Writes out the default target, so that later steps need no rule for it. */
function withDefaultTarget({ args, source }: ParsedArguments): Arguments {
  if (args.targetTags || args.untaggedTargetRepositories) return args;
  const tag = source === undefined ? UNKNOWN : defaultTargetTag(source);
  return tag === undefined ? args : { ...args, targetTags: [tag] };
}

/**
 * Chooses the digest to import.
 *
 * | the source's digest                  | digest to import                                                 |
 * | ------------------------------------ | ---------------------------------------------------------------- |
 * | unknown, or the source is            | unknown                                                          |
 * | resolved by the program, else here   | this one                                                         |
 * | could not be resolved                | the recorded one where `onSourceUnavailable` keeps it, else none |
 * | to be read from the target           | none; unknown in the preview of a change                         |
 */
async function resolveDigest(
  args: Arguments,
  source: Source | undefined,
  { keep, lookup, keepsSource, preview, readsTarget }: CheckContext,
  old: Partial<Inputs>,
  resolve: Resolve,
): Promise<Resolved<Digest | undefined>> {
  if (keep !== undefined) return { value: keep };
  if (source === undefined || hasUnknown(lookup)) return { value: unknownAs<Digest>() };
  const recorded = isSameSource(args, old) ? old.sourceDigest : undefined;
  const resolveHere = (): DigestResult | Promise<DigestResult> => {
    if (readsTarget) return {};
    return keepsSource && recorded ? { digest: recorded } : resolve(source);
  };
  const { digest, failure }: DigestResult = resolvedByProgram(args, source, lookup) ?? (await resolveHere());
  if (digest !== undefined) return { value: digest };
  if (failure !== undefined) return keepRecorded(failure, args, recorded, old.sourceDigest);
  return { value: preview && asksForImport(args, old) ? unknownAs<Digest>() : undefined };
}

/** What the program resolved, unless a transform changed the source or added credentials afterwards. */
function resolvedByProgram(args: Arguments, source: Source, lookup: Lookup | undefined): DigestResult | undefined {
  if (lookup?.source !== sourceKey(args)) return undefined;
  const lackedCredentials = lookup.withCredentials === false && source.credentials !== undefined;
  return lookup.failure && lackedCredentials ? undefined : lookup;
}

/** Applies `onSourceUnavailable` to a look-up that failed. */
function keepRecorded(
  failure: Failure,
  args: Arguments,
  recorded: Digest | undefined,
  ofAnySource: Digest | undefined,
): Resolved<Digest | undefined> {
  if (!isUnavailable(failure)) return { value: undefined, failure };
  const policy = args.onSourceUnavailable ?? "fail";
  if (policy === "keep" && recorded) return { value: recorded, warning: recordedDigestKept(failure, recorded) };
  const whose = recorded ? "of this source" : ofAnySource && "of another source";
  return { value: undefined, failure: digestNotKept(failure, policy, whose) };
}

/** Whether arguments that key an import by reference changed. */
function asksForImport(args: Arguments, old: Partial<Inputs>): boolean {
  const keys = ({ targetTags, untaggedTargetRepositories, triggers }: Partial<Inputs>) => [
    targetTags,
    untaggedTargetRepositories,
    triggers,
  ];
  return !isSameSource(args, old) || !isDeepStrictEqual(keys(args), keys(old));
}

/** Resolves the target registry. A registry that is recorded is not looked up again, in whichever spelling. */
async function resolveRegistry(
  name: RegistryName | undefined,
  { preview, needsRole, urn }: ProgramContext,
  { registryId, loginServer }: Partial<Inputs>,
  azure: () => Azure,
): Promise<Resolved<Pick<Inputs, "registryId" | "loginServer">>> {
  if (name === undefined) return { value: { registryId: UNKNOWN, loginServer: UNKNOWN } };
  if (registryId && loginServer && namesRegistry(name, { id: registryId, loginServer })) {
    return { value: { registryId, loginServer } };
  }
  const find = () => azure().findRegistry(name, "target");
  const wait: RoleWait = {
    registry: printRegistryName(name),
    urn,
    beforeRetry: () => azure().forgetRegistry(name),
    // By its name, Azure finds a registry only for an identity that may read it.
    ...(name.kind !== "id" && { orCode: "REGISTRY_NOT_FOUND" }),
  };
  try {
    const found = await (needsRole && !preview ? untilRoleTakesEffect(find, wait) : find());
    return { value: { registryId: found.id, loginServer: found.loginServer } };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    const value = { registryId: UNKNOWN, loginServer: name.kind === "loginServer" ? name.loginServer : UNKNOWN };
    return preview ? { value, warning: failure } : { value, failure };
  }
}

/** The outputs that follow from the digest, and are therefore known in preview. */
function digestOutputs(loginServer: string, names: readonly string[], digest: Digest): Partial<Inputs> {
  const areNamesKnown = !hasUnknown(names);
  return {
    sourceDigest: digest,
    targets: areNamesKnown ? Object.fromEntries(names.map((name) => [name, digest])) : unknownAs(),
    reference:
      areNamesKnown && !hasUnknown([loginServer, digest]) ? pinnedReference(loginServer, names, digest) : UNKNOWN,
  };
}
