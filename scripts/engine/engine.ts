/** The Pulumi engine for tests, demo and bench. */
import { existsSync } from "node:fs";
import path from "node:path";
import { cached, fingerprint } from "../cache";
import { printStatus } from "../progress";
import { buildEngine, buildFiles } from "./build";
import { downloadEngine } from "./download";
import { installedEngine } from "./installed";
import { pluginScript } from "./plugin-script";

/** The version that this project is tested with; the Go modules beside this file pin the same one. */
export const ENGINE_VERSION = "3.259.0";

/**
 * Returns a folder with `pulumi`, `pulumi-language-nodejs` and `pulumi-resource-pulumi-nodejs`, to be put first on PATH: that
 * of the engine installed on this machine, else the official download, else a build from the official Go modules.
 */
export async function engineFolder(): Promise<string> {
  const installed = await installedEngine();
  if (installed.folder !== undefined) return installed.folder;
  const recipe = await fingerprint([...buildFiles, pluginScript()], [process.platform, process.arch]);
  return cached(`engine-${ENGINE_VERSION}-${recipe}`, async (folder) => {
    printStatus(`No usable Pulumi engine was found (${installed.reason}). Setting up v${ENGINE_VERSION}, once:`);
    try {
      await downloadEngine(ENGINE_VERSION, folder);
    } catch (error) {
      printStatus(`The official release could not be downloaded: ${(error as Error).message}`);
      await buildEngine(ENGINE_VERSION, folder);
    }
    const missing = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"].filter(
      (name) => !existsSync(path.join(folder, name)),
    );
    if (missing.length > 0) throw new Error(`The engine is incomplete: ${missing.join(", ")} is missing`);
  });
}
