/** The Azure CLI that `npm run conformance` has installed. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../scripts/cache";

/** How to run it; `undefined` where it is not installed: 700 MB are too much for a bench. */
export function azureCli(): { command: string; args: readonly string[] } | undefined {
  const installed = existsSync(cacheFolder())
    ? readdirSync(cacheFolder()).find((name) => /^azure-cli-[0-9a-f]+$/.test(name))
    : undefined;
  if (installed === undefined) return undefined;
  return { command: path.join(cacheFolder(), installed, "bin", "python"), args: ["-I", "-m", "azure.cli"] };
}
