import { existsSync } from "node:fs";
import path from "node:path";
import { cached, fingerprint } from "../cache";
import { say } from "../progress";
import { buildEngine, buildFiles } from "./build";
import { downloadEngine } from "./download";
import { installedEngine } from "./installed";
import { pluginScript } from "./plugin-script";

/** The engine that this project is tested with; the Go modules beside this file pin the same. */
export const ENGINE_VERSION = "3.259.0";

/**
 * A folder with `pulumi`, `pulumi-language-nodejs` and `pulumi-resource-pulumi-nodejs`, to be put first on PATH: the one
 * of the machine, else the official download, else built from the official Go modules.
 */
export async function engineFolder(): Promise<string> {
  const installed = await installedEngine();
  if (installed.folder !== undefined) return installed.folder;
  const recipe = await fingerprint([...buildFiles, pluginScript()], [process.platform, process.arch]);
  return cached(`engine-${ENGINE_VERSION}-${recipe}`, async (folder) => {
    say(`No Pulumi engine is ready (${installed.reason}). Getting v${ENGINE_VERSION}, once:`);
    try {
      await downloadEngine(ENGINE_VERSION, folder);
    } catch (error) {
      say(`The official download is not possible here: ${(error as Error).message}`);
      await buildEngine(ENGINE_VERSION, folder);
    }
    const missing = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"].filter(
      (name) => !existsSync(path.join(folder, name)),
    );
    if (missing.length > 0) throw new Error(`The engine is incomplete, it lacks ${missing.join(", ")}`);
  });
}
