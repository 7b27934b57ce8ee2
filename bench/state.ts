/** Measures the size of the state, beyond what the engine writes for any resource. */
import { bare, type Program } from "./programs";
import type { Section, Table } from "./report";
import type { Stack } from "./stack";
import { median } from "./statistics";

/** A resource in the state file, as far as it is measured. */
interface RecordedResource {
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

export function measureState(stacks: ReadonlyMap<Program, Stack>): Section {
  const baseline = stacks.get(bare);
  const bareBytes = baseline && medianOf(baseline, bytesOf);
  const rows = [...stacks].map(([{ title }, stack]): Table["rows"][number] => {
    const bytes = medianOf(stack, bytesOf);
    return [
      title,
      bytes,
      bytes - (bareBytes ?? 0),
      medianOf(stack, ({ inputs }) => byteLength(inputs?.__provider ?? "")),
    ];
  });
  return {
    title: "State per resource, in bytes",
    method: [
      "Median over the resources of the state file, which the file back end writes as compact JSON. “beyond bare”: minus the size",
      "of a bare resource. Both columns leave out the provider text, which is in the state twice, in inputs and in outputs; the last",
      "column has the size of one.",
    ].join("\n"),
    tables: [{ columns: ["resource", "state", "beyond bare", "`__provider`"], rows }],
  };
}

function medianOf(stack: Stack, measure: (resource: RecordedResource) => number): number {
  const { checkpoint } = JSON.parse(stack.stateFile()) as { checkpoint: { latest: { resources: RecordedResource[] } } };
  const dynamic = checkpoint.latest.resources.filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic"));
  return median(dynamic.map(measure));
}

function bytesOf(resource: RecordedResource): number {
  return byteLength(resource, (key, value) => (key === "__provider" ? undefined : value));
}

function byteLength(value: unknown, replacer?: (key: string, value: unknown) => unknown): number {
  return Buffer.byteLength(typeof value === "string" ? value : JSON.stringify(value, replacer));
}
