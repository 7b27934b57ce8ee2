import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
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
  if (hasProject(place.folder) && !(await hasStack(place))) {
    const select = ["pulumi", "stack", "select", "--create", defaultStack, "--non-interactive"];
    const code = await run(select, place, ["ignore", "ignore", "inherit"]);
    if (code !== 0) return code;
  }
  return run(command, place, ["inherit", "inherit", "inherit"]);
}

function hasProject(folder: string): boolean {
  return ["Pulumi.yaml", "Pulumi.yml"].some((name) => existsSync(path.join(folder, name)));
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
