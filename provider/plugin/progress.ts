/**
 * Messages on the resource's own row, from the plugin process.
 *
 * The engine hands the provider's methods no URN. The program knows it and sends it along; `check`, which always runs
 * before create and update of the same resource in the same process, remembers it under the resource's targets.
 * Everything here is a convenience: it never fails an operation, nor makes one wait for more than a moment.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { type Inputs, targetNames } from "../resource/state";

/** Tells what the operation is at, and with which image or targets. */
export type Progress = (phase: keyof typeof DONE, what: string) => void;

/** How each phase is called when it is over. */
const DONE = { importing: "imported", verifying: "verified", releasing: "released" } as const;

/**
 * How often a long operation says what it is at, in milliseconds. In a terminal the line replaces the one before; in a
 * pipeline log it is a line of its own, so there are few.
 */
const INTERVAL = 15_000;

/** How long the end of an operation waits for its last message to be taken, in milliseconds. */
const PATIENCE = 1_000;

const urns = new Map<string, Set<string>>();

/** Remembers whose inputs these are. */
export function rememberUrn(inputs: Inputs, urn: string | undefined): void {
  if (urn === undefined) return;
  const key = keyOf(inputs);
  urns.set(key, (urns.get(key) ?? new Set()).add(urn));
}

/**
 * Runs an operation that may take long: its first phase is shown at once, later ones with the time gone by. What changes
 * stands first, because a terminal cuts off the rest. The engine puts the last message behind `created (75s)`, and behind
 * whatever it does to the resource later on, so that one says that it is over.
 */
export async function withProgress<T>(inputs: Inputs, run: (progress: Progress) => Promise<T>): Promise<T> {
  const urn = urnOf(inputs);
  if (urn === undefined) return run(() => {});
  const begin = Date.now();
  const phases: Parameters<Progress>[] = [];
  const timer = setInterval(() => {
    const [phase, what] = phases.at(-1) ?? [];
    if (phase) void show("info", urn, `${phase}, ${Math.round((Date.now() - begin) / 1000)} s: ${what}`, true);
  }, INTERVAL);
  let result: T;
  try {
    result = await run((phase, what) => {
      if (phases.length === 0) void show("info", urn, `${phase} ${what}`, true);
      phases.push([phase, what]);
    });
  } finally {
    clearInterval(timer);
  }
  const [phase] = phases[0] ?? [];
  if (phase) {
    const taken = show("info", urn, DONE[phase], true);
    await Promise.race([taken, sleep(PATIENCE, undefined, { ref: false })]);
  }
  return result;
}

/** Shows a warning that stays under the resource when the run is over. */
export function warn(urn: string | undefined, message: string): void {
  if (urn !== undefined) void show("warn", urn, message, false);
}

/** The URN of the resource with these inputs, unless two resources have the same targets. */
function urnOf(inputs: Inputs): string | undefined {
  const [urn, ...others] = urns.get(keyOf(inputs)) ?? [];
  return others.length === 0 ? urn : undefined;
}

function keyOf(inputs: Inputs): string {
  return JSON.stringify([inputs.loginServer, targetNames(inputs)]);
}

let connected = false;

async function show(severity: "info" | "warn", urn: string, message: string, ephemeral: boolean): Promise<void> {
  try {
    if (!connected) {
      // The plugin process was not set up for logging; its last argument is the engine's address.
      pulumi.runtime.resetOptions("", "", -1, process.argv.at(-1) ?? "", "", false, "");
      connected = true;
    }
    const row = { urn: pulumi.output(urn) } as unknown as pulumi.Resource;
    await pulumi.log[severity](message, row, undefined, ephemeral);
  } catch {
    // Nobody is listening.
  }
}
