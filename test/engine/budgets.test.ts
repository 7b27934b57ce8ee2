/** Requests, connections, state, modules and package size are those that bench/budgets.json records. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Bench } from "../../bench/bench";
import { type Budgets, measureBudgets, readBudgets } from "../../bench/budgets";

let folder: string;
let bench: Bench | undefined;
let measured: Budgets;
let recorded: Budgets;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "budgets-"));
  bench = await Bench.open(process.env.TEST_ENGINE ?? "", folder);
  measured = await measureBudgets(bench);
  recorded = await readBudgets();
});
afterAll(async () => {
  await bench?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

// A change that is meant is recorded by `npm run bench -- --budgets`.
test.each([
  ["requests of a first up", "firstUpOf100"],
  ["requests that features add to a no-op", "features"],
  ["requests of a no-op with a repository", "repositories"],
  ["bytes of state", "state"],
  ["modules that a no-op loads", "modules"],
  ["size and dependencies of the package", "package"],
] as const)("%s are as recorded", (_, figures) => {
  expect(measured[figures]).toEqual(recorded[figures]);
});

test.each(["1 image", "100 images"])(
  "a no-op with %s sends the recorded requests over no more connections",
  (images) => {
    const [now, budget] = [measured.noOp[images], recorded.noOp[images]];
    expect(now?.requests).toEqual(budget?.requests);
    // A slow machine may need fewer: a connection is free again before the next request.
    for (const [host, connections] of Object.entries(now?.connections ?? {})) {
      expect(connections).toBeLessThanOrEqual(budget?.connections[host] ?? 0);
    }
  },
);

test("a no-op loads no SDK of Azure, and sends one HEAD per image and nothing to Azure", () => {
  const { program, plugin } = measured.modules;
  expect(
    [...Object.keys(program), ...Object.keys(plugin)].filter((name) => /^@azure\/(arm-|identity|msal)/.test(name)),
  ).toEqual([]);
  const { requests, connections } = measured.noOp["100 images"] ?? { requests: {}, connections: {} };
  expect(Object.entries(requests).filter(([request]) => request.startsWith("HEAD "))).toEqual([
    ["HEAD registry-1.docker.io/v2/…/manifests/…", 100],
  ]);
  expect(Object.keys(connections).sort()).toEqual(["auth.docker.io", "registry-1.docker.io"]);
});
