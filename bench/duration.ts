/** Wall and processor time of child processes. */
import { readFileSync } from "node:fs";

export interface Duration {
  readonly ms: number;
  /** Processor time of all processes together; `undefined` where the system does not report it. */
  readonly cpuMs: number | undefined;
}

/** Runs commands and returns how long they took. */
export async function time(work: () => Promise<unknown>): Promise<Duration> {
  const cpuBefore = cpuOfChildren();
  const before = performance.now();
  await work();
  const ms = performance.now() - before;
  const cpuAfter = cpuOfChildren();
  return { ms, cpuMs: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore };
}

/** Processor time of all descendants of this process that have ended so far. */
function cpuOfChildren(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const stat = readFileSync("/proc/self/stat", "utf8");
  // "pid (name) state parent …", where the name may contain anything; times are in hundredths of a second
  // (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
