/**
 * The life cycle of an `ImportedImage`, as the engine calls it in the plugin process.
 *
 * The process loads this module as `pulumi-acr-import/provider`, a name that stands in every user's state.
 */
import type * as dynamic from "@pulumi/pulumi/dynamic";
import { Azure } from "../azure/azure";
import { azureSettings } from "../azure/settings";
import { type Failure, failureOf, formatFailure } from "../failure/failure";
import { importFailure } from "../failure/import";
import { targetFailure } from "../failure/target";
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
import { DigestResolver } from "../source/resolve-digest";
import { applyChanges } from "./apply";
import { completeInputs } from "./check-inputs";
import { type OperationContext, PartialFailure } from "./context";
import { type Dispute, declareTargets, isReleased, previousOwner, releaseTargets, rememberPrevious } from "./ownership";
import { isReplacementProbe, planChange } from "./plan";
import { informOnce, rememberUrn, warn, withProgress } from "./progress";
import { readExisting, refreshTargets } from "./refresh";
import { removeTargets } from "./remove-targets";
import { dependentOnRole, rememberRoleAssignment, untilRoleTakesEffect } from "./role-assignment";
import { forgetTokens } from "./target-registry";
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
  configuration = (key) => config.get(key);
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
  return { id, outs: await runOperation(id, "create", inputs, undefined) };
}

/** Imports what changed; sends no request when only the state changes. */
export async function update(id: string, recorded: Outputs, inputs: Inputs): Promise<dynamic.UpdateResult> {
  if (planChange(inputs, recorded) === "record") return { outs: toOutputs(inputs, recorded) };
  return { outs: await runOperation(id, "update", inputs, recorded) };
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

let configuration: (key: string) => string | undefined = () => undefined;
let session: Azure | undefined;
let resolver: DigestResolver | undefined;

/** Azure for this process: one identity, each registry looked up once. */
function azure(): Azure {
  session ??= new Azure(
    azureSettings((key) => configuration(`azure-native:${key}`)),
    informOnce,
  );
  return session;
}

/** Shares connections, tokens and digests among the resources of this process. */
function reader(): DigestResolver {
  resolver ??= new DigestResolver(azure);
  return resolver;
}

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

/** Names no property: the engine would print the property's value, secrets included. */
function checkFailure(failure: Failure): dynamic.CheckFailure {
  return { property: "", reason: formatFailure(failure) };
}

function declaredTwice({ target, declarations }: Dispute): Failure {
  const resources = declarations.map(({ urn = "", digest = "" }) => ({ name: urn.split("::").at(-1) ?? "", digest }));
  return targetFailure.declaredTwice(target, resources);
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

/**
 * Runs a create or update within its timeout, and throws what the engine understands: an object with ID and properties
 * when a partial result must be recorded, else a plain error. An error that happens to have an `id` would make the engine
 * drop its message and record a resource that cannot be deleted.
 */
async function runOperation(
  id: string,
  kind: "create" | "update",
  inputs: Inputs,
  recorded: Outputs | undefined,
): Promise<Outputs> {
  const limit = timeLimit(kind, inputs.timeouts);
  const signal = AbortSignal.timeout(limit);
  try {
    return await withProgress(inputs, (progress) => {
      const context: OperationContext = { azure: azure(), source: reader(), signal, progress };
      const apply = () => applyChanges(toDesiredImage(inputs), recorded, recorded ?? previousOwner(inputs), context);
      const dependent = kind === "create" ? dependentOnRole(inputs) : undefined;
      if (dependent === undefined) return apply();
      const { loginServer } = inputs;
      const beforeRetry = () => forgetTokens(loginServer);
      return untilRoleTakesEffect(apply, { registry: loginServer, urn: dependent.urn, beforeRetry, signal });
    });
  } catch (error) {
    if (!(error instanceof PartialFailure)) throw new Error(toMessage(error, signal, id, limit));
    // The SDK adds the provider text to outputs, but not here; without it the resource could not be deleted.
    const { __provider } = inputs as EngineInputs;
    const reasons = [toMessage(error.reason, signal, id, limit)];
    throw { id, properties: { ...error.outputs, __provider }, reasons };
  }
}

/**
 * Runs a read or delete within its timeout. The plugin process prints what these methods throw as `<text>: <stack>`, on
 * the row of the stack, although the message is already on the resource's own row; so that line only points there.
 */
async function withCleanErrors<T>(id: string, limit: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(limit);
  try {
    return await run(signal);
  } catch (error) {
    const clean = new Error(toMessage(error, signal, id, limit));
    throw Object.assign(clean, { stack: "failed: see the error on the resource above", toString: () => id });
  }
}

/** The message for the user. An error that the timeout caused says so. */
function toMessage(error: unknown, signal: AbortSignal, id: string, limit: number): string {
  const failure = failureOf(error) ?? (signal.aborted ? importFailure.operationTimedOut(id, limit / 1_000) : undefined);
  return failure ? formatFailure(failure) : String(error instanceof Error ? error.message : error);
}
