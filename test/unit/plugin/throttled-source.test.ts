/** How imports are repeated while their source is rate limiting Azure. */
import type { ImportResult } from "../../../provider/azure/import-image";
import { registryFailure } from "../../../provider/failure/registry";
import { informOnce } from "../../../provider/plugin/progress";
import { untilSourceAllows } from "../../../provider/plugin/throttled-source";
import { ManualTime } from "../../support/manual-time";

jest.mock("../../../provider/plugin/progress", () => ({ informOnce: jest.fn() }));

const throttled: ImportResult = {
  state: "failed",
  failure: registryFailure.throttled("source", "docker.io", undefined),
};
const succeeded: ImportResult = { state: "succeeded" };
let number = 0;
let time: ManualTime;
beforeEach(() => {
  time = new ManualTime();
  jest.mocked(informOnce).mockClear();
});

/** Starts imports from one new source, each of which ends with the next of the results. */
function startImports(count: number, results: ImportResult[], limit?: AbortSignal) {
  const source = { registryUri: `source-${++number}.example.com`, sourceImage: "app" };
  const running = { host: source.registryUri, runs: 0, done: [] as ImportResult[] };
  for (let index = 0; index < count; index++) {
    void untilSourceAllows(source, limit ?? new AbortController().signal, async () => {
      running.runs++;
      return results.shift() ?? throttled;
    }).then((result) => running.done.push(result));
  }
  return running;
}

test("imports that fail together wait together, and start again one after the other", async () => {
  const imports = startImports(3, [throttled, throttled, throttled, succeeded, succeeded, succeeded]);
  await time.pass(14_999);
  expect(imports.runs).toBe(3);
  await time.pass(1);
  expect(imports.runs).toBe(4);
  await time.pass(499);
  expect(imports.runs).toBe(4);
  await time.pass(501);
  expect(imports.done).toEqual([succeeded, succeeded, succeeded]);
  expect(new Set(jest.mocked(informOnce).mock.calls.map(([message]) => message)).size).toBe(1);
});

test("gives up after ten minutes without any success", async () => {
  const imports = startImports(1, []);
  await time.pass(570_000);
  expect(imports.done).toEqual([]);
  await time.pass(60_000);
  expect(imports.done).toEqual([throttled]);
  expect(imports.runs).toBe(8);
});

test("goes on while some imports succeed", async () => {
  const often = Array.from({ length: 30 }, () => [throttled, throttled, succeeded]).flat();
  const imports = startImports(30, often);
  await time.pass(3_600_000);
  expect(imports.done).toHaveLength(30);
  expect(new Set(imports.done)).toEqual(new Set([succeeded]));
});

test("runs an import whose failure is unclear once more, and as often as a throttled one when its source is limiting", async () => {
  const unclear: ImportResult = {
    state: "failed",
    failure: registryFailure.unavailable("source", "x", "?"),
    isUnclear: true,
  };
  const alone = startImports(1, [unclear, unclear]);
  const beside = startImports(2, [throttled, unclear, unclear, unclear, succeeded, succeeded]);
  await time.pass(14_999);
  expect([alone.runs, beside.runs]).toEqual([1, 2]);
  await time.pass(1);
  expect(alone.done).toEqual([unclear]);
  expect(beside.done).toEqual([]);
  await time.pass(100_000);
  expect(beside.done).toEqual([succeeded, succeeded]);
  expect(jest.mocked(informOnce).mock.calls.every(([message]) => message.includes(beside.host))).toBe(true);
});

test("returns other results at once", async () => {
  const failed: ImportResult = { state: "failed", failure: registryFailure.notFound("source", "docker.io/app") };
  const imports = startImports(2, [failed, succeeded]);
  await time.pass(0);
  expect(imports.done).toEqual([failed, succeeded]);
  expect(informOnce).not.toHaveBeenCalled();
});

test("fails as throttled when the time of the operation is over", async () => {
  const limit = new AbortController();
  const imports = startImports(2, [], limit.signal);
  await time.pass(1_000);
  limit.abort();
  await time.pass(0);
  expect(imports.done.map((result) => "failure" in result && result.failure.code)).toEqual([
    "SOURCE_THROTTLED",
    "SOURCE_THROTTLED",
  ]);
  expect(imports.runs).toBe(2);
});
