/** The modules that program and plugin load while nothing changes. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import path from "node:path";
import type { Stack } from "./stack";

/** Numbers of modules by package. */
export type ModuleCounts = Readonly<Record<string, number>>;

/**
 * Counts what a program and its plugin load beyond those of another one.
 *
 * @param folder - A temporary folder.
 */
export async function countModules(
  folder: string,
  stack: Stack,
  baseline: Stack,
): Promise<{ program: ModuleCounts; plugin: ModuleCounts }> {
  const [loaded, known] = [await recordModules(folder, stack), await recordModules(folder, baseline)];
  return { program: countNew(loaded.run, known.run), plugin: countNew(loaded.plugin, known.plugin) };
}

async function recordModules(parent: string, stack: Stack): Promise<{ run: string[]; plugin: string[] }> {
  const folder = await mkdtemp(path.join(parent, "modules-"));
  const preload = path.join(__dirname, "record-modules.cjs");
  await stack.runNoOp("up", { env: { BENCH_MODULES: folder, NODE_OPTIONS: `--require ${JSON.stringify(preload)}` } });
  const read = (name: string) => {
    const file = path.join(folder, name);
    if (!existsSync(file)) throw new Error(`the modules of ${name} were not recorded`);
    return readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((each) => realpathSync(each));
  };
  return { run: read("run"), plugin: read("dynamic-provider") };
}

function countNew(files: readonly string[], known: readonly string[]): ModuleCounts {
  const counts: Record<string, number> = {};
  const before = new Set(known);
  for (const file of new Set(files)) {
    if (before.has(file)) continue;
    const name = packageOf(file);
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort(([one], [other]) => one.localeCompare(other)));
}

const ours = path.join(__dirname, "..");

/** The package of a module; `undefined` for the program itself. */
export function packageOf(file: string): string | undefined {
  const [, name] = /^.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file) ?? [];
  if (name !== undefined) return name.replaceAll("\\", "/");
  return file.startsWith(path.join(ours, "dist")) ? "pulumi-acr-import" : undefined;
}
