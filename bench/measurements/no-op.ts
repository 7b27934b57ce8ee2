/** Measures runs that find nothing to do, beside resources that do nothing at all. */
import type { Bench } from "../bench";
import { factor, milliseconds, range, seconds } from "../figures";
import { type Plan, roundsOf } from "../plan";
import { bare, images, nothing, type Program } from "../programs";
import type { Goal, Row, Section, Series } from "../report";
import { type Command, cpuRatio, inRounds, lookUpMs, type Runs, ratio } from "../rounds";
import type { Operation } from "../stack";
import { fitLine, median, type Point, pairedDifferences, pairedRatios, slopes } from "../statistics";

/** One operation with one number of images and one latency, beside the baselines of the same rounds. */
interface NoOp {
  readonly operation: Operation;
  readonly count: number;
  readonly latency: number;
  readonly ours: Runs;
  readonly nothing: Runs;
  readonly bare: Runs;
}

/** Compared with do-nothing, at 150 ms to the source. */
const goals: readonly { count: number; ratio: number; cpuRatio?: number }[] = [
  { count: 100, ratio: 1.05 },
  { count: 1000, ratio: 1.1, cpuRatio: 1.15 },
];
const GOAL_LATENCY = 150;

export async function measureNoOp(bench: Bench, plan: Plan): Promise<Section> {
  const all: NoOp[] = [];
  for (const count of [...plan.counts].sort((one, other) => one - other)) {
    for (const operation of ["up", "preview"] as const) all.push(...(await measure(bench, plan, operation, count)));
  }
  return {
    title: "No-op `up` and `preview`",
    method: method(plan),
    tables: [
      {
        columns: [
          ...["operation", "images", "latency", "bare", "do-nothing", "`ImportedImage`", "ratio", "range"],
          ...["CPU ratio", "ratio to bare", "CPU ratio to bare", "look-ups"],
        ],
        rows: all.map(toRow),
      },
      ...(plan.counts.length < 2
        ? []
        : [{ columns: ["`up`, latency", "base", "per image", ...steps(plan)], rows: plan.latencies.map(costOf(all)) }]),
    ],
    goals: all.flatMap(toGoals),
    series: toSeries(all, Math.max(...plan.latencies)),
  };
}

async function measure(bench: Bench, plan: Plan, operation: Operation, count: number): Promise<NoOp[]> {
  const command = async (program: Program, latency: number): Promise<Command> => {
    const stack = await bench.deployed(program, count);
    return { network: { latency, connecting: plan.connecting }, run: () => stack.runNoOp(operation) };
  };
  const measured = await Promise.all(
    plan.latencies.map(async (latency) => [String(latency), await command(images, latency)] as const),
  );
  const runs: Record<string, Runs> & { nothing: Runs; bare: Runs } = await inRounds(
    bench,
    `no-op ${operation} of ${count} images`,
    roundsOf(plan, count),
    { nothing: await command(nothing, 0), bare: await command(bare, 0), ...Object.fromEntries(measured) },
  );
  return plan.latencies.map((latency) => ({
    ...{ operation, count, latency },
    ours: runs[latency] as Runs,
    nothing: runs.nothing,
    bare: runs.bare,
  }));
}

function method({ rounds, connecting }: Plan): string {
  const connections = connecting
    ? ", and a new connection takes twice as long"
    : "; a new connection takes no extra time";
  return [
    `Medians of ${rounds} rounds (at 1,000 images of at most 4). In each round every program runs once, one after the other. A ratio compares`,
    "two programs within a round; the table has the median and the range over all rounds. `up` runs with `--skip-preview`, so",
    "the program runs once. Each image is in a repository of its own on Docker Hub, so each needs access of its own.",
    `Latency: each response of the source comes that much later${connections}.`,
    "",
    "- do-nothing: `pulumi.dynamic.Resource` with seven one-line methods and the same arguments; sends no request. “ratio” and",
    "  “CPU ratio” are those to do-nothing.",
    "- bare: a do-nothing resource without arguments, whose provider text is written by hand. It is the least that a resource can",
    "  cost, so the difference is the cost of our own code.",
    "- CPU: processor time of engine, program and plugin together; more reliable than time on a busy machine.",
    "- look-ups: from the first request to the last response.",
    "",
    "The second table splits what an `up` takes longer than with do-nothing: a line fitted to all numbers of images by least",
    "squares (its base, and its slope per image), and the slope between neighbouring numbers, which is the same at each step where",
    "the cost per image does not grow.",
  ].join("\n");
}

function toRow({ operation, count, latency, ours, nothing, bare }: NoOp): Row {
  return [
    operation,
    count,
    `${latency} ms`,
    seconds(median(bare.ms)),
    seconds(median(nothing.ms)),
    seconds(median(ours.ms)),
    factor(ratio(ours, nothing)),
    range(pairedRatios(ours.ms, nothing.ms)),
    factor(cpuRatio(ours, nothing)),
    factor(ratio(ours, bare)),
    factor(cpuRatio(ours, bare)),
    seconds(lookUpMs(ours)),
  ];
}

function steps({ counts }: Plan): string[] {
  return slopes(counts.map((count): Point => [count, 0])).map(({ from, to }) => `${from} → ${to.toLocaleString("en")}`);
}

function costOf(all: readonly NoOp[]): (latency: number) => Row {
  return (latency) => {
    const points = all
      .filter((each) => each.operation === "up" && each.latency === latency)
      .map(({ count, ours, nothing }): Point => [count, median(pairedDifferences(ours.ms, nothing.ms))]);
    const { base, slope } = fitLine(points);
    const between = slopes(points).map((step) => milliseconds(step.slope));
    return [`${latency} ms`, milliseconds(base), milliseconds(slope), ...between];
  };
}

function toGoals({ operation, count, latency, ours, nothing }: NoOp): Goal[] {
  const goal = goals.find((each) => each.count === count);
  if (goal === undefined || latency !== GOAL_LATENCY) return [];
  const what = `no-op \`${operation}\`, ${count.toLocaleString("en")} images, ${latency} ms`;
  const cpu = cpuRatio(ours, nothing);
  return [
    { measure: `${what}: time, × do-nothing`, atMost: goal.ratio, measured: ratio(ours, nothing) },
    ...(goal.cpuRatio === undefined || cpu === undefined
      ? []
      : [{ measure: `${what}: CPU, × do-nothing`, atMost: goal.cpuRatio, measured: cpu }]),
  ];
}

function toSeries(all: readonly NoOp[], latency: number): Series[] {
  const ups = all.filter((each) => each.operation === "up" && each.latency === latency);
  const line = (name: string, runs: (each: NoOp) => Runs): Series => ({
    name,
    points: ups.map((each): Point => [each.count, median(runs(each).ms)]),
  });
  return [
    line("ImportedImage", ({ ours }) => ours),
    line("do-nothing", ({ nothing }) => nothing),
    line("bare", ({ bare }) => bare),
  ];
}
