/** Installs Python packages into cached virtual environments. */

import path from "node:path";
import { cached, fingerprint } from "../../scripts/cache";
import { run, runOrFail } from "../../scripts/process";
import { withProgress } from "../../scripts/progress";

const MINUTE = 60_000;

/** The interpreter of a cached virtual environment with the packages that `requirements/<name>.txt` pins. */
export async function pythonWith(name: string, title: string): Promise<string> {
  const requirements = path.join(__dirname, "requirements", `${name}.txt`);
  const version = await pythonVersion();
  const recipe = await fingerprint([requirements, __filename], [process.platform, process.arch, version]);
  const folder = await cached(`${name}-${recipe}`, (unfinished) =>
    withProgress(title, async () => {
      await runOrFail("python3", ["-m", "venv", unfinished], { timeout: 5 * MINUTE });
      const install = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--requirement"];
      await runOrFail(interpreter(unfinished), [...install, requirements], { timeout: 30 * MINUTE });
    }),
  );
  return interpreter(folder);
}

/** Unlike the commands of a virtual environment, its interpreter still works after the folder has been moved. */
function interpreter(folder: string): string {
  return path.join(folder, "bin", "python");
}

async function pythonVersion(): Promise<string> {
  const requirement = "The Azure CLI and the Python SDK need Python 3.10 or newer as `python3`";
  const result = await run("python3", ["--version"]).catch(() => undefined);
  if (result?.exitCode !== 0) throw new Error(`${requirement}, but PATH has none`);
  const version = result.stdout.trim().replace("Python ", "");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 3 || (major === 3 && minor < 10)) throw new Error(`${requirement}, but found ${version}`);
  return version;
}
