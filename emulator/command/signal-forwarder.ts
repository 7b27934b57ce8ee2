/** Forwards signals to the command that runs inside the emulator, and ends it when the starter has ended. */
import type { ChildProcess } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { descendants, killTree } from "./process-tree";
import { isRunning, whenStarterEnds } from "./when-starter-ends";

/** The signals that ask a process to end. */
export const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Milliseconds that a command has to end in good order once its starter has ended. */
const graceMs = 10_000;

/** Forwards signals to whichever child runs at the moment. */
export class SignalForwarder {
  #received: NodeJS.Signals | undefined;
  #child: ChildProcess | undefined;
  #treeEnded = Promise.resolve();

  constructor(starter: number | undefined) {
    for (const signal of stopSignals) process.on(signal, () => this.#receive(signal));
    whenStarterEnds(starter, () => this.#endTree());
  }

  /** The first signal so far: no further child is to be started. */
  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  forwardTo(child: ChildProcess): void {
    this.#child = child;
  }

  /** The child has ended; resolves when everything that must end with it has. */
  stopForwarding(): Promise<void> {
    this.#child = undefined;
    return this.#treeEnded;
  }

  #receive(signal: NodeJS.Signals): void {
    this.#received ??= signal;
    // A terminal sends Ctrl-C to the child too; a second SIGINT would make Pulumi abort instead of ending in good order.
    const isFromTerminal =
      signal === "SIGINT" && [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
    if (!isFromTerminal) this.#child?.kill(signal);
  }

  /** The starter has ended: asks the child to end too, then kills what is left of it and its descendants. */
  #endTree(): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) this.#treeEnded = killAfterGrace([pid, ...descendants(pid)]);
    if (!this.#received) this.#receive("SIGTERM");
  }
}

async function killAfterGrace(tree: readonly number[]): Promise<void> {
  const deadline = performance.now() + graceMs;
  while (tree.some(isRunning) && performance.now() < deadline) await wait(50);
  for (const pid of tree.filter(isRunning)) killTree(pid);
}
