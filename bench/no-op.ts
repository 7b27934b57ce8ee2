/** Measures runs that find nothing to do, beside resources that do nothing at all. */
import type { Emulator } from "acr-emulator";
import { printStatus } from "../scripts/progress";
import { hostOf, setSourceLatency, type Traffic, takeTraffic } from "./emulator";
import { bare, images, imagesOf, nothing, type Program } from "./programs";
import type { Section, Table } from "./report";
import { type Duration, type Operation, Stack, type StackOptions } from "./stack";
import { median, pairedRatios } from "./statistics";

export interface Matrix {
  /** Numbers of images. */
  readonly counts: readonly number[];
  /** Latencies of the source, in milliseconds. */
  readonly latencies: readonly number[];
  /** Whether new connections take time, too. */
  readonly connecting: boolean;
  /** How often each combination is measured. */
  readonly rounds: number;
}

/** One program with one latency of its source; the do-nothing programs send no request. */
interface Variant {
  readonly stack: Stack;
  readonly latency: number;
  readonly runs: Run[];
}

interface Run extends Duration {
  readonly traffic: Traffic;
}

export interface NoOp {
  readonly times: Section;
  readonly requests: Section;
  /** The stacks with the most images, for further measurements. */
  readonly largest: ReadonlyMap<Program, Stack>;
}

export async function measureNoOp(emulator: Emulator, matrix: Matrix, options: StackOptions): Promise<NoOp> {
  const times: Table["rows"][number][] = [];
  const requests: Table["rows"][number][] = [];
  let stacks = new Map<Program, Stack>();
  for (const count of [...matrix.counts].sort((one, other) => one - other)) {
    printStatus(`${count} images: first deployment of each program`);
    stacks = await deployAll([nothing, bare, images], count, options);
    for (const operation of ["up", "preview"] as const) {
      const variants = await measureVariants(emulator, [...stacks.values()], operation, matrix);
      times.push(...timeRows(operation, count, variants));
      if (operation === "up") requests.push(...requestRows(count, variants));
    }
  }
  return { times: timesSection(times, matrix), requests: requestsSection(requests), largest: stacks };
}

/** Measures this checkout beside another one, to see what a change is worth. */
export async function measureAgainst(
  checkout: string,
  emulator: Emulator,
  matrix: Matrix,
  options: StackOptions,
): Promise<Section> {
  const rows: Table["rows"][number][] = [];
  for (const count of matrix.counts) {
    const stacks = await deployAll([nothing, images, imagesOf(checkout)], count, options);
    const variants = await measureVariants(emulator, [...stacks.values()], "up", matrix);
    rows.push(...againstRows(count, variants));
  }
  return {
    title: "No-op `up` with this checkout and with the other",
    method: [
      `Medians of ${matrix.rounds} rounds. A ratio compares two programs within a round: below 1, this checkout is faster. The ratios`,
      "to do-nothing are this checkout's and the other's.",
    ].join("\n"),
    tables: [
      {
        columns: [
          ...["images", "latency", "this", "other", "this / other", "range", "CPU this / other"],
          ...["this / do-nothing", "other / do-nothing", "look-ups, this", "look-ups, other"],
        ],
        rows,
      },
    ],
  };
}

async function deployAll(programs: readonly Program[], count: number, options: StackOptions) {
  const stacks = new Map<Program, Stack>();
  for (const program of programs) stacks.set(program, await Stack.deploy(program, count, options));
  return stacks;
}

