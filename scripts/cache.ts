/** Folders outside the checkout that keep downloads and builds. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { withLock } from "./lock.cjs";
import { printStatus } from "./progress";

export function cacheFolder(): string {
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "pulumi-acr-import");
}

/**
 * Returns the folder `name` of the cache, which `make` fills the first time. The folder is complete or absent; when several
 * processes need it, one makes it and the others wait.
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
  await withLock(`${folder}.lock`, fill, () => printStatus(`waiting for another process that prepares ${folder} …`));
  return folder;
}

/** Removes what a killed process left behind. Only the holder of the lock may call it. */
async function removeUnfinished(name: string): Promise<void> {
  for (const entry of await readdir(cacheFolder())) {
    if (entry.startsWith(`${name}.unfinished-`)) {
      await rm(path.join(cacheFolder(), entry), { recursive: true, force: true });
    }
  }
}

/** A short hash of files and texts, to name what is made from them. */
export async function fingerprint(files: readonly string[], texts: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(await readFile(file)).update("\0");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex").slice(0, 12);
}
