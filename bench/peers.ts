/** Other tools that answer the same question: does the target hold what the source tag means now? */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { regsyncFolder, toolsFolder } from "../scripts/tools/tools";
import type { Bench } from "./bench";
import { createImages } from "./emulator";
import { type Mirror, NAMES_HOST } from "./mirror";
import type { SourceImage } from "./programs";

/** A tool, and up to how many images it is measured: those that take one image after another are too slow for more. */
export interface Peer {
  readonly name: string;
  readonly most: number;
  /** Whether it must be slower than a whole `pulumi up` from 100 images on, and than the look-ups always. */
  readonly isGoal: boolean;
  command(lists: Lists): readonly string[];
}

/** Files that list the images. */
export interface Lists {
  /** References, one per line. */
  readonly references: string;
  readonly regsync: string;
}

const crane = (parallel: number) => (lists: Lists) => [
  ...["sh", "-c", `xargs -n 1 -P ${parallel} crane digest < "$1"`, "sh"],
  lists.references,
];

export const peers: readonly Peer[] = [
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

/** The environment of the bench with the tools on PATH, or the reason why they cannot be built. */
export async function environmentWithPeers({ env }: Bench): Promise<{ env: NodeJS.ProcessEnv } | { reason: string }> {
  const folders: string[] = [];
  for (const tools of [await toolsFolder(), await regsyncFolder()]) {
    if (tools.folder === undefined) return { reason: tools.reason };
    folders.push(tools.folder);
  }
  return { env: { ...env, PATH: [...folders, env.PATH].join(path.delimiter) } };
}

/** Writes the images of the bench as the tools want them. */
export async function writeLists(bench: Bench, count: number): Promise<Lists> {
  const found = createImages(bench.emulator, count);
  const sync = found.map(({ reference }) => ({ ...sourceAndTarget(reference), type: "image" }));
  return writeFiles(bench, `images-${count}`, found, sync);
}

/** Writes the tags of a mirror as the tools want them. */
export async function writeMirrorLists(bench: Bench, { repository, images }: Mirror): Promise<Lists> {
  const sync = { ...sourceAndTarget(`${NAMES_HOST}/${repository}`), type: "repository" };
  return writeFiles(bench, `tags-${images.length}`, images, [sync]);
}

function sourceAndTarget(source: string) {
  return { source, target: source.replace("docker.io", "myregistry.azurecr.io") };
}

async function writeFiles(
  { env, folder }: Bench,
  name: string,
  images: readonly SourceImage[],
  sync: readonly object[],
): Promise<Lists> {
  const lists = {
    references: path.join(folder, `references-of-${name}`),
    regsync: path.join(folder, `regsync-${name}.json`),
  };
  await writeFile(lists.references, images.map(({ reference }) => `${reference}\n`).join(""));
  const config = {
    version: 1,
    creds: [{ registry: "myregistry.azurecr.io", user: env.ARM_CLIENT_ID, pass: env.ARM_CLIENT_SECRET }],
    defaults: { parallel: 16 },
    sync,
  };
  // JSON is YAML.
  await writeFile(lists.regsync, JSON.stringify(config));
  return lists;
}
