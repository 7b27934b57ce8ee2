import path from "node:path";
import { cached, fingerprint } from "../../scripts/cache";
import { run, runOrFail } from "../../scripts/process";
import { withProgress } from "../../scripts/progress";

const MINUTE = 60_000;

/** The interpreter of a virtual environment, kept in the cache, that holds what `requirements/<name>.txt` pins. */
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

/** Its commands name the folder in which they were installed; the interpreter finds its packages wherever it lies. */
function interpreter(folder: string): string {
  return path.join(folder, "bin", "python");
}

async function pythonVersion(): Promise<string> {
  const wanted = "The Azure CLI and the Python SDK need Python 3.10 or newer as `python3`";
  const asked = await run("python3", ["--version"]).catch(() => undefined);
  if (asked?.exitCode !== 0) throw new Error(`${wanted}, and there is none on PATH`);
  const version = asked.stdout.trim().replace("Python ", "");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 3 || (major === 3 && minor < 10)) throw new Error(`${wanted}, this is ${version}`);
  return version;
}
