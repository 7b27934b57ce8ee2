/**
 * Repeats imports that fail because the source is rate limiting Azure.
 *
 * Azure pulls from addresses that its customers share, so a source may limit it although this run has imported little:
 * https://learn.microsoft.com/azure/container-registry/buffer-gate-public-content. The error of the operation does not say how
 * long to wait, and where a layer was limited, it does not even say that.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ImportResult } from "../azure/import-image";
import type { ImportSource } from "../azure/import-operation";
import { Throttle } from "../azure/throttle";
import { registryFailure } from "../failure/registry";
import { informOnce } from "./progress";

/** The waits in milliseconds, ten minutes altogether. What has not passed then is a limit of hours. */
const WAITS_MS = [15_000, 30_000, 60_000, 120_000, 120_000, 120_000, 120_000];
/** The wait after the first failure that may be another one, in milliseconds. */
const UNCLEAR_MS = 15_000;
/** How imports from a source that has been rate limiting start. */
const RATE = { burst: 1, spacingMs: 500 };

/** A source, and how many waits in a row have not helped. */
interface ThrottledSource {
  readonly throttle: Throttle;
  waits: number;
}

const sources = new Map<string, ThrottledSource>();

/** Runs an import from a source, again while the source is rate limiting. All imports from that source wait together. */
export async function untilSourceAllows(
  { registryUri, resourceId }: ImportSource,
  signal: AbortSignal,
  run: () => Promise<ImportResult>,
): Promise<ImportResult> {
  const host = registryUri ?? resourceId?.split("/").at(-1) ?? "";
  const source = sources.get(host) ?? { throttle: new Throttle(RATE), waits: 0 };
  sources.set(host, source);
  for (let runs = 1; ; runs++) {
    try {
      await source.throttle.enter(signal);
    } catch {
      return { state: "failed", failure: registryFailure.throttled("source", host) };
    }
    const result = await run();
    const reason = throttlingOf(result);
    if (reason === "limited" || (reason === "unclear" && source.throttle.hasHeld)) {
      if (!waitTogether(source)) return result;
      informOnce(
        `source: ${host} is rate limiting the Azure import service (429); retrying for up to 10 minutes. The limit is higher with source.credentials`,
      );
    } else if (reason === "unclear" && runs === 1) {
      await sleep(UNCLEAR_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return result;
    } else {
      source.waits = 0;
      return result;
    }
  }
}

/** Whether an import failed because its source is rate limiting, or perhaps did. */
function throttlingOf(result: ImportResult): "limited" | "unclear" | undefined {
  if (result.state !== "failed") return undefined;
  return result.failure.code === "SOURCE_THROTTLED" ? "limited" : result.isUnclear ? "unclear" : undefined;
}

/** Makes the imports from a source wait; false when they have waited long enough. */
function waitTogether(source: ThrottledSource): boolean {
  // Imports that ran at the same time fail at the same time, and wait once.
  if (source.throttle.isHolding) return true;
  const wait = WAITS_MS[source.waits];
  if (wait === undefined) return false;
  source.waits++;
  source.throttle.hold(wait);
  return true;
}
