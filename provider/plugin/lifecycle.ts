/**
 * The life cycle of an `ImportedImage`. Runs in the plugin process, which reaches it as `pulumi-acr-import/provider`: a
 * name that stands in the state of every user.
 */
import type * as dynamic from "@pulumi/pulumi/dynamic";
import { Azure } from "../azure/azure";
import { azureSettings } from "../azure/settings";
import { type Failure, failureOf, formatFailure, operationTimedOut } from "../failure/failure";
import { validateArguments } from "../resource/arguments";
import { sourceImage } from "../resource/source";
import {
  type Arguments,
  type Inputs,
  type Outputs,
  outputsOf,
  type ProgramContext,
  targetNames,
} from "../resource/state";
import { timeLimit } from "../resource/timeouts";
import { applyChanges } from "./apply";
import { completeInputs } from "./check-inputs";
import { type OperationContext, PartialFailure } from "./context";
import { declareTargets } from "./ownership";
import { planChange } from "./plan";
import { rememberUrn, warn, withProgress } from "./progress";
import { readExisting, refreshTargets } from "./refresh";
import { removeTargets } from "./remove-targets";

type EngineInputs = Arguments &
  Partial<Outputs> & { readonly __program?: ProgramContext; readonly __provider?: string };

/** Takes the stack's configuration; called once, before any other method. */
export async function configure({ config }: dynamic.ConfigureRequest): Promise<void> {
  configuration = (key) => config.get(key);
}

/** Validates and completes the inputs. Asks nobody but, for a registry seen for the first time, Resource Manager. */
export async function check(old: Partial<Inputs>, news: EngineInputs): Promise<dynamic.CheckResult> {
  const { args, program, keep } = splitProgramInputs(news);
  const problems = validateArguments(args, program.timeouts);
  if (problems.length > 0) return { inputs: args, failures: problems.map(checkFailure) };

  const { inputs, failures, warnings } = await completeInputs(args, { ...program, keep }, old, azure);
  rememberUrn(inputs, program.urn);
  declareTargets(inputs);
  for (const warning of warnings) warn(program.urn, formatFailure(warning));
  // A real update takes no unknown values from a check, not even from one that failed.
  return failures.length > 0 ? { inputs: args, failures: failures.map(checkFailure) } : { inputs };
}

/** Says what an update would do; asks nobody. */
export async function diff(_id: string, recorded: Outputs, desired: Inputs): Promise<dynamic.DiffResult> {
  const change = planChange(desired, recorded);
  return { changes: change !== "unchanged", replaces: change === "replace" ? ["registry"] : [] };
}

/** Imports the image, or adopts it when it is there already. */
export async function create(desired: Inputs): Promise<dynamic.CreateResult> {
  const id = `${desired.loginServer}/${targetNames(desired)[0]}`;
  const outs = await runOperation(id, "create", desired, (operation) => applyChanges(desired, undefined, operation));
  return { id, outs };
}

/** Imports what changed; when nothing but the record did, asks nobody. */
export async function update(id: string, recorded: Outputs, desired: Inputs): Promise<dynamic.UpdateResult> {
  if (planChange(desired, recorded) === "record") return { outs: outputsOf(desired, recorded) };
  const outs = await runOperation(id, "update", desired, (operation) => applyChanges(desired, recorded, operation));
  return { outs };
}

/** Reports what the target holds now; what we put there stays on record, whatever became of it. */
export async function read(id: string, known: Outputs | EngineInputs): Promise<dynamic.ReadResult> {
  const limit = timeLimit("update", "__program" in known ? known.__program?.timeouts : known.timeouts);
  return withCleanErrors(id, limit, async (signal) => {
    // The engine leaves out what is not known yet in a preview.
    if ("__program" in known && (known.registry === undefined || known.source === undefined))
      return { id, props: known };
    if ("__program" in known) return readExisting(id, await completeExistingInputs(known), azure(), signal);
    return refreshTargets(id, known as Outputs, azure(), signal);
  });
}

