import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { engineFolder } from "../scripts/engine/engine";
import type { Emulator } from "./emulator";
import { type Environment, insideEnvironment } from "./environment";

const defaultStack = "dev";
const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs a command inside the box, in `folder`; resolves to the code that this process should end with. */
export async function runInside(emulator: Emulator, folder: string, command: readonly string[]): Promise<number> {
  const engine = await engineFolder();
  const env = insideEnvironment(process.env, emulator.env);
  env.PATH = [engine, env.PATH ?? ""].join(path.delimiter);
  if (hasProgram(folder) && !(await hasStack(folder, env))) {
    const select = ["stack", "select", "--create", defaultStack, "--non-interactive"];
    const code = await run("pulumi", select, folder, env, "stderr");
    if (code !== 0) return code;
  }
  const [program = "", ...args] = command;
  return run(program, args, folder, env, "inherit");
}

function hasProgram(folder: string): boolean {
  return ["Pulumi.yaml", "Pulumi.yml"].some((name) => existsSync(path.join(folder, name)));
}

async function hasStack(folder: string, env: Environment): Promise<boolean> {
  if (env.PULUMI_STACK) return true;
  return (await run("pulumi", ["stack", "--show-name", "--non-interactive"], folder, env, "quiet")) === 0;
}

/** Signals to this process go to the child, which decides when both end. */
function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Environment,
  output: "inherit" | "stderr" | "quiet",
): Promise<number> {
  return new Promise((resolve) => {
    const stdio = { inherit: "inherit", stderr: ["ignore", 2, 2], quiet: "ignore" } as const;
    const child: ChildProcess = spawn(program, args, { cwd, env, stdio: stdio[output] as "inherit" });
    const forward = (signal: NodeJS.Signals) => child.kill(signal);
    for (const signal of forwarded) process.on(signal, forward);
    const end = (code: number) => {
      for (const signal of forwarded) process.off(signal, forward);
      resolve(code);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      process.stderr.write(`${program}: ${error.code === "ENOENT" ? "command not found" : error.message}\n`);
      end(error.code === "ENOENT" ? 127 : 126);
    });
    child.once("exit", (code, signal) => end(code ?? 128 + constants.signals[signal ?? "SIGTERM"]));
  });
}
