/** Measures other tools that answer the same question: does the target hold what the source tag means now? */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { run, runOrFail } from "../../scripts/process";
import { regsyncFolder, toolsFolder } from "../../scripts/tools/tools";
import { azureCli } from "../azure-cli";
import type { Bench } from "../bench";
import { type Duration, time } from "../duration";
import { createImages, setNetwork, takeTraffic } from "../emulator";
import { factor, seconds } from "../figures";
import { images } from "../programs";
import type { Goal, Row, Section, Series } from "../report";
import { type Command, cpuRatio, inRounds, lookUpMs, type Runs } from "../rounds";
import { median, type Point, pairedRatios } from "../statistics";

const LATENCY = 150;

/** A tool, and up to how many images it is measured: those that take one image after another are too slow for more. */
interface Peer {
  readonly name: string;
  readonly most: number;
  /** Whether it must be slower than a whole `pulumi up` from 100 images on, and than the look-ups always. */
  readonly isGoal: boolean;
  command(lists: Lists): readonly string[];
}

/** Files that list the images. */
interface Lists {
  /** References, one per line. */
  readonly references: string;
  readonly regsync: string;
}

const crane = (parallel: number) => (lists: Lists) => [
  ...["sh", "-c", `xargs -n 1 -P ${parallel} crane digest < "$1"`, "sh"],
  lists.references,
];

const peers: readonly Peer[] = [
  {
    name: "regsync check",
    most: 100,
    isGoal: true,
    command: ({ regsync }) => ["regsync", "check", "--config", regsync],
  },
  {
    name: "regsync once",
    most: 100,
    isGoal: false,
    command: ({ regsync }) => ["regsync", "once", "--config", regsync],
  },
  { name: "crane digest", most: 100, isGoal: true, command: crane(1) },
  { name: "crane digest × 16", most: 1000, isGoal: false, command: crane(16) },
];

type Compared = Readonly<Record<string, Runs>> & { readonly ours: Runs };

