/** Makes the target repository hold the selected tags: each image as that of an `ImportedImage`, several at a time. */
import { type Code, type Failure, failureOf, formatFailure, ImportError } from "../../failure/failure";
import { repositoryFailure, type TagFailure } from "../../failure/repository";
import { parseTarget } from "../../reference/target";
import { toDesiredImage } from "../../resource/desired-image";
import { isLock, type Lock, lockParts, partialLock } from "../../resource/lock";
import {
  type RepositoryInputs,
  type RepositoryOutputs,
  toRepositoryOutputs,
  toTagRecord,
} from "../../resource/repository-state";
import { type Outputs, targetNames } from "../../resource/state";
import { parseTagRecords, type TagRecord } from "../../resource/tag-records";
import { applyChanges } from "../apply";
import { type OperationContext, PartialFailure } from "../context";
import { triggersChanged } from "../plan";
import type { Progress } from "../progress";
import { removeTargets } from "../remove-targets";
import { TargetRegistry } from "../target-registry";
import { type ImageChange, planRepository, splitImage } from "./plan";
import { inPool } from "./pool";

/** After how many failures in a row, with no success before, the rest is not tried: they have a reason in common. */
const HOPELESS = 16;

/** What is wrong with one image or tag says nothing of the others. */
const OF_ONE_IMAGE: ReadonlySet<Code | undefined> = new Set([
  "IMPORT_FAILED",
  "SOURCE_NOT_FOUND",
  "SOURCE_QUARANTINED",
  "TARGET_CONFLICT",
  "TARGET_LOCKED",
  "TARGET_NOT_VERIFIED",
  "TARGET_QUARANTINED",
]);

/**
 * Applies a create or an update. What fails does not keep the rest from being imported; at the end it is one error, with the state
 * of all that was done.
 *
 * @param recorded - The state that an update starts from.
 * @param previous - In a create: the state of the resource that it replaces.
 */
export async function applyRepository(
  desired: RepositoryInputs,
  recorded: RepositoryOutputs | undefined,
  previous: RepositoryOutputs | undefined,
  { progress, ...rest }: OperationContext,
): Promise<RepositoryOutputs> {
  const { loginServer, onDelete = "retain" } = desired;
  const context = { ...rest, progress: () => {}, registry: new TargetRegistry(loginServer, rest.azure) };
  const { changed, unchanged, leaving } = planRepository(desired, recorded, previous);
  const state = new RepositoryState(desired, recorded);
  for (const image of unchanged) state.keep(image);

  const run = new Run([...changed.map(({ inputs }) => inputs), ...leaving].flatMap(targetNames).length, progress);
  const isOver = () => context.signal.aborted || run.isHopeless;
  const importImage = async (image: ImageChange): Promise<void> => {
    try {
      state.imported(
        image,
        await applyChanges(toDesiredImage(image.inputs), recorded && image.recorded, image.recorded, context),
      );
      run.succeeded(image.tags);
    } catch (error) {
      if (error instanceof PartialFailure) state.importedInPart(image, error.outputs);
      const reason = error instanceof PartialFailure ? error.reason : error;
      const isConflict = failureOf(reason)?.code === "TARGET_CONFLICT";
      if (isConflict && image.tags.length > 1) for (const one of splitImage(image)) await importImage(one);
      else run.failed(image.tags, reason);
    }
  };
  await inPool(changed, importImage, isOver);
  await inPool(
    leaving,
    async (image) => {
      const tags = tagNames(image);
      try {
        await removeTargets(targetNames(image).map(parseTarget), image, onDelete, context);
        state.removed(tags);
        run.succeeded(tags);
      } catch (error) {
        run.failed(tags, error);
      }
    },
    isOver,
  );
  const outputs = state.toOutputs();
  const failure = run.toFailure(`${loginServer}/${desired.targetRepository}`, context.signal.aborted);
  if (failure === undefined) return outputs;
  const error = new ImportError(failure);
  // Nothing to record: the next run creates the resource.
  if (recorded === undefined && state.isEmpty) throw error;
  throw new PartialFailure(outputs, error);
}

/** The state as it becomes, tag by tag. */
class RepositoryState {
  readonly #records: Map<string, TagRecord>;
  readonly #desired: ReadonlyMap<string, TagRecord>;
  readonly #unlocked: Set<string>;
  /** Tags of which something of the state of before is still true. */
  readonly #undone: Set<string>;
  #verifiedBy: Outputs["verifiedBy"];

