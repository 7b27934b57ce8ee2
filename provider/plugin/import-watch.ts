/**
 * Watches the targets of an import while Azure works on it.
 *
 * Resource Manager asks for ten seconds between two polls of an operation, which is longer than many imports take. The target
 * registry has no such limit: it may be read at any time, and what it holds is the evidence of an import anyway.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** The shortest time between two reads of the targets of one import, in milliseconds. */
const SHORTEST_PAUSE_MS = 150;
/** Reads become rarer as an import takes longer: one after each quarter of the time so far. */
const PAUSE_SHARE = 1 / 4;
/**
 * The time between two reads of all imports of this process, in milliseconds: at most 3,000 reads in a minute, where the smallest
 * registry allows 5,000. https://learn.microsoft.com/azure/container-registry/container-registry-skus
 */
const SHARED_PAUSE_MS = 20;

let watched = 0;

/**
 * Resolves with true when the targets hold the image, with false when the signal aborts. Never rejects: a read that fails
 * tells nothing about the import.
 */
export async function watchTargets(isImported: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  watched++;
  try {
    for (let waited = 0; ; ) {
      const pause = Math.max(SHORTEST_PAUSE_MS, waited * PAUSE_SHARE, watched * SHARED_PAUSE_MS);
      await sleep(pause, undefined, { signal });
      waited += pause;
      if (await isImported().catch(() => false)) return true;
    }
  } catch {
    return false;
  } finally {
    watched--;
  }
}
