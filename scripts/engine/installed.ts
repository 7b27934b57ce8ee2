/** Looks for a Pulumi engine on PATH. */
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { isOlder } from "../go-build";
import { runOrFail } from "../process";

/** That of the peer dependency on the SDK, which is released together with the CLI. */
const MINIMUM_VERSION = "3.250.0";

/** Returns the folder of the engine on PATH, or the reason why there is no usable one. */
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
  // Package managers link the command; the other programs are in the folder that the link points to.
  const command = realpathSync(found);
  const folder = path.dirname(command);
  const missing = ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"].find(
    (name) => !existsSync(path.join(folder, name)),
  );
  if (missing !== undefined) return unusable(`${missing} is missing beside ${found}`);
  try {
    const version = (await runOrFail(command, ["version"], { env: withoutUpdateCheck(), timeout: 20_000 })).trim();
    return isOlder(version, MINIMUM_VERSION)
      ? unusable(`${found} is ${version}, older than v${MINIMUM_VERSION}`)
      : { folder };
  } catch (error) {
    return unusable((error as Error).message);
  }
}

function withoutUpdateCheck(): NodeJS.ProcessEnv {
  return { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
}
