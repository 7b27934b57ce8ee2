/** Measures other tools that answer the same question: does the target hold what the source tag means now? */
import { runOrFail } from "../../scripts/process";
import type { Bench } from "../bench";
import { type Duration, time } from "../duration";
import { factor, seconds } from "../figures";
import { environmentWithPeers, peers, writeLists } from "../peers";
import { images } from "../programs";
import type { Goal, Row, Section, Series } from "../report";
import { type Command, inRounds, lookUpMs, type Runs, ratio } from "../rounds";
import { median, type Point, pairedRatios } from "../statistics";
import { azureImportNote } from "./azure-import";

const LATENCY = 150;

type Compared = Readonly<Record<string, Runs>> & { readonly ours: Runs };

export async function measurePeers(bench: Bench, counts: readonly number[], rounds: number): Promise<Section> {
  const title = "Other tools, the same images";
  const built = await environmentWithPeers(bench);
  if ("reason" in built) return { title, method: `Not measured: ${built.reason}.`, tables: [] };
  const all = new Map<number, Compared>();
  for (const count of counts) all.set(count, await compare(bench, count, count < 1000 ? rounds : 2, built.env));
  return {
    title,
    method: [
      `Is there anything to import? Medians of ${rounds} rounds (at 1,000 images of 2), ${LATENCY} ms to Docker Hub, none to Azure, the same images and emulator.`,
      "The last columns compare with the whole `pulumi up`, and with its look-ups alone, which are what the tools do: below 1, we are",
      "faster.",
      "",
      "- `regsync check` and `regsync once`, configured with `parallel: 16`: they compare each tag of the source with the target.",
      "- `crane digest`: one process per image, one after another or 16 at once (`xargs -P`). It reads the source only.",
      await azureImportNote(bench, LATENCY),
      ...leftOutNote(Math.max(...counts)),
    ].join("\n"),
    tables: [
      {
        columns: ["images", "command", "time", "CPU", "`pulumi up`, × its time", "look-ups, × its time"],
        rows: [...all].flatMap(([count, runs]) => rowsOf(count, runs)),
      },
    ],
    goals: [...all].flatMap(([count, runs]) => goalsOf(count, runs)),
    series: peers.map(({ name }): Series => ({ name, points: pointsOf(name, all) })),
  };
}

async function compare(bench: Bench, count: number, rounds: number, env: NodeJS.ProcessEnv): Promise<Compared> {
  // Deployed, so the target has what the tools compare the source with.
  const stack = await bench.deployed(images, count);
  const lists = await writeLists(bench, count);
  const network = { latency: LATENCY };
  const commands = peers
    .filter(({ most }) => count <= most)
    .map((peer): [string, Command] => [peer.name, { network, run: () => timed(peer.command(lists), env) }]);
  return inRounds(bench, `${count} images with other tools`, rounds, {
    ours: { network, run: () => stack.runNoOp("up") },
    ...Object.fromEntries(commands),
  });
}

function timed([command = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<Duration> {
  return time(() => runOrFail(command, args, { env }));
}

function rowsOf(count: number, runs: Compared): Row[] {
  return [
    [count, "`pulumi up`", seconds(median(runs.ours.ms)), cpu(runs.ours), "", ""],
    [count, "its look-ups", seconds(lookUpMs(runs.ours)), "", "", ""],
    ...peers.flatMap(({ name }): Row[] => {
      const peer = runs[name];
      if (peer === undefined) return [];
      const ratios = [factor(ratio(runs.ours, peer)), factor(lookUpRatio(runs.ours, peer))];
      return [[count, `\`${name}\``, seconds(median(peer.ms)), cpu(peer), ...ratios]];
    }),
  ];
}

function cpu({ cpuMs }: Runs): string {
  return cpuMs.length === 0 ? "not available" : seconds(median(cpuMs));
}

function lookUpRatio(ours: Runs, peer: Runs): number {
  return median(
    pairedRatios(
      ours.traffic.map(({ ms }) => ms),
      peer.ms,
    ),
  );
}

function goalsOf(count: number, runs: Compared): Goal[] {
  return peers.flatMap(({ name, isGoal }): Goal[] => {
    const peer = runs[name];
    if (peer === undefined || !isGoal || count < 10) return [];
    const what = `${count} images: time, × \`${name}\``;
    const lookUps = { measure: `look-ups of ${what}`, atMost: 1, measured: lookUpRatio(runs.ours, peer) };
    const whole = {
      measure: `whole \`up\` of ${what}`,
      atMost: 1,
      measured: ratio(runs.ours, peer),
    };
    return count >= 100 ? [lookUps, whole] : [lookUps];
  });
}

function pointsOf(name: string, all: ReadonlyMap<number, Compared>): Point[] {
  return [...all].flatMap(([count, runs]): Point[] => {
    const peer = runs[name];
    return peer === undefined ? [] : [[count, median(peer.ms)]];
  });
}

function leftOutNote(most: number): string[] {
  const leftOut = peers.filter((peer) => peer.most < most).map((peer) => `\`${peer.name}\` above ${peer.most} images`);
  return leftOut.length === 0 ? [] : [`- Left out, since they would take minutes: ${leftOut.join(", ")}.`];
}
