/** Builds commands from Go modules. */
import path from "node:path";
import { run, runOrFail } from "./process";
import { withProgress } from "./progress";

export const MINIMUM_GO = "1.26.6";

export interface GoBuild {
  /** What is built and how long it usually takes; printed while it runs. */
  title: string;
  /** The folder with go.mod and go.sum. */
  module: string;
  packages: readonly string[];
  flags: readonly string[];
  /** Runs with a low priority, so that a build of minutes leaves the machine usable. @default false */
  isLong?: boolean;
}

/** Builds commands of a Go module into `output`, in exactly the versions that its go.mod and go.sum pin. */
export async function goBuild(build: GoBuild, output: string): Promise<void> {
  const missing = await missingGo(build.module);
  if (missing !== undefined) throw new Error(missing);
  const args = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", ...build.flags];
  const [command = "go", ...prefix] =
    build.isLong && process.platform !== "win32" ? ["nice", "-n", "10", "go"] : ["go"];
  await withProgress(build.title, () =>
    runOrFail(command, [...prefix, ...args, "-o", `${output}${path.sep}`, ...build.packages], {
      cwd: build.module,
      // A go.work file above the checkout or the user's own flags must not change the pinned versions.
      env: { ...process.env, GOWORK: "off", GOFLAGS: "" },
    }),
  );
}

/** The reason why Go modules cannot be built here; `undefined` when they can. */
export async function missingGo(module: string): Promise<string | undefined> {
  const required = `Go ${MINIMUM_GO} or newer is needed (https://go.dev/dl/)`;
  try {
    // Run inside the module, where Go may have switched to a newer toolchain.
    const { exitCode, stdout, stderr } = await run("go", ["env", "GOVERSION"], { cwd: module });
    if (exitCode !== 0) return `${required}: ${stderr.trim()}`;
    const version = stdout.trim().replace(/^go/, "");
    return isOlder(version, MINIMUM_GO) ? `${required}, this is ${version}` : undefined;
  } catch {
    return `${required}, and there is no "go" on PATH`;
  }
}

/** Compares the first three numbers of two versions. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
