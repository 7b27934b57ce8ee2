/** Shortens the waits between retries and polls in this process, so that a test takes no longer than its requests. */
import promises from "node:timers/promises";

/** Longer ones are limits, which must not end early. */
const LONGEST = 9_999;
/** Shorter ones are not waits between requests. */
const SHORTEST = 400;

/** Cuts every wait until the end of the test to a hundredth. Returns the requested waits and limits in milliseconds. */
export function shortenWaits(): readonly number[] {
  const requested: number[] = [];
  const shorten = (ms = 0) => {
    if (ms < SHORTEST) return ms;
    requested.push(ms);
    return ms > LONGEST ? ms : ms / 100;
  };
  const timer = globalThis.setTimeout;
  const start = (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
    timer(run, shorten(ms), ...args);
  jest.spyOn(globalThis, "setTimeout").mockImplementation(start as typeof timer);
  const sleep = promises.setTimeout;
  jest.spyOn(promises, "setTimeout").mockImplementation((ms, ...args) => sleep(shorten(ms), ...args));
  return requested;
}
