/** Measures a first deployment beside the time that the service itself takes. */
import type { Bench } from "../bench";
import type { Duration } from "../duration";
import { countRequests, hostOf, type Traffic } from "../emulator";
import { factor, seconds, whole } from "../figures";
import { images, imagesWith, nothing, type Program } from "../programs";
import type { Goal, Row, Section } from "../report";
import { cpuRatio, inRounds, type Runs } from "../rounds";
import { median } from "../statistics";

/** How long Azure takes for one import, and how many seconds it asks clients to wait between two polls. */
const IMPORT_MS = 2000;
const LATENCY = 150;

const RESOURCE_MANAGER = / management\.azure\.com\//;
const POLL = /operationResults$/;

/** Pulumi's own default is four per processor, so the page says what it was. */
const parallels: readonly { readonly title: string; readonly parallel: number | undefined }[] = [
  { title: "default", parallel: undefined },
  { title: "`--parallel 16`", parallel: 16 },
];

export async function measureFirstUp(
  bench: Bench,
  { count, rounds, defaultParallel }: { count: number; rounds: number; defaultParallel: number },
): Promise<Section> {
  const rows: Row[] = [];
  const goals: Goal[] = [];
  let traffic: Traffic | undefined;
  for (const { title, parallel } of parallels) {
    const args = parallel === undefined ? [] : ["--parallel", String(parallel)];
    const runs = await inRounds(bench, `first up of ${count} images, ${title}`, rounds, {
      nothing: { network: { latency: LATENCY }, run: () => firstUp(bench, nothing, count, args) },
      ours: { network: { latency: LATENCY }, run: () => firstUp(bench, imagesWithOwnTags(), count, args) },
    });
    const serviceMs = Math.ceil(count / (parallel ?? defaultParallel)) * IMPORT_MS;
    const measured = median(runs.ours.ms.map((ms, round) => ms / (serviceMs + (runs.nothing.ms[round] ?? 0))));
    rows.push(row(title, parallel ?? defaultParallel, serviceMs, runs, measured));
    if (count >= 100) {
      const measure = `first \`up\`, ${count} images, ${title}: time, × (service + do-nothing)`;
      goals.push({ measure, atMost: 1.2, measured });
    }
    traffic = runs.ours.traffic.at(-1);
  }
  if (traffic !== undefined) goals.push(requestGoal(count, traffic));
  return {
    title: "First `up`",
    method: [
      `${count} images, medians of ${rounds} rounds, each with new stacks. The emulated service takes ${IMPORT_MS / 1000} s for an import and asks to be`,
      "polled each second; Azure itself is as near as the emulator. “service”: the time that it takes for all imports when",
      "that many run at once. “expected”: service and a do-nothing create.",
      "",
      `The second table has the requests of one of the runs, from this machine; “bytes” are the bodies of all of them: ${whole(traffic?.bytes ?? 0)}.`,
    ].join("\n"),
    tables: [
      {
        columns: ["parallel", "at once", "service", "do-nothing", "`ImportedImage`", "× expected", "CPU ratio"],
        rows,
      },
      { columns: ["host", "request", "times", "per image"], rows: requestRows(count, traffic) },
    ],
    goals,
  };
}

let deployments = 0;

/** In every round other tags, so that there is something to import. */
function imagesWithOwnTags(): Program {
  const round = ++deployments;
  return imagesWith(images.title, (image) => ({
    ...images.args(image),
    targetTags: [`first-up-${round}/${image.name}:1`],
  }));
}

async function firstUp(bench: Bench, program: Program, count: number, args: readonly string[]): Promise<Duration> {
  const stack = await bench.newStack(program, count);
  const { settings } = bench.emulator.state;
  const before = settings.importDurationMs;
  settings.importDurationMs = IMPORT_MS;
  try {
    return await stack.firstUp(...args);
  } finally {
    settings.importDurationMs = before;
  }
}

function row(
  title: string,
  parallel: number,
  serviceMs: number,
  runs: Record<"nothing" | "ours", Runs>,
  expected: number,
): Row {
  return [
    title,
    parallel,
    seconds(serviceMs),
    seconds(median(runs.nothing.ms)),
    seconds(median(runs.ours.ms)),
    factor(expected),
    factor(cpuRatio(runs.ours, runs.nothing)),
  ];
}

function requestRows(count: number, traffic: Traffic | undefined): Row[] {
  return [...(traffic?.requests ?? [])].map(([request, times]) => {
    const host = hostOf(request);
    return [host, `\`${request.replace(host, "")}\``, times, (times / count).toFixed(2)];
  });
}

/** Requests to Resource Manager per image, beyond polls. */
function requestGoal(count: number, traffic: Traffic): Goal {
  const beyond = countRequests(traffic, RESOURCE_MANAGER) - countRequests(traffic, POLL);
  return {
    measure: "first `up`: requests to Resource Manager per image, beyond polls",
    atMost: 2,
    measured: beyond / count,
  };
}
