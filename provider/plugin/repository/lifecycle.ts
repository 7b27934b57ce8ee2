/**
 * The life cycle of an `ImportedRepository`, as the engine calls it in the plugin process.
 *
 * The process loads this module as `pulumi-acr-import/provider/repository`, a name that stands in users' states.
 */
import type * as dynamic from "@pulumi/pulumi/dynamic";
import { formatFailure } from "../../failure/failure";
import { parseTarget } from "../../reference/target";
import { parseRepositoryArguments } from "../../resource/repository-arguments";
import {
  type RepositoryArguments,
  type RepositoryContext,
  type RepositoryInputs,
  type RepositoryOutputs,
  repositoryTargets,
} from "../../resource/repository-state";
import { targetNames } from "../../resource/state";
import { parseTagRecords } from "../../resource/tag-records";
import { timeLimit } from "../../resource/timeouts";
import { hasUnknown } from "../../resource/unknown";
import { checkFailure, declaredTwice } from "../check-failure";
import { runOperation, withCleanErrors } from "../operation";
import { declareTargets, isReleased, releaseTargets } from "../ownership";
import { isReplacementProbe } from "../plan";
import { rememberUrn, warn } from "../progress";
import { removeTargets } from "../remove-targets";
import { rememberRoleAssignment, whileRoleIsPending } from "../role-assignment";
import { azure, reader, useConfiguration } from "../session";
import { TargetRegistry } from "../target-registry";
import { verifyProblems } from "../verify";
import { applyRepository } from "./apply";
import { completeRepository } from "./check";
import { imagesOf, planRepository } from "./plan";
import { inPool } from "./pool";
import { refreshRepository } from "./refresh";

type EngineInputs = Omit<RepositoryArguments, "tags" | "referrers"> &
  Partial<Omit<RepositoryOutputs, "tags" | "referrers">> & {
    /** The texts of the state where `ignoreChanges` restored them. */
    readonly tags?: RepositoryArguments["tags"] | string;
    readonly referrers?: RepositoryArguments["referrers"] | string;
    readonly __program?: RepositoryContext | string;
    readonly __provider?: string;
  };

/** Receives the stack's configuration; called once, before any other method. */
export async function configure({ config }: dynamic.ConfigureRequest): Promise<void> {
  useConfiguration((key) => config.get(key));
}

/** Validates the arguments, and finds out which digest each selected tag is to hold. */
export async function check(old: Partial<RepositoryInputs>, news: EngineInputs): Promise<dynamic.CheckResult> {
  const { args, program, ...keep } = splitProgramInputs(news, old);
  const parsed = parseRepositoryArguments(args, program.timeouts);
  const problems = verifyProblems(args.verify, { verified: `${old.verified ?? ""} ` });
  const found = [...("problems" in parsed ? parsed.problems : []), ...problems];
  if ("problems" in parsed || found.length > 0) return { inputs: args, failures: found.map(checkFailure) };

  const context = { ...program, ...keep, now: Date.now() };
  const { inputs, warnings, ...completed } = await completeRepository(parsed, context, old, azure, reader());
  const targets = repositoryTargets(inputs);
  rememberUrn(targets, program.urn);
  rememberRoleAssignment(targets, program);
  rememberPrevious(inputs, old);
  const failures = [...completed.failures, ...declareTags(inputs, program.urn)];
  for (const warning of warnings) warn(program.urn, formatFailure(warning));
  return failures.length > 0 ? { inputs: args, failures: failures.map(checkFailure) } : { inputs };
}

/** Compares the inputs with the state. Sends no request. */
export async function diff(
  id: string,
  recorded: RepositoryOutputs,
  desired: RepositoryInputs,
): Promise<dynamic.DiffResult> {
  const { change } = planRepository(desired, recorded);
  if (isReplacementProbe(desired)) {
    releaseTargets(id);
    rememberPrevious(desired, recorded);
  }
  const isSameRegistry = desired.loginServer === recorded.loginServer && !isReplacementProbe(desired);
  const differs = isSameRegistry ? "targetRepository" : "registry";
  return { changes: change !== "unchanged", replaces: change === "replace" ? [differs] : [] };
}

/** Imports the tags, or adopts those that the target holds already. */
export async function create(inputs: RepositoryInputs): Promise<dynamic.CreateResult> {
  const id = idOf(inputs);
  return { id, outs: await apply(id, "create", inputs, undefined) };
}

/** Imports what changed; sends no request when only the state changes. */
export async function update(
  id: string,
  recorded: RepositoryOutputs,
  inputs: RepositoryInputs,
): Promise<dynamic.UpdateResult> {
  return { outs: await apply(id, "update", inputs, recorded) };
}

