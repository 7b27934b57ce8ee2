/** What an operation works with, and how it reports that it ended halfway. */
import type { Azure } from "../azure/azure";
import type { Outputs } from "../resource/state";
import type { DigestResolver } from "../source/resolve-digest";
import type { Progress } from "./progress";
import type { TargetRegistry } from "./target-registry";

/** What one create, update or delete works with. */
export interface OperationContext {
  readonly azure: Azure;
  readonly source: Pick<DigestResolver, "collectReferrers">;
  /** Aborts when the operation exceeds its timeout. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** The target, where an operation works on several images of it. */
  readonly registry?: TargetRegistry;
}

/** Wraps an error raised after some targets were changed, so that the engine records what the registry holds now. */
export class PartialFailure<T = Outputs> extends Error {
  override readonly name = "PartialFailure";

  constructor(
    readonly outputs: T,
    readonly reason: unknown,
  ) {
    super("the operation ended halfway");
  }
}
