/** Counts the requests, connections and bytes of a no-op. */
import type { Bench } from "../bench";
import { countRequests, hostOf, setNetwork, type Traffic, takeTraffic } from "../emulator";
import { whole } from "../figures";
import type { Plan } from "../plan";
import { images, type Program, type SourceImage } from "../programs";
import type { Goal, Row, Section } from "../report";

const LATENCY = 150;

/** Requests to Azure: Resource Manager, Entra, Azure registries. */
export const AZURE = / ([^/]*\.)?(azure\.com|microsoftonline\.com|azurecr\.io)\//;

/** The requests of one no-op `up`, which runs the program once. */
export async function countNoOp(
  bench: Bench,
  program: Program,
  sources: number | readonly SourceImage[],
): Promise<Traffic> {
  const stack = await bench.deployed(program, sources);
  setNetwork(bench.emulator, { latency: LATENCY });
  takeTraffic(bench.emulator);
  await stack.runNoOp("up");
  setNetwork(bench.emulator, { latency: 0 });
  return takeTraffic(bench.emulator);
}

export async function measureRequests(bench: Bench, { counts }: Plan): Promise<Section> {
  const noOps = new Map<number, Traffic>();
  for (const count of counts) noOps.set(count, await countNoOp(bench, images, count));
  return {
    title: "Requests of a no-op, per run of the program",
    method: [
      `Counted by the emulator, with ${LATENCY} ms to the source. A plain \`pulumi up\` runs the program twice, once for its preview. Bytes`,
      "are those of the bodies of requests and responses; a response to HEAD has none.",
    ].join("\n"),
    tables: [
      {
        columns: ["images", "host", "request", "times", "connections to the host", "bytes of the whole run"],
        rows: [...noOps].flatMap(([count, traffic]) => requestRows(count, traffic)),
      },
    ],
    goals: [...noOps].flatMap(([count, traffic]) => (count === 100 ? goalsOf(count, traffic) : [])),
  };
}

function requestRows(count: number, { requests, connections, bytes }: Traffic): Row[] {
  return [...requests].map(([request, times]) => {
    const host = hostOf(request);
    return [count, host, `\`${request.replace(host, "")}\``, times, connections.get(host) ?? 0, whole(bytes)];
  });
}

function goalsOf(count: number, traffic: Traffic): Goal[] {
  const of = (pattern: RegExp) => countRequests(traffic, pattern);
  const pings = [...traffic.requests].filter(([request]) => / [^/]+\/v2\/$/.test(request)).map(([, times]) => times);
  return [
    { measure: `HEAD requests, ${count} images`, atMost: count, measured: of(/^HEAD /) },
    { measure: `token requests, ${count} repositories`, atMost: Math.ceil(count / 20), measured: of(/\/token$/) },
    { measure: "`GET /v2/` per host", atMost: 1, measured: Math.max(0, ...pings) },
    { measure: "requests to Azure", atMost: 0, measured: of(AZURE) },
    { measure: "connections per host", atMost: 32, measured: Math.max(...traffic.connections.values()) },
  ];
}
