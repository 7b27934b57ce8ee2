/** The command line of `npm run bench`. */
import path from "node:path";
import { parseArgs } from "node:util";
import { fullPlan, type Plan, quickPlan } from "./plan";

export const USAGE = `npm run bench                         everything, written to bench/RESULTS.md and bench/no-op.svg (three quarters of an hour on two cores)
npm run bench -- --budgets            figures that are the same on every machine, written to bench/budgets.json
npm run bench -- --against DIR        a no-op \`up\` of this checkout beside another one, which is installed and built
npm run bench -- [options]            printed only
  --quick                             1 and 10 images, two rounds, without conditions, arguments, features, peers and mirrors (two minutes)
  --only no-op,requests               some of: no-op, conditions, requests, arguments, features, first-up, peers, mirrors, state,
                                      processes
  --images 100,1000                   numbers of images, and of tags of a mirror
  --latency 0,150                     latency of the source, in milliseconds
  --connecting                        new connections to the source take twice the latency
  --rounds 5                          how often each combination is measured
`;

export const MEASUREMENTS = [
  "no-op",
  "conditions",
  "requests",
  "arguments",
  "features",
  "first-up",
  "peers",
  "mirrors",
  "state",
  "processes",
] as const;
export type Measurement = (typeof MEASUREMENTS)[number];

export interface Options {
  readonly plan: Plan;
  readonly only: readonly Measurement[];
  /** Another checkout, to be measured beside this one and instead of everything else. */
  readonly against: string | undefined;
  readonly budgets: boolean;
  /** Whether the page and the picture are written. */
  readonly isComplete: boolean;
}

const QUICK: readonly Measurement[] = ["no-op", "requests", "first-up", "state", "processes"];

/** @throws TypeError when the arguments make no sense. */
export function parseOptions(args: string[]): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args,
    options: {
      ...{ quick: flag, connecting: flag, budgets: flag },
      ...{ only: text, images: text, latency: text, rounds: text, against: text },
    },
  });
  const base = values.quick ? quickPlan : fullPlan;
  return {
    plan: {
      counts: numbers(values.images, 1) ?? base.counts,
      tags: numbers(values.images, 1) ?? base.tags,
      latencies: numbers(values.latency, 0) ?? base.latencies,
      connecting: values.connecting ?? base.connecting,
      rounds: numbers(values.rounds, 1)?.[0] ?? base.rounds,
    },
    only: measurements(values.only) ?? (values.quick ? QUICK : MEASUREMENTS),
    against: values.against === undefined ? undefined : path.resolve(values.against),
    budgets: values.budgets ?? false,
    isComplete: args.length === 0,
  };
}

function numbers(list: string | undefined, minimum: number): number[] | undefined {
  const found = list?.split(",").map(Number);
  if (found?.every((number) => Number.isInteger(number) && number >= minimum) === false)
    throw new TypeError(`not a list of numbers: ${list}`);
  return found;
}

function measurements(list: string | undefined): Measurement[] | undefined {
  return list?.split(",").map((name) => {
    const found = MEASUREMENTS.find((each) => each === name);
    if (found === undefined) throw new TypeError(`not a measurement: ${name}`);
    return found;
  });
}
