/** Measures this checkout beside another one, to see what a change is worth. */
import { existsSync } from "node:fs";
import path from "node:path";
import type { Bench } from "../bench";
import { factor, range, seconds } from "../figures";
import { type Plan, roundsOf } from "../plan";
import { images, imagesOf, nothing, type Program } from "../programs";
import type { Row, Section } from "../report";
import { type Command, cpuRatio, inRounds, lookUpMs, ratio } from "../rounds";
import { median, pairedRatios } from "../statistics";

export async function measureAgainst(checkout: string, bench: Bench, plan: Plan): Promise<Section> {
  for (const needed of ["dist", "node_modules"]) {
    const folder = path.join(checkout, needed);
    if (!existsSync(folder))
      throw new Error(`${folder} is missing: run \`node scripts/bootstrap.cjs\` in that checkout`);
  }
  const rows: Row[] = [];
  for (const count of plan.counts) {
    for (const latency of plan.latencies) rows.push(await measure(checkout, bench, plan, count, latency));
  }
  return {
    title: "No-op `up` with this checkout and with the other",
    method: [
      `Medians of ${plan.rounds} rounds. A ratio compares two programs within a round: below 1, this checkout is faster. The last ratios`,
      "are those to do-nothing. The range is that of the ratios of time.",
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

async function measure(checkout: string, bench: Bench, plan: Plan, count: number, latency: number): Promise<Row> {
  const command = async (program: Program): Promise<Command> => {
    const stack = await bench.deployed(program, count);
    return { network: { latency, connecting: plan.connecting }, run: () => stack.runNoOp("up") };
  };
  const runs = await inRounds(bench, `${count} images, ${latency} ms`, roundsOf(plan, count), {
    nothing: await command(nothing),
    ours: await command(images),
    other: await command(imagesOf(checkout)),
  });
  return [
    count,
    `${latency} ms`,
    seconds(median(runs.ours.ms)),
    seconds(median(runs.other.ms)),
    ratio(runs.ours, runs.other).toFixed(3),
    range(pairedRatios(runs.ours.ms, runs.other.ms)),
    factor(cpuRatio(runs.ours, runs.other)),
    factor(ratio(runs.ours, runs.nothing)),
    factor(ratio(runs.other, runs.nothing)),
    seconds(lookUpMs(runs.ours)),
    seconds(lookUpMs(runs.other)),
  ];
}