/** Reads what the target holds now, for a refresh. */
export async function read(id: string, recorded: RepositoryOutputs): Promise<dynamic.ReadResult> {
  return withCleanErrors(id, timeLimit("update", recorded.timeouts), (signal) =>
    refreshRepository(id, recorded, azure(), signal),
  );
}

/** Removes the tags as `onDelete` says. */
async function remove(id: string, recorded: RepositoryOutputs): Promise<void> {
  const policy = recorded.onDelete ?? "retain";
  if (isReleased(id) || policy === "retain") return;
  await withCleanErrors(id, timeLimit("delete", recorded.timeouts), async (signal) => {
    const registry = new TargetRegistry(recorded.loginServer, azure());
    const context = { azure: azure(), source: reader(), signal, registry, progress: () => {} };
    const errors: unknown[] = [];
    await inPool(
      imagesOf(recorded, parseTagRecords(recorded)),
      ({ image }) =>
        removeTargets(targetNames(image).map(parseTarget), image, policy, context).catch((error) => {
          errors.push(error);
        }),
      () => errors.length > 0,
    );
    if (errors.length > 0) throw errors[0];
  });
}

export { remove as delete };

function apply(
  id: string,
  kind: "create" | "update",
  inputs: RepositoryInputs,
  recorded: RepositoryOutputs | undefined,
): Promise<RepositoryOutputs> {
  const targets = repositoryTargets(inputs);
  const { timeouts, __provider } = inputs as RepositoryInputs & EngineInputs;
  const operation = { ...targets, ...(timeouts && { timeouts }), ...(__provider && { __provider }) };
  return runOperation(id, kind, operation, (context) =>
    whileRoleIsPending(kind, targets, context.signal, () =>
      applyRepository(inputs, recorded, recorded ?? previousOf(inputs), context),
    ),
  );
}

function idOf({ loginServer, targetRepository }: RepositoryInputs): string {
  return `${loginServer}/${targetRepository}`;
}

/** States of resources that the engine may replace: it calls create without them, but check before. */
const previous = new Map<string, RepositoryOutputs[]>();

function rememberPrevious(inputs: RepositoryInputs, old: Partial<RepositoryInputs>): void {
  const id = idOf(inputs);
  if (old.tags === undefined || idOf(old as RepositoryInputs) !== id) return;
  previous.set(id, [...(previous.get(id) ?? []), old as RepositoryOutputs]);
}

/** Of several resources that share a repository, the one with most of the tags; of these the last. */
function previousOf(inputs: RepositoryInputs): RepositoryOutputs | undefined {
  const wanted = parseTagRecords(inputs);
  const counted = (previous.get(idOf(inputs)) ?? []).map((recorded) => {
    const count = [...parseTagRecords(recorded).keys()].filter((tag) => wanted.has(tag)).length;
    return { recorded, count };
  });
  return counted.reverse().sort((one, other) => other.count - one.count)[0]?.recorded;
}

/** Declares each tag, so that no other resource of the program removes it or wants it to hold something else. */
function declareTags({ loginServer, targetRepository, ...texts }: RepositoryInputs, urn: string | undefined) {
  if (hasUnknown([loginServer, targetRepository, texts.tags])) {
    return declareTargets({ loginServer, targetTags: texts.tags === undefined ? [] : [texts.tags] }, urn).map(
      declaredTwice,
    );
  }
  return [...parseTagRecords(texts)].flatMap(([tag, { digest }]) =>
    declareTargets({ loginServer, targetTags: [`${targetRepository}:${tag}`], sourceDigest: digest }, urn).map(
      declaredTwice,
    ),
  );
}

/**
 * Separates the arguments from what the program added to them. Outputs are among the inputs only where `ignoreChanges`
 * restored the recorded value, which counts for `tags` and `referrers` alone.
 */
function splitProgramInputs(news: EngineInputs, old: Partial<RepositoryInputs>) {
  const { __program = {}, __provider, tags, referrers, ...rest } = news;
  const program: RepositoryContext = typeof __program === "string" ? JSON.parse(__program) : __program;
  const {
    registryId,
    loginServer,
    imported,
    candidates,
    referrersFingerprints,
    signatures,
    pending,
    verified,
    timeouts,
    ...others
  } = rest;
  const keepTags = typeof tags === "string" && tags === old.tags;
  const keepReferrers = typeof referrers === "string" && referrers === old.referrers;
  const args = {
    ...others,
    ...(tags !== undefined && !keepTags && { tags }),
    ...(referrers !== undefined && typeof referrers !== "string" && { referrers }),
  };
  return { args, program, keepTags, keepReferrers };
}
