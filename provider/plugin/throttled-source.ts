/**
 * Repeats imports that fail because the source is rate limiting Azure.
 *
 * Azure pulls from addresses that it shares among its customers, so that Docker Hub for example limits anonymous imports that
 * are not many: https://learn.microsoft.com/azure/container-registry/buffer-gate-public-content. The error of the operation does
 * not say how long to wait.
 */
import type { ImportResult } from "../azure/import-image";
import type { ImportSource } from "../azure/import-operation";
import { Throttle } from "../azure/throttle";
import { registryFailure } from "../failure/registry";
import { informOnce } from "./progress";

/** The waits, in milliseconds. After the last one, ten minutes since the first, the limit is one of hours. */
const WAITS_MS = [15_000, 30_000, 60_000, 120_000, 120_000, 120_000, 120_000];
/** The time between two imports from a source that has been rate limiting, in milliseconds. */
const SPACING_MS = 500;

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
  const source = sources.get(host) ?? { throttle: new Throttle(SPACING_MS), waits: 0 };
  sources.set(host, source);
  for (;;) {
    try {
      await source.throttle.enter(signal);
    } catch {
      return { state: "failed", failure: registryFailure.throttled("source", host) };
    }
    const result = await run();
    if (result.state !== "failed" || result.failure.code !== "SOURCE_THROTTLED") {
      source.waits = 0;
      return result;
    }
    // Imports that ran at the same time fail at the same time, and wait once.
    if (source.throttle.isHolding) continue;
    const wait = WAITS_MS[source.waits];
    if (wait === undefined) return result;
    source.waits++;
    source.throttle.hold(wait);
    informOnce(
      `source: ${host} is rate limiting the Azure import service (429); retrying for up to 10 minutes. The limit is higher with source.credentials`,
    );
  }
}
