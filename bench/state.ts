import { bare, type Program } from "./programs";
import type { Section, Table } from "./report";
import type { Stack } from "./stack";
import { median } from "./statistics";

/** A resource as the state file has it, as far as it is measured. */
interface RecordedResource {
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** What stands in the state beyond what the engine writes for any resource. */
export function measureState(stacks: ReadonlyMap<Program, Stack>): Section {
  const yardstick = stacks.get(bare);
  const bareBytes = yardstick && typical(yardstick, bytesOf);
  const rows = [...stacks].map(([{ title }, stack]): Table["rows"][number] => {
    const bytes = typical(stack, bytesOf);
    return [
      title,
      bytes,
      bytes - (bareBytes ?? 0),
      typical(stack, ({ inputs }) => byteLength(inputs?.__provider ?? "")),
    ];
  });
  return {
    title: "State per resource, in bytes",
    method: [
      "Median over the resources of the state file, which the file back end writes as compact JSON. “beyond bare”: less what a",
      "bare resource takes. The provider text is left out of both on every side: it stands in the state twice, in inputs and",
      "in outputs, and the last column is the size of one.",
    ].join("\n"),
    tables: [{ columns: ["resource", "state", "beyond bare", "`__provider`"], rows }],
  };
}

function typical(stack: Stack, measure: (resource: RecordedResource) => number): number {
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
