import type { Emulator } from "../emulator/emulator";
import { say } from "../scripts/progress";
import { hostOf, moveSourceAway, type Traffic, takeTraffic } from "./box";
import { bare, images, nothing, type Program } from "./programs";
import type { Section, Table } from "./report";
import { type Duration, type Operation, Stack, type Surroundings } from "./stack";
import { median, pairedRatios } from "./statistics";

export interface Matrix {
  /** Numbers of images. */
  readonly counts: readonly number[];
  /** Milliseconds to the source. */
  readonly latencies: readonly number[];
  /** Whether new connections take their time, too. */
  readonly connecting: boolean;
  /** How often each combination is measured. */
  readonly rounds: number;
}

/** One program at one distance from its source; the do-nothing ones ask nobody, so they have no distance. */
interface Contestant {
  readonly program: Program;
  readonly latency: number;
  readonly runs: Duration[];
  traffic: Traffic | undefined;
}

export interface NoOp {
  readonly times: Section;
  readonly requests: Section;
  /** The stacks of the greatest number of images, for what else is to be measured with them. */
  readonly largest: ReadonlyMap<Program, Stack>;
}

/** Runs that find nothing to do, beside a resource that does nothing at all. */
export async function measureNoOp(emulator: Emulator, matrix: Matrix, surroundings: Surroundings): Promise<NoOp> {
  const times: Table["rows"][number][] = [];
  const requests: Table["rows"][number][] = [];
  let stacks = new Map<Program, Stack>();
  for (const count of [...matrix.counts].sort((one, other) => one - other)) {
    say(`${count} images: first deployment of each program`);
    stacks = await deployAll(count, surroundings);
    for (const operation of ["up", "preview"] as const) {
      const contestants = await compete(emulator, stacks, operation, matrix);
      times.push(...timeRows(operation, count, contestants));
      if (operation === "up") requests.push(...requestRows(count, contestants));
    }
  }
  return { times: timesSection(times, matrix), requests: requestsSection(requests), largest: stacks };
}

async function deployAll(count: number, surroundings: Surroundings): Promise<Map<Program, Stack>> {
  const stacks = new Map<Program, Stack>();
  for (const program of [nothing, bare, images]) stacks.set(program, await Stack.deploy(program, count, surroundings));
  return stacks;
}

/** Everybody once per round, each round beginning with another one. */
async function compete(
  emulator: Emulator,
  stacks: ReadonlyMap<Program, Stack>,
  operation: Operation,
  { latencies, connecting, rounds }: Matrix,
): Promise<Contestant[]> {
  const enter = (program: Program, latency: number): Contestant => ({ program, latency, runs: [], traffic: undefined });
  const contestants = [enter(nothing, 0), enter(bare, 0), ...latencies.map((latency) => enter(images, latency))];
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < contestants.length; place++) {
      const contestant = contestants[(round + place) % contestants.length];
      const stack = contestant && stacks.get(contestant.program);
      if (!stack) continue;
      moveSourceAway(emulator, contestant.latency, connecting);
      takeTraffic(emulator);
      contestant.runs.push(await stack.unchanged(operation));
      contestant.traffic = takeTraffic(emulator);
    }
    say(`${stacks.get(images)?.images} images, no-op ${operation}: round ${round + 1} of ${rounds}`);
  }
  moveSourceAway(emulator, 0, false);
  return contestants;
}

function timeRows(operation: Operation, count: number, contestants: readonly Contestant[]): Table["rows"] {
  const [measure, strict, ...ours] = contestants;
  return ours.map(({ latency, runs, traffic }) => {
    const ratios = pairedRatios(wall(runs), wall(measure?.runs));
    return [
      operation,
      count,
      `${latency} ms`,
      seconds(median(wall(measure?.runs))),
      seconds(median(wall(runs))),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
      ratioOf(cpu(runs), cpu(measure?.runs)),
      ratioOf(wall(runs), wall(strict?.runs)),
      ratioOf(cpu(runs), cpu(strict?.runs)),
      seconds(traffic?.ms ?? 0),
    ];
  });
}

/** What the other side counted; latency changes nothing about it. */
function requestRows(count: number, contestants: readonly Contestant[]): Table["rows"] {
  const traffic = contestants.at(-1)?.traffic;
  return [...(traffic?.requests ?? [])].map(([request, times]) => {
    const host = hostOf(request);
    return [count, host, `\`${request.replace(host, "")}\``, times, traffic?.connections.get(host) ?? 0];
  });
}

function timesSection(rows: Table["rows"], { rounds, connecting }: Matrix): Section {
  const connections = connecting
    ? ", and each new connection to it takes twice that"
    : ", new connections take no longer";
  return {
    title: "No-op `up` and `preview`",
    method: [
      `Medians of ${rounds} rounds. In each round every program runs once, one after the other. A ratio is the median of what two`,
      "programs took in the same round, divided; the range is that of the rounds. `up` runs with `--skip-preview`, so the program",
      "runs once. The images are distinct, each in a repository of its own on Docker Hub, so each needs a token of its own.",
      `Latency: the source answers each request that much later${connections}.`,
      "",
      "- do-nothing: `pulumi.dynamic.Resource` with seven one-line methods and the same arguments; asks nobody.",
      "- bare: a do-nothing resource whose provider text is written by hand, without arguments. It spares the engine and the",
      "  program whatever can be spared, so what is above it is the cost of our own code.",
      "- CPU: processor time of engine, program and plugin together. It tells more than time where a machine has other work, too.",
      "- look-ups: from the first request to the last answer.",
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
    method: "Counted by the other side of the connections.",
    tables: [{ columns: ["images", "host", "request", "times", "connections to the host"], rows }],
  };
}

function wall(runs: readonly Duration[] = []): number[] {
  return runs.map(({ ms }) => ms);
}

function cpu(runs: readonly Duration[] = []): number[] {
  return runs.flatMap(({ cpuMs }) => cpuMs ?? []);
}

function ratioOf(values: readonly number[], measures: readonly number[]): string {
  return values.length === 0 ? "not told here" : median(pairedRatios(values, measures)).toFixed(2);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
