/** Runs a command inside the emulator, in a Pulumi project with a stack selected. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import type { Environment } from "./environment";
import type { SignalForwarder } from "./signal-forwarder";

const defaultStack = "dev";

export interface CommandOptions {
  readonly folder: string;
  readonly env: Environment;
  readonly signals: SignalForwarder;
}

/** Runs a command; resolves to its exit code, 127 when it does not exist, 128 and the number of the signal that ended it. */
export async function runCommand(command: readonly string[], options: CommandOptions): Promise<number> {
  const restore = hasProject(options.folder) && !(await hasStack(options)) ? await selectStack(options) : undefined;
  try {
    return await run(command, options, ["inherit", "inherit", "inherit"]);
  } finally {
    restore?.();
  }
}

function hasProject(folder: string): boolean {
  return ["Pulumi.yaml", "Pulumi.yml"].some((name) => existsSync(path.join(folder, name)));
}

/**
 * Selects or creates the default stack. Creating one writes a salt into the stack's configuration file, which is useless
 * without the emulator's temporary backend: the returned function undoes that, unless the command changed the file too.
 */
async function selectStack(options: CommandOptions): Promise<() => void> {
  const file = path.join(options.folder, `Pulumi.${defaultStack}.yaml`);
  const before = readIfExists(file);
  const select = ["pulumi", "stack", "select", "--create", defaultStack, "--non-interactive"];
  await run(select, options, ["ignore", "ignore", "inherit"]);
  const written = readIfExists(file);
  return () => {
    if (written === before || readIfExists(file) !== written) return;
    if (before === undefined) rmSync(file);
    else writeFileSync(file, before);
  };
}

function readIfExists(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

async function hasStack(options: CommandOptions): Promise<boolean> {
  if (options.env.PULUMI_STACK) return true;
  const show = ["pulumi", "stack", "--show-name", "--non-interactive"];
  return (await run(show, options, ["ignore", "ignore", "ignore"])) === 0;
}

function run(
  [program = "", ...args]: readonly string[],
  { folder, env, signals }: CommandOptions,
  stdio: ("inherit" | "ignore")[],
): Promise<number> {
  if (signals.received) return Promise.resolve(exitCodeOf(signals.received));
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: folder, env, stdio });
    signals.forwardTo(child);
    const end = (code: number) => void signals.stopForwarding().then(() => resolve(code));
    child.once("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT";
      process.stderr.write(`${program}: ${isMissing ? "command not found" : error.message}\n`);
      end(isMissing ? 127 : 126);
    });
    child.once("exit", (code, signal) => end(signal ? exitCodeOf(signal) : (code ?? 1)));
  });
}

/** The exit code that shells use for a signal. */
function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
