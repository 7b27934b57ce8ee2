/**
 * Shows progress on the resource's own row.
 *
 * The engine passes no URN to the provider's methods. The program sends it along; `check`, which always runs before create
 * and update of the same resource in the same process, remembers it under the resource's targets. Progress never fails an
 * operation, and never delays one for more than a moment.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { type TargetNames, targetsKey } from "../resource/state";

/** Reports the phase of an operation, and the image or targets that it works on. */
export type Progress = (phase: keyof typeof DONE, subject: string) => void;

/** What each phase is called when it is over. */
const DONE = { importing: "imported", verifying: "verified", locking: "locked", removing: "removed" } as const;

/**
 * Time between the progress messages of a long operation, in milliseconds. In a terminal a message replaces the one
 * before; in a pipeline log it is a line of its own, so there are few.
 */
const INTERVAL_MS = 15_000;

/** How long the end of an operation waits for its last message to be delivered, in milliseconds. */
const DELIVERY_MS = 1_000;

const urns = new Map<string, Set<string>>();

/** Remembers the URN of the resource with these inputs. */
export function rememberUrn(inputs: TargetNames, urn: string | undefined): void {
  if (urn === undefined) return;
  const key = targetsKey(inputs);
  urns.set(key, (urns.get(key) ?? new Set()).add(urn));
}

/**
 * Runs an operation and shows its first phase at once, later ones with the elapsed time. What changes comes first, because
 * a terminal cuts off the rest. The engine keeps showing the last message behind `created (75s)`, so that one says that
 * the phase is over.
 */
export async function withProgress<T>(inputs: TargetNames, run: (progress: Progress) => Promise<T>): Promise<T> {
  const urn = urnOf(inputs);
  if (urn === undefined) return run(() => {});
  const begin = Date.now();
  const phases: Parameters<Progress>[] = [];
  const timer = setInterval(() => {
    const [phase, subject] = phases.at(-1) ?? [];
    if (phase) void show("info", urn, `${phase}, ${Math.round((Date.now() - begin) / 1000)} s: ${subject}`, true);
  }, INTERVAL_MS);
  let result: T;
  try {
    result = await run((phase, subject) => {
      if (phases.length === 0) void show("info", urn, `${phase} ${subject}`, true);
      phases.push([phase, subject]);
    });
  } finally {
    clearInterval(timer);
  }
  const [phase] = phases[0] ?? [];
  if (phase) {
    const delivered = show("info", urn, DONE[phase], true);
    await Promise.race([delivered, sleep(DELIVERY_MS, undefined, { ref: false })]);
  }
  return result;
}

/** Shows on the row of the resource what it waits for. */
export function inform(urn: string | undefined, message: string): void {
  if (urn !== undefined) void show("info", urn, message, true);
}

const told = new Set<string>();

/** Shows a message about the whole run, once, on the row of the stack. */
export function informOnce(message: string): void {
  if (told.has(message)) return;
  told.add(message);
  void show("info", undefined, message, false);
}

/** Shows a warning that stays under the resource after the run. */
export function warn(urn: string | undefined, message: string): void {
  if (urn !== undefined) void show("warn", urn, message, false);
}

/** The URN of the resource with these inputs, unless two resources have the same targets. */
function urnOf(inputs: TargetNames): string | undefined {
  const [urn, ...others] = urns.get(targetsKey(inputs)) ?? [];
  return others.length === 0 ? urn : undefined;
}

let isConnected = false;

async function show(
  severity: "info" | "warn",
  urn: string | undefined,
  message: string,
  ephemeral: boolean,
): Promise<void> {
  try {
    if (!isConnected) {
      // The plugin process is not set up for logging; its last argument is the engine's address.
      pulumi.runtime.resetOptions("", "", -1, process.argv.at(-1) ?? "", "", false, "");
      isConnected = true;
    }
    const row = urn === undefined ? undefined : ({ urn: pulumi.output(urn) } as unknown as pulumi.Resource);
    await pulumi.log[severity](message, row, undefined, ephemeral);
  } catch {
    // The engine does not listen.
  }
}
