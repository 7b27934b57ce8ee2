/** Runs what the engine asks for within its timeout, and turns what it throws into what the engine understands. */
import { setMaxListeners } from "node:events";
import { failureOf, formatFailure } from "../failure/failure";
import { importFailure } from "../failure/import";
import type { TargetNames, Timeouts } from "../resource/state";
import { timeLimit } from "../resource/timeouts";
import { type OperationContext, PartialFailure } from "./context";
import { withProgress } from "./progress";
import { azure, reader } from "./session";

/** The inputs of any resource, as far as an operation needs them. */
type OperationInputs = TargetNames & { readonly timeouts?: Timeouts; readonly __provider?: string };

/**
 * Runs a create or update within its timeout, and throws what the engine understands: an object with ID and properties
 * when a partial result must be recorded, else a plain error. An error that happens to have an `id` would make the engine
 * drop its message and record a resource that cannot be deleted.
 *
 * @param targets - The inputs, or what stands for them where the URN is remembered.
 */
export async function runOperation<T extends object>(
  id: string,
  kind: "create" | "update",
  { timeouts, __provider, ...targets }: OperationInputs,
  run: (context: OperationContext) => Promise<T>,
): Promise<T> {
  const limit = timeLimit(kind, timeouts);
  const signal = AbortSignal.timeout(limit);
  // Many requests of one operation wait for the same signal.
  setMaxListeners(0, signal);
  try {
    return await withProgress(targets, (progress) => run({ azure: azure(), source: reader(), signal, progress }));
  } catch (error) {
    if (!(error instanceof PartialFailure)) throw new Error(toMessage(error, signal, id, limit));
    // The SDK adds the provider text to outputs, but not here; without it the resource could not be deleted.
    const reasons = [toMessage(error.reason, signal, id, limit)];
    throw { id, properties: { ...error.outputs, __provider }, reasons };
  }
}

/**
 * Runs a read or delete within its timeout. The plugin process prints what these methods throw as `<text>: <stack>`, on
 * the row of the stack, although the message is already on the resource's own row; so that line only points there.
 */
export async function withCleanErrors<T>(
  id: string,
  limit: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(limit);
  setMaxListeners(0, signal);
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
