import type { Azure } from "../azure/azure";
import type { Outputs } from "../resource/state";
import type { Progress } from "./progress";

/** What one create, update or delete works with. */
export interface OperationContext {
  readonly azure: Azure;
  /** Ends when the time limit of the operation is reached. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** A failure after something was done: the record of what is really there goes with it, so that nothing is lost. */
export class PartialFailure extends Error {
  override readonly name = "Unfinished";

  constructor(
    readonly outputs: Outputs,
    readonly reason: unknown,
  ) {
    super("the operation was not finished");
  }
}
