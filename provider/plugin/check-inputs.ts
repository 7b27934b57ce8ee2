/** Completes valid arguments with what is known before anything is imported: digest, signature, registry, target names, references. */
import type { Azure } from "../azure/azure";
import { type Failure, failureOf } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { namesRegistry, printRegistryName, type RegistryName } from "../reference/registry-name";
import type { ParsedArguments } from "../resource/arguments";
import { defaultTargetTag } from "../resource/source";
import { type Arguments, type Inputs, type ProgramContext, pinnedReference, targetNames } from "../resource/state";
import { hasUnknown, UNKNOWN, unknownAs } from "../resource/unknown";
import type { DigestResolver } from "../source/resolve-digest";
import type { CheckContext, Resolved } from "./check-context";
import { type RoleWait, untilRoleTakesEffect } from "./role-assignment";
import { findSourceDigest } from "./source-digest";
import { findReferrers } from "./source-referrers";
import { verifySource } from "./verify";

/** Inputs, and the reasons for which they cannot be used. */
export interface CompletedInputs {
  readonly inputs: Inputs;
  readonly failures: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/** Reads the source where the program did not. */
export type SourceReader = Pick<
  DigestResolver,
  "resolve" | "resolvePlatform" | "pushTime" | "findSignatures" | "listReferrers" | "collectReferrers"
>;

/** Completes arguments. What is unknown in a preview stays the engine's marker. */
export async function completeInputs(
  parsed: ParsedArguments,
  context: CheckContext,
  old: Partial<Inputs>,
  azure: () => Azure,
  reader: SourceReader,
): Promise<CompletedInputs> {
  const args = withDefaultTarget(parsed);
  const digests = await findSourceDigest(args, parsed.source, context, old, reader);
  const signature = context.readsTarget
    ? { value: {} }
    : await verifySource(args, parsed.source, digests.value, old, context.now, reader);
  const referrers = await findReferrers(args, parsed.source, digests, context, old, reader);
  const registry = await resolveRegistry(parsed.registry, context, old, azure);
  const { referrers: policy, ...others } = args;
  return {
    inputs: {
      ...others,
      ...(context.timeouts && { timeouts: context.timeouts }),
      ...registry.value,
      ...digests.value,
      ...signature.value,
      ...referrers.value,
      ...targetOutputs(registry.value.loginServer, targetNames(args), digests.value.sourceDigest),
    },
    failures: [digests, signature, referrers, registry].flatMap(({ failure }) => failure ?? []),
    warnings: [digests, referrers, registry].flatMap(({ warning }) => warning ?? []),
  };
}

/** Writes out the default target, so that later steps need no rule for it. */
function withDefaultTarget({ args, source }: ParsedArguments): Arguments {
  if (args.targetTags || args.untaggedTargetRepositories) return args;
  const tag = source === undefined ? UNKNOWN : defaultTargetTag(source);
  return tag === undefined ? args : { ...args, targetTags: [tag] };
}

/** Resolves the target registry. A registry that is recorded is not looked up again, in whichever spelling. */
export async function resolveRegistry(
  name: RegistryName | undefined,
  { preview, needsRole, urn }: Pick<ProgramContext, "preview" | "needsRole" | "urn">,
  { registryId, loginServer }: Partial<Pick<Inputs, "registryId" | "loginServer">>,
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
function targetOutputs(
  loginServer: string,
  names: readonly string[],
  digest: Digest | undefined,
): Pick<Inputs, "targets" | "reference"> {
  if (digest === undefined) return {};
  const areNamesKnown = !hasUnknown(names);
  return {
    targets: areNamesKnown ? Object.fromEntries(names.map((name) => [name, digest])) : unknownAs(),
    reference:
      areNamesKnown && !hasUnknown([loginServer, digest]) ? pinnedReference(loginServer, names, digest) : UNKNOWN,
  };
}