  constructor(
    private readonly desired: RepositoryInputs,
    private readonly recorded: RepositoryOutputs | undefined,
  ) {
    this.#records = parseTagRecords(recorded ?? {});
    this.#desired = parseTagRecords(desired);
    this.#unlocked = new Set(unlockedOf(recorded));
    this.#undone = new Set(this.#records.keys());
    this.#verifiedBy = recorded?.verifiedBy ?? "digest";
    if (recorded === undefined || !triggersChanged(desired, recorded)) return;
    for (const [tag, record] of this.#records) this.#records.set(tag, { ...record, isPending: true });
  }

  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  /** Tags that hold what they should; what is recorded of them may still change. */
  keep({ tags }: ImageChange): void {
    for (const tag of tags) {
      const [desired, record] = [this.#desired.get(tag), this.#records.get(tag)];
      if (desired && record) this.#records.set(tag, { ...desired, held: record.held });
      this.#undone.delete(tag);
    }
  }

  imported(image: ImageChange, outputs: Outputs): void {
    this.#record(image, outputs, false);
    for (const tag of image.tags) this.#undone.delete(tag);
  }

  /** Some tags of an image, or what refers to it. */
  importedInPart(image: ImageChange, outputs: Outputs): void {
    this.#record(image, outputs, true);
  }

  removed(tags: readonly string[]): void {
    for (const tag of tags) this.#records.delete(tag);
  }

  toOutputs(): RepositoryOutputs {
    const { lock, unlocked } = this.#locks();
    const desired = { ...this.desired, ...(lock !== undefined && { lock }) };
    return toRepositoryOutputs(this.#withOrigin(desired), this.#records, unlocked, this.#verifiedBy);
  }

  /** While some tags are not done, source and policy of before: those digests are neither of the new source nor verified by it. */
  #withOrigin({ verified, ...desired }: RepositoryInputs): RepositoryInputs {
    const isDone = this.recorded === undefined || ![...this.#records.keys()].some((tag) => this.#undone.has(tag));
    const origin = isDone ? { source: desired.source, verified } : this.recorded;
    const { source } = origin;
    return { ...desired, source, ...(origin.verified !== undefined && { verified: origin.verified }) };
  }

  /** The lock that tags may have: while some are not done, also that of before. */
  #locks(): { readonly lock: Lock | undefined; readonly unlocked: readonly string[] } {
    const [wanted, before] = [this.desired.lock, this.recorded?.lock];
    const undone = [...this.#records.keys()].filter((tag) => this.#undone.has(tag));
    if (undone.length === 0) return { lock: wanted, unlocked: [...this.#unlocked] };
    const done = [...this.#records.keys()].filter((tag) => !this.#undone.has(tag));
    const lacking = [...(isLock(lockParts(wanted)) ? [] : done), ...(isLock(lockParts(before)) ? [] : undone)];
    const names = lacking.map((tag) => `${this.desired.targetRepository}:${tag}`);
    const lock = partialLock(wanted, before, []);
    return { lock, unlocked: [...new Set([...this.#unlocked, ...names])] };
  }

  #record({ tags }: ImageChange, outputs: Outputs, isPart: boolean): void {
    const record = toTagRecord(outputs);
    for (const tag of tags) {
      const name = `${this.desired.targetRepository}:${tag}`;
      const held = outputs.targets[name];
      const { candidate } = this.#desired.get(tag) ?? {};
      const isPending = isPart && this.#records.get(tag)?.isPending;
      if (held !== undefined || this.#records.has(tag)) {
        const more = { ...(candidate !== undefined && { candidate }), ...(isPending && { isPending }) };
        this.#records.set(tag, { ...record, held, ...more });
      }
      this.#unlocked.delete(name);
    }
    for (const name of unlockedOf(outputs)) this.#unlocked.add(name);
    if (outputs.verifiedBy === "operation") this.#verifiedBy = "operation";
  }
}

/** Counts tags, and collects why some failed. */
class Run {
  /** By what the failures have in common. */
  readonly #failures = new Map<string, TagFailure>();
  #done = 0;
  #failed = 0;
  #inRow = 0;

  constructor(
    private readonly total: number,
    private readonly progress: Progress,
  ) {
    if (total > 0) this.#show();
  }

  get isHopeless(): boolean {
    return this.#done === 0 && this.#inRow >= HOPELESS;
  }

  succeeded(tags: readonly string[]): void {
    this.#done += tags.length;
    this.#inRow = 0;
    this.#show();
  }

  failed(tags: readonly string[], error: unknown): void {
    const failure = failureOf(error);
    this.#failed += tags.length;
    if (!OF_ONE_IMAGE.has(failure?.code)) this.#inRow++;
    const message = failure ? formatFailure(failure) : String(error instanceof Error ? error.message : error);
    const isOfOne = failure === undefined || OF_ONE_IMAGE.has(failure.code);
    const reason = isOfOne ? message : JSON.stringify([failure.code, failure.side, failure.hints]);
    const known = this.#failures.get(reason) ?? { tags: [], message };
    this.#failures.set(reason, { ...known, tags: [...known.tags, ...tags] });
    this.#show();
  }

  toFailure(target: string, timedOut: boolean): Failure | undefined {
    const [total, done, failed] = [this.total, this.#done, this.#failed];
    if (done === total) return undefined;
    return repositoryFailure.incomplete(target, { total, done, failed }, [...this.#failures.values()], timedOut);
  }

  #show(): void {
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : "";
    this.progress("importing", `${this.#done}/${this.total} imported${failed}`);
  }
}

function tagNames(image: Outputs): readonly string[] {
  return targetNames(image).map((name) => name.slice(name.lastIndexOf(":") + 1));
}

function unlockedOf(outputs: Pick<Outputs, "lock"> | undefined): readonly string[] {
  return (typeof outputs?.lock === "object" && outputs.lock.unlocked) || [];
}
