/**
 * Messages on the resource's own row, from the plugin process.
 *
 * The engine hands the provider's methods no URN. The program knows it and sends it along; `check`, which always runs
 * before create and update of the same resource in the same process, remembers it under the resource's targets.
 * Everything here is a convenience: it never fails an operation and never makes one wait.
 */
import * as pulumi from "@pulumi/pulumi";
import { type Inputs, targetNames } from "./record";

/** Tells what the operation is at. */
export type Progress = (phase: string) => void;

/**
 * How often a long operation says what it is at, in milliseconds. In a terminal the line replaces the one before; in a
 * pipeline log it is a line of its own, so there are few.
 */
const INTERVAL = 15_000;

const urns = new Map<string, Set<string>>();

/** Remembers whose inputs these are. */
export function rememberUrn(inputs: Inputs, urn: string | undefined): void {
  if (urn === undefined) return;
  const key = keyOf(inputs);
  urns.set(key, (urns.get(key) ?? new Set()).add(urn));
}

/** Runs an operation that may take long: its first phase is shown at once, later ones with the time gone by. */
export async function withProgress<T>(inputs: Inputs, run: (progress: Progress) => Promise<T>): Promise<T> {
  const urn = urnOf(inputs);
  if (urn === undefined) return run(() => {});
  const start = Date.now();
  let phase = "";
  const timer = setInterval(() => {
    show("info", urn, `${phase}, ${Math.round((Date.now() - start) / 1000)} s`, true);
  }, INTERVAL);
  try {
    return await run((now) => {
      if (phase === "") show("info", urn, now, true);
      phase = now;
    });
  } finally {
    clearInterval(timer);
  }
}

/** Shows a warning that stays under the resource when the run is over. */
export function warn(urn: string | undefined, message: string): void {
  if (urn !== undefined) show("warn", urn, message, false);
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

function show(severity: "info" | "warn", urn: string, message: string, ephemeral: boolean): void {
  try {
    if (!connected) {
      // The plugin process was not set up for logging; its last argument is the engine's address.
      pulumi.runtime.resetOptions("", "", -1, process.argv.at(-1) ?? "", "", false, "");
      connected = true;
    }
    const row = { urn: pulumi.output(urn) } as unknown as pulumi.Resource;
    pulumi.log[severity](message, row, undefined, ephemeral).catch(() => {});
  } catch {
    // Nobody is listening.
  }
}
