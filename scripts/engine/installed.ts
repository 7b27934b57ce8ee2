import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { isOlder } from "../go-build";
import { runOrFail } from "../process";

/** The CLI and the SDK are released together, and our peer dependency on the SDK begins here. */
const MINIMUM_VERSION = "3.250.0";

/** The engine on PATH, or why it is of no use. */
export async function installedEngine(
  search = process.env.PATH ?? "",
): Promise<{ folder: string } | { folder: undefined; reason: string }> {
  const unusable = (reason: string) => ({ folder: undefined, reason });
  const found = search
    .split(path.delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, "pulumi"))
    .find((file) => existsSync(file));
  if (found === undefined) return unusable("there is no pulumi on PATH");
  // Package managers link the command; its companions are where the link leads.
  const command = realpathSync(found);
  const folder = path.dirname(command);
  const missing = ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"].find(
    (name) => !existsSync(path.join(folder, name)),
  );
  if (missing !== undefined) return unusable(`${found} comes without ${missing}`);
  try {
    const version = (await runOrFail(command, ["version"], { env: quiet(), timeout: 20_000 })).trim();
    return isOlder(version, MINIMUM_VERSION)
      ? unusable(`${found} is ${version}, older than v${MINIMUM_VERSION}`)
      : { folder };
  } catch (error) {
    return unusable((error as Error).message);
  }
}

function quiet(): NodeJS.ProcessEnv {
  return { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
}
