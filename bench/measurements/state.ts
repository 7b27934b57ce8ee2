/** Measures the size of the state, beyond what the engine writes for any resource. */
import type { Bench } from "../bench";
import { bare, images, nothing } from "../programs";
import type { Row, Section } from "../report";
import type { Stack } from "../stack";
import { median } from "../statistics";

/** A resource in the state file, as far as it is measured. */
interface RecordedResource {
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** Sizes of a resource in the state. */
export interface StateSize {
  /** Without the provider text, and without what differs between machines. */
  readonly bytes: number;
  readonly providerText: number;
}

export async function measureState(bench: Bench, count: number): Promise<Section> {
  const sizeOf = async (program: typeof images) => stateSize(await bench.deployed(program, count));
  const least = await sizeOf(bare);
  const rows: Row[] = [];
  for (const program of [nothing, bare, images]) {
    const { bytes, providerText } = await sizeOf(program);
    rows.push([program.title, bytes, bytes - least.bytes, providerText]);
  }
  const ours = await sizeOf(images);
  return {
    title: "State per resource, in bytes",
    method: [
      "Median over the resources of the state file, which the file back end writes as compact JSON. “beyond bare”: minus the size",
      "of a bare resource. Both columns leave out the provider text, which is in the state twice, in inputs and in outputs (the",
      "last column has the size of one), and what the engine adds and differs between machines: times, source positions, stack",
      "traces.",
    ].join("\n"),
    tables: [{ columns: ["resource", "state", "beyond bare", "`__provider`"], rows }],
    goals: [
      { measure: "state beyond bare, per resource", atMost: 1500, measured: ours.bytes - least.bytes, unit: "bytes" },
      { measure: "`__provider`", atMost: 100, measured: ours.providerText, unit: "bytes" },
    ],
  };
}

/** The median sizes of a stack's resources. */
export function stateSize(stack: Stack): StateSize {
  const { checkpoint } = JSON.parse(stack.stateFile()) as { checkpoint: { latest: { resources: RecordedResource[] } } };
  const dynamic = checkpoint.latest.resources.filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic"));
  return {
    bytes: median(dynamic.map(bytesOf)),
    providerText: median(dynamic.map(({ inputs }) => Buffer.byteLength(String(inputs?.__provider ?? "")))),
  };
}

const leftOut = new Set(["__provider", "created", "modified", "sourcePosition", "stackTrace"]);

function bytesOf(resource: RecordedResource): number {
  return Buffer.byteLength(JSON.stringify(resource, (key, value) => (leftOut.has(key) ? undefined : value)));
}
