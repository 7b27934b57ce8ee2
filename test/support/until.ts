/** Waits for a condition without a limit of its own: a slow machine takes longer, and only Jest's limit ends a hang. */
import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  // Unreferenced: after a test that Jest has ended, the loop does not keep the process alive.
  while (!(await condition())) await sleep(20, undefined, { ref: false });
}
