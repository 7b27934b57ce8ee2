/** How often the targets of an import are read while Azure works on it. */
import { watchTargets } from "../../../provider/plugin/import-watch";
import { ManualTime } from "../../support/manual-time";

let time: ManualTime;
beforeEach(() => {
  time = new ManualTime();
});

/** Watches an import that never ends, and counts the reads. */
function neverImported(): { reads: () => number; end: () => Promise<boolean> } {
  const controller = new AbortController();
  let reads = 0;
  const watched = watchTargets(async () => {
    reads++;
    return false;
  }, controller.signal);
  return {
    reads: () => reads,
    end: () => {
      controller.abort();
      return watched;
    },
  };
}

test("sees a short import soon, and reads a long one ever more rarely", async () => {
  const watch = neverImported();
  await time.pass(1_000);
  expect(watch.reads()).toBeGreaterThanOrEqual(4);
  await time.pass(9_000);
  const afterTenSeconds = watch.reads();
  expect(afterTenSeconds).toBeLessThanOrEqual(16);
  await time.pass(90_000);
  expect(watch.reads() - afterTenSeconds).toBeLessThanOrEqual(12);
  expect(await watch.end()).toBe(false);
});

test("reads at most 50 times a second, however many imports there are", async () => {
  const watches = Array.from({ length: 200 }, neverImported);
  const reads = () => watches.reduce((sum, watch) => sum + watch.reads(), 0);
  await time.pass(10_000);
  const before = reads();
  await time.pass(10_000);
  expect(reads() - before).toBeLessThanOrEqual(500);
  for (const watch of watches) await watch.end();
});

test("ends when the image is there; a read that fails tells nothing", async () => {
  const reads = [Promise.reject(new Error("no")), Promise.resolve(false), Promise.resolve(true)];
  const watched = watchTargets(
    () => reads.shift() ?? Promise.reject(new Error("one more")),
    new AbortController().signal,
  );
  await time.pass(10_000);
  expect(await watched).toBe(true);
});
