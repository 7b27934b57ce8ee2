import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { descendants, killTree, whenAbandoned } from "../../scripts/process";
import type { Environment } from "./environment";

const defaultStack = "dev";

/** Where and with what a command runs. */
export interface CommandPlace {
  readonly folder: string;
  readonly env: Environment;
  readonly signals: Signals;
}

/**
 * npm passes no signal on through its shell, and cannot when it is killed, so its end is ours. Started without npm the
 * emulator is a server like any other: it gets its signals itself, and outlives the shell that it was started from.
 */
export function whenNpmIsGone(act: () => void): () => void {
  return process.env.npm_lifecycle_event === undefined ? () => {} : whenAbandoned(act);
}

/** Milliseconds that a command with nobody behind it has to end in good order. */
const graceMs = { toldJustNow: 1_000, toldBefore: 10_000 };

/**
 * Signals to this process, for whichever child runs just now. From a terminal Ctrl-C reaches the child by itself; a
 * second one from here would make the Pulumi engine give up instead of ending in good order.
 */
export class Signals {
  #received: NodeJS.Signals | undefined;
  #child: ChildProcess | undefined;
  #treeEnded = Promise.resolve();

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.#receive(signal));
    whenNpmIsGone(() => this.#abandon());
  }

  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  forwardTo(child: ChildProcess): void {
    this.#child = child;
  }

  /** The child has ended; resolves when everything has that must end with it. */
  stopForwarding(): Promise<void> {
    this.#child = undefined;
    return this.#treeEnded;
  }

  #receive(signal: NodeJS.Signals): void {
    this.#received ??= signal;
    const isFromTerminal =
      signal === "SIGINT" && [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
    if (!isFromTerminal) this.#child?.kill(signal);
  }

  /** Nobody waits for the command any more: it ends, with all that it started. */
  #abandon(): void {
    const pid = this.#child?.pid;
    const grace = this.#received ? graceMs.toldBefore : graceMs.toldJustNow;
    if (pid !== undefined) this.#treeEnded = endTree([pid, ...descendants(pid)], grace);
    if (!this.#received) this.#receive("SIGTERM");
  }
}

async function endTree(tree: readonly number[], grace: number): Promise<void> {
  const deadline = performance.now() + grace;
  while (tree.some(isAlive) && performance.now() < deadline) await wait(50);
  for (const pid of tree.filter(isAlive)) killTree(pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
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
    signals.forwardTo(child);
    const end = (code: number) => void signals.stopForwarding().then(() => resolve(code));
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
