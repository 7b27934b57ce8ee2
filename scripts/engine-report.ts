/** Reads the event log of the Pulumi CLI. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

export interface StepMetadata {
  op: string;
  urn: string;
  type: string;
  old?: { inputs?: Record<string, unknown>; outputs?: Record<string, unknown> };
  new?: { inputs?: Record<string, unknown>; outputs?: Record<string, unknown> };
}

/** An event of the engine; it has exactly one key besides the first two. */
export interface EngineEvent {
  sequence: number;
  timestamp: number;
  resourcePreEvent?: { metadata: StepMetadata; planning?: boolean };
  resOutputsEvent?: { metadata: StepMetadata; planning?: boolean };
  resOpFailedEvent?: { metadata: StepMetadata };
  diagnosticEvent?: { urn?: string; message: string; severity: string; ephemeral?: boolean };
  summaryEvent?: { resourceChanges: Record<string, number> };
}

/** The changes and messages of one operation. */
export interface EngineReport {
  events: EngineEvent[];
  /** The counts of the CLI's summary without the stack itself: `{ create: 1 }`. */
  changes: Record<string, number>;
  /** The steps of one resource, by its name in the program; several when it is replaced. */
  steps(name: string): StepMetadata[];
  /** Messages of one severity, without color codes. */
  diagnostics(severity: "error" | "warning" | "info"): string[];
}

/** Reads the file of `--event-log`; an operation that failed early has written none. */
export async function readEngineReport(log: string): Promise<EngineReport> {
  if (!existsSync(log)) return toReport([]);
  const lines = (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
  return toReport(lines.map((line) => JSON.parse(line) as EngineEvent));
}

function toReport(events: EngineEvent[]): EngineReport {
  const steps = events.flatMap(({ resourcePreEvent }) => (resourcePreEvent ? [resourcePreEvent.metadata] : []));
  const summary = events.find(({ summaryEvent }) => summaryEvent !== undefined)?.summaryEvent;
  const stack = steps.find(({ type }) => type === "pulumi:pulumi:Stack")?.op;
  const changes = { ...summary?.resourceChanges };
  const counted = stack === "refresh" ? "same" : stack;
  if (counted !== undefined && changes[counted] !== undefined) {
    changes[counted] -= 1;
    if (changes[counted] === 0) delete changes[counted];
  }
  return {
    events,
    changes,
    steps: (name) => steps.filter(({ urn }) => nameOf(urn) === name),
    diagnostics: (severity) =>
      events.flatMap(({ diagnosticEvent: event }) =>
        event?.severity === severity ? [event.message.replace(/<\{%\w+%\}>/g, "")] : [],
      ),
  };
}

/** The resource's name in the program. */
export function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}
