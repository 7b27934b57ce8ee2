/**
 * `npm run bench`: measures what `ImportedImage` costs, as ratios within one run, and writes the tables to RESULTS.md.
 *
 * No time is asserted: the exit code is 1 only when a run fails, or changes something where nothing is to be done.
 */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startEmulator } from "acr-emulator";
import { engineFolder } from "../scripts/engine/engine";
import { environment } from "../scripts/environment";
import { endTogether, runOrFail } from "../scripts/process";
import { printStatus } from "../scripts/progress";
import { createImages } from "./emulator";
import { type Matrix, measureAgainst, measureNoOp } from "./no-op";
import { measurePlugin } from "./plugin";
import { markdown } from "./report";
import { measureState } from "./state";

const USAGE = `npm run bench                         all tables, written to bench/RESULTS.md (less than ten minutes on two cores)
npm run bench -- [options]            printed only
  --quick                             1 and 10 images, two rounds
  --images 100,1000                   numbers of images
  --latency 0,150                     latency of the source, in milliseconds
  --connecting                        new connections to the source take twice the latency
  --rounds 5                          how often each combination is measured
  --against DIR                       no-op \`up\` of this checkout beside another one, which is installed and built
`;

const fullMatrix: Matrix = { counts: [1, 10, 100], latencies: [0, 150], connecting: false, rounds: 5 };

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const { matrix, against } = parseOptions(args);
  const folder = await mkdtemp(path.join(tmpdir(), "bench-"));
  // All temporary files from here on are created there, and removed with it.
  process.env.TMPDIR = folder;
  const removeAll = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  endTogether(removeAll);
  try {
    const engine = await engineFolder();
    const load = loadavg()[1] ?? 0;
    const page = await measureAll(matrix, { engine, folder, load, against });
    process.stdout.write(page);
    if (args.length === 0) await writeFile(path.join(__dirname, "RESULTS.md"), page);
  } finally {
    removeAll();
  }
}

interface BenchOptions {
  /** The folder with `pulumi`. */
  readonly engine: string;
  /** A temporary folder. */
  readonly folder: string;
  /** Load average of the machine before the run. */
  readonly load: number;
  /** Another checkout, to be measured beside this one and instead of everything else. */
  readonly against: string | undefined;
}

async function measureAll(matrix: Matrix, { engine, folder, load, against }: BenchOptions): Promise<string> {
  const emulator = await startEmulator({ caller: {} });
  try {
    createImages(emulator, Math.max(...matrix.counts));
    const home = path.join(folder, "home");
    await mkdir(home);
    const plain = environment(home);
    const env = { ...plain, ...emulator.env, PATH: [engine, plain.PATH].join(path.delimiter) };
    const title = await preface(env, load);
    if (against !== undefined) {
      return markdown("Bench", title, [await measureAgainst(against, emulator, matrix, { folder, env })]);
    }
    const { times, requests, largest } = await measureNoOp(emulator, matrix, { folder, env });
    const sections = [times, requests, measureState(largest), await measurePlugin(largest, env)];
    return markdown("Bench", title, sections);
  } finally {
    await emulator.close();
  }
}

async function preface(env: NodeJS.ProcessEnv, load: number): Promise<string> {
  const version = (await runOrFail("pulumi", ["version"], { env })).trim();
  return [
    `Measured by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${availableParallelism()} cores, ${process.platform}-${process.arch},`,
    `Node.js ${process.version}, Pulumi ${version}, file back end, programs in JavaScript. The registries are emulated on the`,
    "same machine and use some of its processor time. Compare ratios, not seconds.",
    `Load average before the run: ${load.toFixed(1)}. Where it is not near zero, the CPU ratios are more reliable than the ratios of time.`,
  ].join("\n");
}

function parseOptions(args: string[]): { matrix: Matrix; against: string | undefined } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean" },
      connecting: { type: "boolean" },
      images: text,
      latency: text,
      rounds: text,
      against: text,
    },
  });
  const base = values.quick ? { ...fullMatrix, counts: [1, 10], rounds: 2 } : fullMatrix;
  const matrix = {
    counts: numbers(values.images, 1) ?? base.counts,
    latencies: numbers(values.latency, 0) ?? base.latencies,
    connecting: values.connecting ?? base.connecting,
    rounds: numbers(values.rounds, 1)?.[0] ?? base.rounds,
  };
  return { matrix, against: values.against === undefined ? undefined : path.resolve(values.against) };
}

function numbers(list: string | undefined, minimum: number): number[] | undefined {
  const found = list?.split(",").map(Number);
  if (found?.every((number) => Number.isInteger(number) && number >= minimum) === false)
    throw new TypeError(`not a list of numbers: ${list}`);
  return found;
}

main().catch((error: unknown) => {
  const isUsage = error instanceof TypeError;
  printStatus(isUsage ? `${error.message}\n\n${USAGE}` : String((error instanceof Error && error.stack) || error));
  process.exitCode = 1;
});
