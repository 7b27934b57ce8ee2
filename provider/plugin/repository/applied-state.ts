/** The state of an `ImportedRepository` while it is applied, tag by tag, so that what was done is recorded when something fails. */
import { isLock, type Lock, lockParts, partialLock, unlockedIn } from "../../resource/lock";
import {
  type RepositoryInputs,
  type RepositoryOutputs,
  toRepositoryOutputs,
  toTagRecord,
} from "../../resource/repository-state";
import type { Outputs } from "../../resource/state";
import { parseTagRecords, type TagRecord } from "../../resource/tag-records";
import { triggersChanged } from "../plan";
import type { ImageChange } from "./plan";

/** The state as it becomes, tag by tag. */
export class AppliedState {
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
    this.#unlocked = new Set(unlockedIn(recorded?.lock));
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
    for (const name of unlockedIn(outputs.lock)) this.#unlocked.add(name);
    if (outputs.verifiedBy === "operation") this.#verifiedBy = "operation";
  }
}
