/**
 * The life cycle of an `ImportedImage`, as the engine calls it in the plugin process.
 *
 * The process loads this module as `pulumi-acr-import/provider`, a name that stands in every user's state.
 */
import type * as dynamic from "@pulumi/pulumi/dynamic";
import { formatFailure } from "../failure/failure";
import { parseArguments } from "../resource/arguments";
import { type DesiredImage, toDesiredImage } from "../resource/desired-image";
import {
  type Arguments,
  type Inputs,
  type Outputs,
  type ProgramContext,
  recordedTargets,
  targetNames,
  toOutputs,
} from "../resource/state";
import { timeLimit } from "../resource/timeouts";
import { applyChanges } from "./apply";
import { checkFailure, declaredTwice } from "./check-failure";
import { completeInputs } from "./check-inputs";
import { runOperation, withCleanErrors } from "./operation";
import { declareTargets, isReleased, previousOwner, releaseTargets, rememberPrevious } from "./ownership";
import { isReplacementProbe, planChange } from "./plan";
import { rememberUrn, warn } from "./progress";
import { readExisting, refreshTargets } from "./refresh";
import { removeTargets } from "./remove-targets";
import { rememberRoleAssignment, whileRoleIsPending } from "./role-assignment";
import { azure, reader, useConfiguration } from "./session";
import { verifyProblems } from "./verify";

type EngineInputs = Omit<Arguments, "referrers"> &
  Partial<Omit<Outputs, "referrers">> & {
    /** The text of the state where `ignoreChanges` restored it. */
    readonly referrers?: Arguments["referrers"] | string;
    readonly __program?: ProgramContext | string;
    readonly __provider?: string;
  };

/** Receives the stack's configuration; called once, before any other method. */
export async function configure({ config }: dynamic.ConfigureRequest): Promise<void> {
  useConfiguration((key) => config.get(key));
}

/**
 * Validates and completes the inputs. Sends no request, except to look up a registry that is not in the state, what the program
 * could not find out about the source, and what refers to an image when that changed.
 */
export async function check(old: Partial<Inputs>, news: EngineInputs): Promise<dynamic.CheckResult> {
  const { args, program, keep, keepReferrers } = splitProgramInputs(news, old);
  const parsed = parseArguments(args, program.timeouts);
  const problems = verifyProblems(args.verify, old);
  if ("problems" in parsed) return { inputs: args, failures: [...parsed.problems, ...problems].map(checkFailure) };
  if (problems.length > 0) return { inputs: args, failures: problems.map(checkFailure) };

  const context = { ...program, keep, keepReferrers, now: Date.now() };
  const { inputs, warnings, ...completed } = await completeInputs(parsed, context, old, azure, reader());
  rememberUrn(inputs, program.urn);
  rememberPrevious(inputs, old, program.urn);
  rememberRoleAssignment(inputs, program);
  const failures = [...completed.failures, ...declareTargets(inputs, program.urn).map(declaredTwice)];
  for (const warning of warnings) warn(program.urn, formatFailure(warning));
  // An update refuses unknown values in the inputs of a check, also of one that failed.
  return failures.length > 0 ? { inputs: args, failures: failures.map(checkFailure) } : { inputs };
}

/** Compares the inputs with the state. Sends no request. */
export async function diff(id: string, recorded: Outputs, desired: Inputs): Promise<dynamic.DiffResult> {
  const change = planChange(desired, recorded);
  if (isReplacementProbe(desired)) {
    releaseTargets(id);
    rememberPrevious(desired, recorded);
  }
  return { changes: change !== "unchanged", replaces: change === "replace" ? ["registry"] : [] };
}

/** Imports the image, or adopts it where the target holds it already. */
export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  const id = `${inputs.loginServer}/${targetNames(inputs)[0]}`;
  return { id, outs: await apply(id, "create", inputs, undefined) };
}

/** Imports what changed; sends no request when only the state changes. */
export async function update(id: string, recorded: Outputs, inputs: Inputs): Promise<dynamic.UpdateResult> {
  if (planChange(inputs, recorded) === "record") return { outs: toOutputs(inputs, recorded) };
  return { outs: await apply(id, "update", inputs, recorded) };
}

/** Reads what the target holds now, for a refresh and for `ImportedImage.get`. */
export async function read(id: string, known: Outputs | EngineInputs): Promise<dynamic.ReadResult> {
  const isGet = "__program" in known;
  const limit = timeLimit("update", isGet ? splitProgramInputs(known).program.timeouts : known.timeouts);
  return withCleanErrors(id, limit, async (signal) => {
    if (!isGet) return refreshTargets(id, known as Outputs, azure(), signal);
    // In a preview the engine omits inputs that are unknown.
    if (known.registry === undefined || known.source === undefined) return { id, props: known };
    return readExisting(id, await completeExisting(known), azure(), signal);
  });
}

/** Removes the targets as `onDelete` says. */
async function remove(id: string, recorded: Outputs): Promise<void> {
  if (isReleased(id)) return;
  await withCleanErrors(id, timeLimit("delete", recorded.timeouts), (signal) =>
    removeTargets(recordedTargets(recorded), recorded, recorded.onDelete ?? "retain", {
      azure: azure(),
      source: reader(),
      signal,
      progress: () => {},
    }),
  );
}

export { remove as delete };

/**
 * Separates the arguments from what the program added to them. Outputs are among the inputs only where `ignoreChanges`
 * restored the recorded value, which counts for `sourceDigest` and `referrers` alone.
 */
function splitProgramInputs(news: EngineInputs, old: Partial<Inputs> = {}) {
  const { __program = {}, __provider, sourceDigest, ...rest } = news;
  const program: ProgramContext = typeof __program === "string" ? JSON.parse(__program) : __program;
  const { registryId, loginServer, indexDigest, candidate, verified, referrersFingerprint, ...results } = rest;
  const { signature, signedBy, targets, reference, timeouts, mediaType, platforms, verifiedBy, ...more } = results;
  const { referrers, ...others } = more;
  const keepReferrers = typeof referrers === "string" && referrers === old.referrers;
  const args = { ...others, ...(referrers !== undefined && !keepReferrers && { referrers }) };
  // Only the recorded digest: another one, which a transform has set, would be imported without being verified.
  const keep = sourceDigest === old.sourceDigest ? sourceDigest : undefined;
  return { args, program, keep, keepReferrers };
}

/** Completes the arguments of `ImportedImage.get`, for which the engine calls no check. */
async function completeExisting(known: EngineInputs): Promise<DesiredImage> {
  const { args, program } = splitProgramInputs(known);
  const parsed = parseArguments(args);
  if ("problems" in parsed) throw new Error(parsed.problems.map(formatFailure).join("\n"));
  // The digest of a platform is not the one that the source is pinned to.
  const keep = parsed.args.platform ? undefined : parsed.source?.digest;
  const context = { ...program, keep, preview: false, readsTarget: true, now: Date.now() };
  const { inputs, failures } = await completeInputs(parsed, context, {}, azure, reader());
  if (failures.length > 0) throw new Error(failures.map(formatFailure).join("\n"));
  return toDesiredImage(inputs);
}

/** Applies a create or update; a create waits for a role assignment that the program makes first. */
function apply(id: string, kind: "create" | "update", inputs: Inputs, recorded: Outputs | undefined): Promise<Outputs> {
  return runOperation(id, kind, inputs, (context) =>
    whileRoleIsPending(kind, inputs, context.signal, () =>
      applyChanges(toDesiredImage(inputs), recorded, recorded ?? previousOwner(inputs), context),
    ),
  );
}
