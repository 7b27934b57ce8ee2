/** Memory of program and plugin. */
import { readFileSync } from "node:fs";
import { descendants, type Running } from "../scripts/process";
import type { Stack } from "./stack";

export const SAMPLE_MS = 50;

/** Peak of resident memory in kilobytes; 0 where the system does not report it. */
export interface Peaks {
  plugin: number;
  program: number;
}

/** The peaks of a no-op `preview`. */
export async function peakMemory(stack: Stack): Promise<Peaks> {
  const peaks: Peaks = { plugin: 0, program: 0 };
  let timer: NodeJS.Timeout | undefined;
  const watch = ({ pid }: Running) => {
    timer = setInterval(() => sample(pid, peaks), SAMPLE_MS);
  };
  try {
    await stack.runNoOp("preview", process.platform === "linux" ? { watch } : {});
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
