/** Counts the tags of an operation, shows how many are done, and collects why some failed. */
import { type Code, type Failure, failureOf, formatFailure } from "../../failure/failure";
import { repositoryFailure, type TagFailure } from "../../failure/repository";
import type { Progress } from "../progress";

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

/** Counts tags, and collects why some failed. */
export class TagTally {
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
