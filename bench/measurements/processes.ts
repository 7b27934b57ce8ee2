/** Measures what program and plugin load, how long that takes, and their memory. */
import path from "node:path";
import { runOrFail } from "../../scripts/process";
import type { Bench } from "../bench";
import { type Peaks, peakMemory, SAMPLE_MS } from "../memory";
import { countModules, type ModuleCounts } from "../modules";
import { bare, images, nothing } from "../programs";
import type { Goal, Row, Section } from "../report";
import { median } from "../statistics";

const LOADS = 5;

const entries = [
  ["program", "pulumi-acr-import"],
  ["plugin", "pulumi-acr-import/provider"],
] as const;

export async function measureProcesses(bench: Bench, count: number): Promise<Section> {
  const peaks = new Map<string, Peaks>();
  for (const program of [nothing, bare, images]) {
    peaks.set(program.title, await peakMemory(await bench.deployed(program, count)));
  }
  const modules = await countModules(
    bench.folder,
    await bench.deployed(images, count),
    await bench.deployed(nothing, count),
  );
  const loads = new Map<string, number>();
  for (const [where, entry] of entries) loads.set(where, await loadMs(entry, bench.env));
  return {
    title: "Program and plugin",
    method: [
      `Peak of resident memory during a no-op \`preview\`, read from /proc every ${SAMPLE_MS} ms. Loading: median of ${LOADS} processes that`,
      "have loaded Pulumi's SDK already, as program and plugin have. Modules: the files that a no-op `up` loads and a do-nothing",
      "resource does not; those of the Azure SDKs are Resource Manager and identity, which are needed only when Azure is called.",
    ].join("\n"),
    tables: [
      {
        columns: ["resource", "images", "plugin", "program"],
        rows: [...peaks].map(([title, peak]): Row => [title, count, megabytes(peak.plugin), megabytes(peak.program)]),
      },
      {
        columns: ["process", "entry", "time to load", "modules of the package", "of its dependencies", "of Azure SDKs"],
        rows: entries.map(([where, entry]): Row => {
          const own = sum(modules[where], (name) => name === "pulumi-acr-import");
          const others = sum(modules[where], () => true) - own;
          return [
            where,
            `\`${entry}\``,
            `${(loads.get(where) ?? 0).toFixed(0)} ms`,
            own,
            others,
            azureSdk(modules[where]),
          ];
        }),
      },
    ],
    goals: [
      {
        measure: "start of program and plugin: time to load the package",
        atMost: 60,
        measured: [...loads.values()].reduce((total, ms) => total + ms, 0),
        unit: "ms",
      },
      {
        measure: "modules of Azure SDKs that a no-op loads",
        atMost: 0,
        measured: azureSdk(modules.program) + azureSdk(modules.plugin),
      },
      ...memoryGoal(peaks),
    ],
  };
}

function memoryGoal(peaks: ReadonlyMap<string, Peaks>): Goal[] {
  const [ours, baseline] = [peaks.get(images.title)?.plugin, peaks.get(nothing.title)?.plugin];
  if (!ours || !baseline) return [];
  return [{ measure: "memory of the plugin, × do-nothing", atMost: 1.3, measured: ours / baseline }];
}

function azureSdk(counts: ModuleCounts): number {
  return sum(counts, (name) => /^@azure\/(arm-|identity|msal)/.test(name));
}

function sum(counts: ModuleCounts, matches: (name: string) => boolean): number {
  return Object.entries(counts).reduce((total, [name, count]) => (matches(name) ? total + count : total), 0);
}

async function loadMs(entry: string, env: NodeJS.ProcessEnv): Promise<number> {
  const script = `
    require("@pulumi/pulumi"); require("@pulumi/pulumi/dynamic");
    const began = performance.now();
    require(${JSON.stringify(entry)});
    console.log(performance.now() - began);`;
  const found: number[] = [];
  for (let time = 0; time < LOADS; time++) {
    found.push(Number(await runOrFail(process.execPath, ["-e", script], { env, cwd: path.join(__dirname, "../..") })));
  }
  return median(found);
}

function megabytes(kilobytes: number): string {
  return kilobytes === 0 ? "not available" : `${(kilobytes / 1024).toFixed(0)} MB`;
}
