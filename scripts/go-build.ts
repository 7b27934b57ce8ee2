import path from "node:path";
import { run, runOrFail } from "./process";
import { withProgress } from "./progress";

export const MINIMUM_GO = "1.26.6";

export interface GoBuild {
  /** What is built and how long it usually takes, for the person who waits. */
  title: string;
  /** The folder with go.mod and go.sum. */
  module: string;
  packages: readonly string[];
  flags: readonly string[];
}

/** Builds commands of a Go module into `output`, exactly as its go.mod and go.sum pin them. */
export async function goBuild(build: GoBuild, output: string): Promise<void> {
  const missing = await missingGo(build.module);
  if (missing !== undefined) throw new Error(missing);
  const args = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", ...build.flags];
  await withProgress(build.title, () =>
    runOrFail("go", [...args, "-o", `${output}${path.sep}`, ...build.packages], {
      cwd: build.module,
      // A go.work above the checkout or flags of the user's own must not change what the pins say.
      env: { ...process.env, GOWORK: "off", GOFLAGS: "" },
    }),
  );
}

/** Why Go modules cannot be built here; undefined when they can. */
export async function missingGo(module: string): Promise<string | undefined> {
  const wanted = `Go ${MINIMUM_GO} or newer is needed (https://go.dev/dl/)`;
  try {
    // Asked inside the module, where a Go that may fetch a newer toolchain has done so.
    const { exitCode, stdout, stderr } = await run("go", ["env", "GOVERSION"], { cwd: module });
    if (exitCode !== 0) return `${wanted}: ${stderr.trim()}`;
    const version = stdout.trim().replace(/^go/, "");
    return isOlder(version, MINIMUM_GO) ? `${wanted}, this is ${version}` : undefined;
  } catch {
    return `${wanted}, and there is no "go" on PATH`;
  }
}

/** Compares dotted versions by their numbers. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
