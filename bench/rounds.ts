/** Measures several commands in turn, so that what slows the machine down for a while slows all of them. */
import { printStatus } from "../scripts/progress";
import type { Bench } from "./bench";
import type { Duration } from "./duration";
import { type Network, setNetwork, type Traffic, takeTraffic } from "./emulator";
import { median, pairedRatios } from "./statistics";

export interface Command {
  readonly network: Network;
  run(): Promise<Duration>;
}

/** What the runs of a command took, one value per round. */
export interface Runs {
  readonly ms: readonly number[];
  /** Empty where the system does not report it. */
  readonly cpuMs: readonly number[];
  readonly traffic: readonly Traffic[];
}

/** Runs each command once per round; each round begins with another one. */
export async function inRounds<Name extends string>(
  { emulator }: Bench,
  title: string,
  rounds: number,
  commands: Readonly<Record<Name, Command>>,
): Promise<Record<Name, Runs>> {
  const names = Object.keys(commands) as Name[];
  const runs = Object.fromEntries(names.map((name) => [name, { ms: [], cpuMs: [], traffic: [] }])) as unknown as Record<
    Name,
    { ms: number[]; cpuMs: number[]; traffic: Traffic[] }
  >;
  for (let round = 0; round < rounds; round++) {
    for (const name of rotate(names, round)) {
      setNetwork(emulator, commands[name].network);
      takeTraffic(emulator);
      const { ms, cpuMs } = await commands[name].run();
      runs[name].ms.push(ms);
      if (cpuMs !== undefined) runs[name].cpuMs.push(cpuMs);
      runs[name].traffic.push(takeTraffic(emulator));
    }
    printStatus(`${title}: round ${round + 1} of ${rounds}`);
  }
  setNetwork(emulator, { latency: 0 });
  return runs;
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** The median of the ratios within each round. */
export function ratio(runs: Runs, baseline: Runs): number {
  return median(pairedRatios(runs.ms, baseline.ms));
}

/** The same for processor time; `undefined` where the system does not report it. */
export function cpuRatio(runs: Runs, baseline: Runs): number | undefined {
  return runs.cpuMs.length === 0 ? undefined : median(pairedRatios(runs.cpuMs, baseline.cpuMs));
}

/** The median time from the first request to the last response. */
export function lookUpMs({ traffic }: Runs): number {
  return median(traffic.map(({ ms }) => ms));
}
