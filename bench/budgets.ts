/** Figures that are the same on every machine: requests, connections, state, modules, size and dependencies of the package. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { runOrFail } from "../scripts/process";
import type { Bench } from "./bench";
import { type LockFile, productionDependencies } from "./dependencies";
import { takeTraffic } from "./emulator";
import { countFeatures, ESSENTIAL } from "./features";
import { countNoOp } from "./measurements/requests";
import { stateSize } from "./measurements/state";
import { countModules, type ModuleCounts } from "./modules";
import { bare, images, nothing } from "./programs";

export const BUDGETS = path.join(__dirname, "budgets.json");

const root = path.join(__dirname, "..");

/** `npm run bench -- --budgets` writes them; a test compares them with what it measures. */
export interface Budgets {
  /** A no-op `up`, which runs the program once, by number of images. */
  readonly noOp: Readonly<Record<string, Counts>>;
  /** A first `up` of 100 images, without what waits for running imports, which depends on time. */
  readonly firstUpOf100: Requests;
  /** What features add to a no-op `up` with one image. */
  readonly features: Readonly<Record<string, Requests>>;
  /** A no-op `up` with one repository of 10 tags, by where it is. */
  readonly repositories: Readonly<Record<string, Requests>>;
  /** Bytes per resource. */
  readonly state: { readonly beyondBare: number; readonly providerText: number };
  /** What a no-op loads and a do-nothing resource does not. */
  readonly modules: { readonly program: ModuleCounts; readonly plugin: ModuleCounts };
  readonly package: {
    readonly files: number;
    /** Of `dist/`, rounded up to tens, so that not every change of a line changes it. */
    readonly kilobytes: number;
    readonly directDependencies: number;
    readonly allDependencies: number;
  };
}

type Requests = Readonly<Record<string, number>>;

interface Counts {
  readonly requests: Requests;
  readonly connections: Readonly<Record<string, number>>;
}

export async function measureBudgets(bench: Bench): Promise<Budgets> {
  const firstUpOf100 = await countFirstUp(bench, 100);
  const noOp: Record<string, Counts> = {};
  for (const count of [1, 100]) {
    const { requests, connections } = await countNoOp(bench, images, count);
    noOp[count === 1 ? "1 image" : `${count} images`] = {
      requests: Object.fromEntries(requests),
      connections: Object.fromEntries(connections),
    };
  }
  const { features, repositories } = await countFeatures(bench, ESSENTIAL);
  const [ours, least] = [await bench.deployed(images, 1), await bench.deployed(bare, 1)];
  const [size, leastSize] = [stateSize(ours), stateSize(least)];
  return {
    noOp,
    firstUpOf100,
    features: byTitle(features),
    repositories: byTitle(repositories),
    state: { beyondBare: size.bytes - leastSize.bytes, providerText: size.providerText },
    modules: await countModules(bench.folder, ours, await bench.deployed(nothing, 1)),
    package: await measurePackage(),
  };
}

function byTitle(counts: ReadonlyMap<{ readonly title: string }, ReadonlyMap<string, number>>) {
  return Object.fromEntries(
    [...counts].map(([{ title }, requests]) => [title.replaceAll("`", ""), Object.fromEntries(requests)]),
  );
}

async function countFirstUp(bench: Bench, count: number): Promise<Record<string, number>> {
  takeTraffic(bench.emulator);
  await bench.deployed(images, count);
  const seen = new Set<string>();
  // How often an import is polled, and its target is read until it holds the image, depends on time.
  const { requests } = takeTraffic(bench.emulator, ({ method, path, status }) => {
    if (path.includes("operationResults") || (method === "GET" && status === 404)) return false;
    if (method !== "GET" || !path.includes("/manifests/")) return true;
    const isFirst = !seen.has(path);
    seen.add(path);
    return isFirst;
  });
  return Object.fromEntries(requests);
}

async function measurePackage(): Promise<Budgets["package"]> {
  const packed = JSON.parse(await runOrFail("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"], { cwd: root }));
  const [{ files }] = packed as [{ files: readonly { path: string; size: number }[] }];
  const built = files.filter((file) => file.path.startsWith("dist/"));
  const bytes = built.reduce((sum, { size }) => sum + size, 0);
  const lock = JSON.parse(await readFile(path.join(root, "package-lock.json"), "utf8")) as LockFile;
  const dependencies = productionDependencies(lock);
  return {
    files: built.length,
    kilobytes: Math.ceil(bytes / 10_000) * 10,
    directDependencies: dependencies.direct.length,
    allDependencies: dependencies.all.length,
  };
}

export async function writeBudgets(budgets: Budgets): Promise<void> {
  await writeFile(BUDGETS, `${JSON.stringify(budgets, undefined, 2)}\n`);
}

export async function readBudgets(): Promise<Budgets> {
  return JSON.parse(await readFile(BUDGETS, "utf8"));
}