export async function measurePeers(bench: Bench, counts: readonly number[], rounds: number): Promise<Section> {
  const env = await environmentWithPeers(bench);
  const all = new Map<number, Compared>();
  for (const count of counts) all.set(count, await compare(bench, count, count < 1000 ? rounds : 2, env));
  const most = Math.max(...counts);
  return {
    title: "Other tools, the same images",
    method: [
      `Is there anything to import? Medians of ${rounds} rounds (at 1,000 images of 2), ${LATENCY} ms to Docker Hub, none to Azure, the same images and emulator.`,
      "Each tool runs as a process; the last columns have the ratio of our time to its time: that of the whole `pulumi up`, and that",
      "of our look-ups alone, without the engine. Below 1, we are faster.",
      "",
      "- `regsync check` and `regsync once`, configured with `parallel: 16`: they compare each tag of the source with the target.",
      "- `crane digest`: one process per image, one after another or 16 at once (`xargs -P`). It reads the source only.",
      ...(await azureCliNote(bench)),
      `- Left out where they would take minutes: ${peers
        .filter((peer) => peer.most < most)
        .map(({ name, most: limit }) => `\`${name}\` above ${limit} images`)
        .join(", ")}.`.replace(/^.*: \.$/, ""),
    ]
      .filter((line) => line !== "- ")
      .join("\n"),
    tables: [
      {
        columns: [
          "tool",
          "images",
          "time",
          "CPU",
          "`pulumi up`",
          "its look-ups",
          "`pulumi up` / tool",
          "look-ups / tool",
          "CPU, `up` / tool",
        ],
        rows: [...all].flatMap(([count, runs]) => rowsOf(count, runs)),
      },
    ],
    goals: [...all].flatMap(([count, runs]) => goalsOf(count, runs)),
    series: peers.map(({ name }): Series => ({ name, points: pointsOf(name, all) })),
  };
}

async function environmentWithPeers({ env }: Bench): Promise<NodeJS.ProcessEnv> {
  const folders = [await toolsFolder(), await regsyncFolder()].map((tools) => {
    if (tools.folder === undefined) throw new Error(`the other tools cannot be built: ${tools.reason}`);
    return tools.folder;
  });
  return { ...env, PATH: [...folders, env.PATH].join(path.delimiter) };
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

async function writeLists({ emulator, env, folder }: Bench, count: number): Promise<Lists> {
  const found = createImages(emulator, count);
  const lists = {
    references: path.join(folder, `references-${count}`),
    regsync: path.join(folder, `regsync-${count}.json`),
  };
  await writeFile(lists.references, found.map(({ reference }) => `${reference}\n`).join(""));
  const config = {
    version: 1,
    creds: [{ registry: "myregistry.azurecr.io", user: env.ARM_CLIENT_ID, pass: env.ARM_CLIENT_SECRET }],
    defaults: { parallel: 16 },
    sync: found.map(({ reference }) => ({
      source: reference,
      target: reference.replace("docker.io", "myregistry.azurecr.io"),
      type: "image",
    })),
  };
  // JSON is YAML.
  await writeFile(lists.regsync, JSON.stringify(config));
  return lists;
}

function timed([command = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<Duration> {
  return time(() => runOrFail(command, args, { env }));
}

function rowsOf(count: number, runs: Compared): Row[] {
  return peers.flatMap(({ name }): Row[] => {
    const peer = runs[name];
    if (peer === undefined) return [];
    return [
      [
        `\`${name}\``,
        count,
        seconds(median(peer.ms)),
        peer.cpuMs.length === 0 ? "not available" : seconds(median(peer.cpuMs)),
        seconds(median(runs.ours.ms)),
        seconds(lookUpMs(runs.ours)),
        factor(median(pairedRatios(runs.ours.ms, peer.ms))),
        factor(lookUpRatio(runs.ours, peer)),
        factor(cpuRatio(runs.ours, peer)),
      ],
    ];
  });
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
    if (peer === undefined || !isGoal) return [];
    const what = `${count} images: time, × \`${name}\``;
    const lookUps = { measure: `look-ups of ${what}`, atMost: 1, measured: lookUpRatio(runs.ours, peer) };
    const whole = {
      measure: `whole \`up\` of ${what}`,
      atMost: 1,
      measured: median(pairedRatios(runs.ours.ms, peer.ms)),
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

/** What people do today: one `az acr import` per image, whether or not something moved. */
async function azureCliNote(bench: Bench): Promise<string[]> {
  const times = await timeAzureCli(bench);
  if (times === undefined) {
    return [
      "- `az acr import` is not measured, since `npm run conformance` has not installed the Azure CLI on this machine. The page of its",
      "  results has the time of each call ([conformance](../test/conformance/RESULTS.md)).",
    ];
  }
  const call = median(times);
  return [
    `- \`az acr import\`, which copies again whether or not something moved, takes ${seconds(call)} per image and process (median of ${times.length} calls`,
    `  against the emulator, where a copy takes no time), so about ${(call / 10).toFixed(0)} s for 100 images in a loop.`,
  ];
}

const CALLS = 5;

async function timeAzureCli({ emulator, env }: Bench): Promise<number[] | undefined> {
  const az = azureCli();
  if (az === undefined) return undefined;
  const { ARM_CLIENT_ID = "", ARM_CLIENT_SECRET = "", ARM_TENANT_ID = "" } = env;
  const identity = ["--username", ARM_CLIENT_ID, "--password", ARM_CLIENT_SECRET, "--tenant", ARM_TENANT_ID];
  const call = async (args: readonly string[]) => {
    const { exitCode, stderr } = await run(az.command, [...az.args, ...args], { env });
    if (exitCode !== 0) throw new Error(`az ${args.slice(0, 2).join(" ")} failed: ${stderr}`);
  };
  await call(["login", "--service-principal", ...identity]);
  setNetwork(emulator, { latency: LATENCY });
  const times: number[] = [];
  for (const { reference, name } of createImages(emulator, CALLS)) {
    const { ms } = await time(() =>
      call(["acr", "import", "--name", "myregistry", "--source", reference, "--image", `az/${name}:1`, "--force"]),
    );
    times.push(ms);
  }
  setNetwork(emulator, { latency: 0 });
  takeTraffic(emulator);
  return times;
}
