/**
 * `npm run bench`: measures what `ImportedImage` costs, as ratios within one run; README.md explains the figures.
 *
 * No time is asserted: the exit code is 1 only when a run fails, or changes something where nothing is to be done.
 */
import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { engineFolder } from "../scripts/engine/engine";
import { endTogether, runOrFail } from "../scripts/process";
import { printStatus } from "../scripts/progress";
import { Bench } from "./bench";
import { measureBudgets, writeBudgets } from "./budgets";
import { drawChart } from "./chart";
import { measureAgainst } from "./measurements/against";
import { measureArguments } from "./measurements/arguments";
import { measureConditions } from "./measurements/conditions";
import { measureFeatures } from "./measurements/features";
import { measureFirstUp } from "./measurements/first-up";
import { measureMirrors } from "./measurements/mirrors";
import { measureNoOp } from "./measurements/no-op";
import { measurePeers } from "./measurements/peers";
import { measureProcesses } from "./measurements/processes";
import { measureRequests } from "./measurements/requests";
import { measureState } from "./measurements/state";
import { type Measurement, type Options, parseOptions, USAGE } from "./options";
import type { Plan } from "./plan";
import { markdown, type Section } from "./report";

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  const folder = await mkdtemp(path.join(tmpdir(), "bench-"));
  // All temporary files from here on are created there, and removed with it.
  process.env.TMPDIR = folder;
  const removeAll = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  endTogether(removeAll);
  try {
    const [load = 0] = loadavg();
    const bench = await Bench.open(await engineFolder(), folder);
    try {
      if (options.budgets) await writeBudgets(await measureBudgets(bench));
      else await measureAll(bench, options, load);
    } finally {
      await bench.close();
    }
  } finally {
    removeAll();
  }
}

function readOptions(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    printStatus(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exitCode = 1;
    return undefined;
  }
}

async function measureAll(bench: Bench, { plan, only, against, isComplete }: Options, load: number): Promise<void> {
  const sections: Section[] = [];
  if (against !== undefined) sections.push(await measureAgainst(against, bench, plan));
  else for (const name of only) sections.push(await measurements[name](bench, plan));
  const page = markdown("Bench", await preface(bench.env, load), sections);
  process.stdout.write(page);
  if (!isComplete) return;
  await writeFile(path.join(__dirname, "RESULTS.md"), page);
  const series = sections.flatMap((section) => section.series ?? []);
  await writeFile(
    path.join(__dirname, "no-op.svg"),
    drawChart("Is there anything to import? 150 ms to the registry", series),
  );
}

/** Each measurement is a section of the page. */
const measurements: Readonly<Record<Measurement, (bench: Bench, plan: Plan) => Promise<Section>>> = {
  "no-op": measureNoOp,
  conditions: (bench, plan) => measureConditions(bench, { count: usual(plan), rounds: Math.min(3, plan.rounds) }),
  requests: measureRequests,
  arguments: measureArguments,
  features: measureFeatures,
  "first-up": (bench, plan) =>
    measureFirstUp(bench, {
      count: usual(plan),
      rounds: Math.ceil(plan.rounds / 2),
      defaultParallel: 4 * availableParallelism(),
    }),
  peers: (bench, { counts, rounds }) => measurePeers(bench, counts, Math.min(3, rounds)),
  mirrors: measureMirrors,
  state: (bench, plan) => measureState(bench, usual(plan)),
  processes: (bench, { counts }) => measureProcesses(bench, Math.max(...counts)),
};

/** What most figures are about: 100 images, or the largest number below. */
function usual({ counts }: Plan): number {
  const below = counts.filter((count) => count <= 100);
  return below.length > 0 ? Math.max(...below) : Math.min(...counts);
}

async function preface(env: NodeJS.ProcessEnv, load: number): Promise<string> {
  const version = (await runOrFail("pulumi", ["version"], { env })).trim();
  return [
    `Measured by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${availableParallelism()} cores, ${process.platform}-${process.arch},`,
    `Node.js ${process.version}, Pulumi ${version}, file back end, programs in JavaScript where nothing else is said. The registries are emulated`,
    "on the same machine, behind an HTTPS proxy, and use some of its processor time. Compare ratios, not seconds.",
    `Load average before the run: ${load.toFixed(2)}. Where it is not near zero, the CPU ratios are more reliable than the ratios of time.`,
    "[README.md](README.md) tells how to read and repeat this.",
  ].join("\n");
}

main().catch((error: unknown) => {
  printStatus(String((error instanceof Error && error.stack) || error));
  process.exitCode = 1;
});
