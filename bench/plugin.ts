/** Measures the processes beside the engine during a no-op: memory, and the time to load the package. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { descendants, type Running, runOrFail } from "../scripts/process";
import { bare, images, nothing, type Program } from "./programs";
import type { Section, Table } from "./report";
import type { Stack } from "./stack";
import { median } from "./statistics";

const LOADS = 5;
const SAMPLE_MS = 50;

export async function measurePlugin(stacks: ReadonlyMap<Program, Stack>, env: NodeJS.ProcessEnv): Promise<Section> {
  const memory: Table["rows"][number][] = [];
  for (const program of [nothing, bare, images]) {
    const stack = stacks.get(program);
    if (!stack) continue;
    const peaks = await peakMemory(stack);
    memory.push([program.title, stack.images, megabytes(peaks.plugin), megabytes(peaks.program)]);
  }
  const load: Table["rows"][number][] = [];
  for (const [where, entry] of [
    ["program", "pulumi-acr-import"],
    ["plugin", "pulumi-acr-import/provider"],
  ] as const) {
    const { ms, azureSdk } = await loading(entry, env);
    load.push([where, `\`${entry}\``, `${ms.toFixed(0)} ms`, azureSdk]);
  }
  return {
    title: "Plugin and program",
    method: [
      `Peak of resident memory during a no-op \`preview\`, read from /proc every ${SAMPLE_MS} ms. Loading: median of ${LOADS} processes that`,
      "have loaded Pulumi's SDK already, as program and plugin have, and the number of modules of the Azure SDKs among what is",
      "loaded (Resource Manager and identity; they should be loaded only when Azure is called).",
    ].join("\n"),
    tables: [
      { columns: ["resource", "images", "plugin", "program"], rows: memory },
      { columns: ["process", "module", "time to load", "modules of Azure SDKs"], rows: load },
    ],
  };
}

interface Peaks {
  plugin: number;
  program: number;
}

async function peakMemory(stack: Stack): Promise<Peaks> {
  const peaks: Peaks = { plugin: 0, program: 0 };
  let timer: NodeJS.Timeout | undefined;
  const watch = ({ pid }: Running) => {
    timer = setInterval(() => sample(pid, peaks), SAMPLE_MS);
  };
  try {
    await stack.runNoOp("preview", process.platform === "linux" ? watch : undefined);
  } finally {
    clearInterval(timer);
  }
  return peaks;
}

function sample(engine: number, peaks: Peaks): void {
  for (const pid of descendants(engine)) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const role = /\0[^\0]*\/cmd\/(dynamic-provider|run)\b/.exec(command)?.[1];
      const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
      if (role === "dynamic-provider") peaks.plugin = Math.max(peaks.plugin, peak);
      else if (role === "run") peaks.program = Math.max(peaks.program, peak);
    } catch {
      // The process has ended.
    }
  }
}

async function loading(entry: string, env: NodeJS.ProcessEnv): Promise<{ ms: number; azureSdk: number }> {
  const script = `
    require("@pulumi/pulumi"); require("@pulumi/pulumi/dynamic");
    const began = performance.now();
    require(${JSON.stringify(entry)});
    const ms = performance.now() - began;
    const azureSdk = Object.keys(require.cache).filter((file) => /node_modules.@azure.(arm-|identity|msal)/.test(file)).length;
    console.log(JSON.stringify({ ms, azureSdk }));`;
  const found: { ms: number; azureSdk: number }[] = [];
  for (let time = 0; time < LOADS; time++) {
    const output = await runOrFail(process.execPath, ["-e", script], { env, cwd: path.join(__dirname, "..") });
    found.push(JSON.parse(output));
  }
  return { ms: median(found.map(({ ms }) => ms)), azureSdk: Math.max(...found.map(({ azureSdk }) => azureSdk)) };
}

function megabytes(kilobytes: number): string {
  return kilobytes === 0 ? "not available" : `${(kilobytes / 1024).toFixed(0)} MB`;
}