/** Runs each variant once per round; each round begins with another one. */
async function measureVariants(
  emulator: Emulator,
  stacks: readonly Stack[],
  operation: Operation,
  { latencies, connecting, rounds }: Matrix,
): Promise<Variant[]> {
  const variants = stacks.flatMap((stack) =>
    (stack.program.sendsRequests ? latencies : [0]).map((latency): Variant => ({ stack, latency, runs: [] })),
  );
  for (let round = 0; round < rounds; round++) {
    for (const { stack, latency, runs } of rotated(variants, round)) {
      setSourceLatency(emulator, latency, connecting);
      takeTraffic(emulator);
      const duration = await stack.runNoOp(operation);
      runs.push({ ...duration, traffic: takeTraffic(emulator) });
    }
    printStatus(`${stacks[0]?.images} images, no-op ${operation}: round ${round + 1} of ${rounds}`);
  }
  setSourceLatency(emulator, 0, false);
  return variants;
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function againstRows(count: number, variants: readonly Variant[]): Table["rows"] {
  const [baseline, ...measured] = variants;
  const others = measured.slice(measured.length / 2);
  return measured.slice(0, measured.length / 2).map(({ latency, runs }, at) => {
    const other = others[at]?.runs ?? [];
    const ratios = pairedRatios(wall(runs), wall(other));
    return [
      count,
      `${latency} ms`,
      seconds(median(wall(runs))),
      seconds(median(wall(other))),
      median(ratios).toFixed(3),
      `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
      ratioOf(cpu(runs), cpu(other)),
      ratioOf(wall(runs), wall(baseline?.runs)),
      ratioOf(wall(other), wall(baseline?.runs)),
      seconds(median(lookUps(runs))),
      seconds(median(lookUps(other))),
    ];
  });
}

function timeRows(operation: Operation, count: number, variants: readonly Variant[]): Table["rows"] {
  const [baseline, bareBaseline, ...measured] = variants;
  return measured.map(({ latency, runs }) => {
    const ratios = pairedRatios(wall(runs), wall(baseline?.runs));
    return [
      operation,
      count,
      `${latency} ms`,
      seconds(median(wall(baseline?.runs))),
      seconds(median(wall(runs))),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
      ratioOf(cpu(runs), cpu(baseline?.runs)),
      ratioOf(wall(runs), wall(bareBaseline?.runs)),
      ratioOf(cpu(runs), cpu(bareBaseline?.runs)),
      seconds(median(lookUps(runs))),
    ];
  });
}

/** The requests that the emulator counted; they do not depend on the latency. */
function requestRows(count: number, variants: readonly Variant[]): Table["rows"] {
  const traffic = variants.at(-1)?.runs.at(-1)?.traffic;
  return [...(traffic?.requests ?? [])].map(([request, times]) => {
    const host = hostOf(request);
    return [count, host, `\`${request.replace(host, "")}\``, times, traffic?.connections.get(host) ?? 0];
  });
}

function timesSection(rows: Table["rows"], { rounds, connecting }: Matrix): Section {
  const connections = connecting
    ? ", and a new connection takes twice as long"
    : "; new connections take no extra time";
  return {
    title: "No-op `up` and `preview`",
    method: [
      `Medians of ${rounds} rounds. In each round every program runs once, one after the other. A ratio compares two programs within`,
      "a round; the table has the median and the range over all rounds. `up` runs with `--skip-preview`, so the program runs once.",
      "Each image is in a repository of its own on Docker Hub, so each needs its own token.",
      `Latency: each response of the source comes that much later${connections}.`,
      "",
      "- do-nothing: `pulumi.dynamic.Resource` with seven one-line methods and the same arguments; sends no request.",
      "- bare: a do-nothing resource without arguments, whose provider text is written by hand. It is the least that a resource can",
      "  cost, so the difference is the cost of our own code.",
      "- CPU: processor time of engine, program and plugin together; more reliable than time on a busy machine.",
      "- look-ups: from the first request to the last response.",
    ].join("\n"),
    tables: [
      {
        columns: [
          "operation",
          "images",
          "latency",
          "do-nothing",
          "`ImportedImage`",
          "ratio",
          "range",
          "CPU ratio",
          "ratio to bare",
          "CPU ratio to bare",
          "look-ups",
        ],
        rows,
      },
    ],
  };
}

function requestsSection(rows: Table["rows"]): Section {
  return {
    title: "Requests of a no-op, per run of the program",
    method: "Counted by the emulator.",
    tables: [{ columns: ["images", "host", "request", "times", "connections to the host"], rows }],
  };
}

function wall(runs: readonly Duration[] = []): number[] {
  return runs.map(({ ms }) => ms);
}

function cpu(runs: readonly Duration[] = []): number[] {
  return runs.flatMap(({ cpuMs }) => cpuMs ?? []);
}

function lookUps(runs: readonly Run[]): number[] {
  return runs.map(({ traffic }) => traffic.ms);
}

function ratioOf(values: readonly number[], baselines: readonly number[]): string {
  return values.length === 0 ? "not available" : median(pairedRatios(values, baselines)).toFixed(2);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