/** Gives up the targets as `onDelete` says. */
async function remove(id: string, recorded: Outputs): Promise<void> {
  const targets = [...new Set([...targetNames(recorded), ...Object.keys(recorded.targets)])];
  await withCleanErrors(id, timeLimit("delete", recorded.timeouts), (signal) =>
    removeTargets(targets, recorded, recorded.onDelete ?? "retain", { azure: azure(), signal, progress: () => {} }),
  );
}

export { remove as delete };

let configuration: (key: string) => string | undefined = () => undefined;
let session: Azure | undefined;

/** Azure, for this process: one identity, each registry looked up once. Asks nobody by itself. */
function azure(): Azure {
  session ??= new Azure(azureSettings((key) => configuration(`azure-native:${key}`)));
  return session;
}

/**
 * Separates the user's arguments from what the program sent along. The names of outputs among the inputs are there only
 * where `ignoreChanges` brought the recorded value back; the one that means something is `sourceDigest`.
 */
function splitProgramInputs(news: EngineInputs) {
  const { __program: program = {}, __provider, sourceDigest, ...rest } = news;
  const { registryId, loginServer, targets, reference, references, timeouts, ...others } = rest;
  const { mediaType, platforms, verifiedBy, ...args } = others;
  return { args, program, keep: sourceDigest };
}

/** The property stays empty: the engine would print its value, secrets included. */
function checkFailure(failure: Failure): dynamic.CheckFailure {
  return { property: "", reason: formatFailure(failure) };
}

/** `ImportedImage.get` reads without a check, so the arguments are completed here. */
async function completeExistingInputs(known: EngineInputs): Promise<Inputs> {
  const { args, program } = splitProgramInputs(known);
  const problems = validateArguments(args);
  if (problems.length > 0) throw new Error(problems.map(formatFailure).join("\n"));
  const keep = sourceImage(args).digest;
  const { inputs, failures } = await completeInputs(
    args,
    { ...program, keep, preview: false, readsTarget: true },
    {},
    azure,
  );
  if (failures.length > 0) throw new Error(failures.map(formatFailure).join("\n"));
  return inputs;
}

/**
 * Runs a create or update within its time limit, and words what goes wrong for the engine: an object with an ID and
 * outputs when something was done that must be recorded, else a plain error. Never an error that has an `id` by
 * accident: the engine would drop its message and write a resource that cannot be deleted.
 */
async function runOperation(
  id: string,
  kind: "create" | "update",
  desired: Inputs,
  run: (operation: OperationContext) => Promise<Outputs>,
): Promise<Outputs> {
  const limit = timeLimit(kind, desired.timeouts);
  const signal = AbortSignal.timeout(limit);
  const words = (error: unknown) => toMessage(error, signal, id, limit);
  try {
    return await withProgress(desired, (progress) => run({ azure: azure(), signal, progress }));
  } catch (error) {
    if (error instanceof PartialFailure) {
      // The SDK adds the provider's text to outputs everywhere but here; without it the resource could not be deleted.
      const { __provider } = desired as EngineInputs;
      throw { id, properties: { ...error.outputs, __provider }, reasons: [words(error.reason)] };
    }
    throw new Error(words(error));
  }
}

/**
 * The engine's process prints what these methods throw as `<text>: <stack>`, on the row of the stack. It cannot be kept from
 * that, and the message is on the resource's own row already; so the line just says where to look.
 */
async function withCleanErrors<T>(id: string, limit: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(limit);
  try {
    return await run(signal);
  } catch (error) {
    const plain = new Error(toMessage(error, signal, id, limit));
    throw Object.assign(plain, { stack: "failed; its resource says why", toString: () => id });
  }
}

/** What the user reads about an error; one that comes of the time limit says so. */
function toMessage(error: unknown, signal: AbortSignal, id: string, limit: number): string {
  const failure = failureOf(error) ?? (signal.aborted ? operationTimedOut(id, limit / 1_000) : undefined);
  return failure ? formatFailure(failure) : String(error instanceof Error ? error.message : error);
}
