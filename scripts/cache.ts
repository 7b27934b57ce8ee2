import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { withLock } from "./lock.cjs";
import { say } from "./progress";

/** Where downloads and builds are kept, outside every checkout. */
export function cacheFolder(): string {
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "pulumi-acr-import");
}

/**
 * The folder `name` of the cache, filled by `make` the first time. It appears as a whole or not at all, and of several
 * processes that want it one makes it while the others wait.
 */
export async function cached(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  const fill = async () => {
    if (existsSync(folder)) return;
    await removeUnfinished(name);
    const unfinished = await mkdtemp(`${folder}.unfinished-`);
    try {
      await make(unfinished);
      await rename(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  };
  await mkdir(cacheFolder(), { recursive: true });
  await withLock(`${folder}.lock`, fill, () => say(`waiting for another process that prepares ${folder} …`));
  return folder;
}

/** What a killed process left; called by the holder of the lock only. */
async function removeUnfinished(name: string): Promise<void> {
  for (const entry of await readdir(cacheFolder())) {
    if (entry.startsWith(`${name}.unfinished-`)) {
      await rm(path.join(cacheFolder(), entry), { recursive: true, force: true });
    }
  }
}

/** A short name for what something is made from: the given files and texts. */
export async function fingerprint(files: readonly string[], texts: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(await readFile(file)).update("\0");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex").slice(0, 12);
}
