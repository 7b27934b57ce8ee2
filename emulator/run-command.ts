import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import type { Environment } from "./environment";

const defaultStack = "dev";

/** Where and with what a command runs. */
export interface CommandPlace {
  readonly folder: string;
  readonly env: Environment;
  readonly signals: Signals;
}

/**
 * Signals to this process, for whichever child runs just now. From a terminal Ctrl-C reaches the child by itself; a
 * second one from here would make the Pulumi engine give up instead of ending in good order.
 */
export class Signals {
  #received: NodeJS.Signals | undefined;
  #forward: ((signal: NodeJS.Signals) => void) | undefined;

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.#receive(signal));
  }

  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  forwardTo(forward: ((signal: NodeJS.Signals) => void) | undefined): void {
    this.#forward = forward;
  }

  #receive(signal: NodeJS.Signals): void {
    this.#received ??= signal;
    const isFromTerminal =
      signal === "SIGINT" && [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
    if (!isFromTerminal) this.#forward?.(signal);
  }
}

/** Runs a command, in a Pulumi project with a stack selected; resolves to the exit code. */
export async function runCommand(command: readonly string[], place: CommandPlace): Promise<number> {
  const restore = hasProject(place.folder) && !(await hasStack(place)) ? await selectStack(place) : undefined;
  try {
    return await run(command, place, ["inherit", "inherit", "inherit"]);
  } finally {
    restore?.();
  }
}

function hasProject(folder: string): boolean {
  return ["Pulumi.yaml", "Pulumi.yml"].some((name) => existsSync(path.join(folder, name)));
}

/**
 * Selects or makes the stack. Making one writes a salt into the stack's configuration file, worthless once the
 * emulator's temporary back end is gone: the function returned takes that back, unless the command changed the file too.
 */
async function selectStack(place: CommandPlace): Promise<() => void> {
  const file = path.join(place.folder, `Pulumi.${defaultStack}.yaml`);
  const before = readIfThere(file);
  const select = ["pulumi", "stack", "select", "--create", defaultStack, "--non-interactive"];
  await run(select, place, ["ignore", "ignore", "inherit"]);
  const made = readIfThere(file);
  return () => {
    if (made === before || readIfThere(file) !== made) return;
    if (before === undefined) rmSync(file);
    else writeFileSync(file, before);
  };
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

async function hasStack(place: CommandPlace): Promise<boolean> {
  if (place.env.PULUMI_STACK) return true;
  const show = ["pulumi", "stack", "--show-name", "--non-interactive"];
  return (await run(show, place, ["ignore", "ignore", "ignore"])) === 0;
}

function run(
  [program = "", ...args]: readonly string[],
  { folder, env, signals }: CommandPlace,
  stdio: ("inherit" | "ignore")[],
): Promise<number> {
  if (signals.received) return Promise.resolve(codeOf(signals.received));
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: folder, env, stdio });
    signals.forwardTo((signal) => child.kill(signal));
    const end = (code: number) => {
      signals.forwardTo(undefined);
      resolve(code);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT";
      process.stderr.write(`${program}: ${isMissing ? "command not found" : error.message}\n`);
      end(isMissing ? 127 : 126);
    });
    child.once("exit", (code, signal) => end(signal ? codeOf(signal) : (code ?? 1)));
  });
}

/** The exit code by which shells tell of a signal. */
function codeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
