/** Measures how one `ImportedRepository` grows with its tags, beside a do-nothing resource, single images and other tools. */
import { runOrFail } from "../../scripts/process";
import type { Bench } from "../bench";
import { type Duration, time } from "../duration";
import { countRequests, type Traffic } from "../emulator";
import { factor, range, seconds, whole } from "../figures";
import { type Peaks, peakMemory } from "../memory";
import {
  changeTags,
  createMirror,
  DIGESTS_HOST,
  type Mirror,
  mirrorInto,
  NAMES_HOST,
  nothingLike,
  repositoryOn,
} from "../mirror";
import { environmentWithPeers, type Peer, peers, writeMirrorLists } from "../peers";
import { mirrorRoundsOf, type Plan } from "../plan";
import { images, repositories } from "../programs";
import type { Goal, Row, Section, Table } from "../report";
import { type Command, cpuRatio, inRounds, lookUpMs, type Runs, ratio } from "../rounds";
import type { Operation, Stack } from "../stack";
import { median, pairedRatios } from "../statistics";
import { stateSize } from "./state";

const LATENCY = 150;
/** How long Azure takes for one import, and how many the resource has running at once. */
const IMPORT_MS = 2000;
const AT_ONCE = 16;

/** The most single images, which cost what `ImportedImage` costs; and the most tags of a first `up`, which takes minutes. */
const MOST_SINGLE = 1000;
const FIRST_UPS = [100, 1000];

const PAGE = 1000;
const LINES = 40;
const ARM = / management\.azure\.com\//;
const POLL = /operationResults$/;
const LIST = /^GET .*\/tags\/…$/;

/** The stacks that hold the same tags. */
interface Stacks {
  readonly nothing: Stack;
  /** From a list with digests. */
  readonly digests: Stack;
  /** From a list of names. */
  readonly names: Stack;
  readonly single: Stack | undefined;
}

interface NoOp {
  readonly operation: Operation;
  readonly count: number;
  readonly runs: Record<"nothing" | "digests" | "names", Runs>;
}

interface Size {
  readonly resource: string;
  readonly count: number;
  readonly bytes: number;
  readonly peaks: Peaks;
  /** Of the preview of five changes: those of the text diff of `tags`, and all. */
  readonly lines: { readonly diff: number; readonly all: number } | undefined;
}

interface FirstUp {
  readonly count: number;
  readonly serviceMs: number;
  readonly runs: Record<"nothing" | "ours", Runs>;
}

interface Compared {
  readonly count: number;
  readonly runs: Readonly<Record<string, Runs>> & { readonly ours: Runs };
}

export async function measureMirrors(bench: Bench, plan: Plan): Promise<Section> {
  const noOps: NoOp[] = [];
  const sizes: Size[] = [];
  const firstUps: FirstUp[] = [];
  const compared: Compared[] = [];
  const tools = await environmentWithPeers(bench);
  for (const count of [...plan.tags].sort((one, other) => one - other)) {
    const mirror = createMirror(bench.emulator, `mirrors/tags-${count}`, count, true);
    const stacks = await deploy(bench, mirror);
    const rounds = mirrorRoundsOf(plan, count);
    for (const operation of ["up", "preview"] as const) {
      noOps.push({ operation, count, runs: await measureNoOp(bench, stacks, operation, count, rounds) });
    }
    sizes.push(...(await measureSizes(bench, stacks, mirror)));
    if ("env" in tools) compared.push(await compare(bench, stacks, mirror, tools.env, Math.min(2, rounds)));
    if (FIRST_UPS.includes(count)) firstUps.push(await measureFirstUp(bench, mirror, count < 1000 ? rounds : 1));
  }
  return {
    title: "Mirrors: one `ImportedRepository` with many tags",
    method: method(plan, "reason" in tools ? tools.reason : undefined),
    tables: [
      noOpTable(noOps),
      ...(compared.length > 0 ? [comparisonTable(compared)] : []),
      sizeTable(sizes),
      ...(firstUps.length > 0 ? [firstUpTable(firstUps)] : []),
    ],
    goals: [
      ...noOps.flatMap(noOpGoals),
      ...compared.flatMap(comparisonGoals),
      ...sizeGoals(sizes),
      ...firstUps.flatMap(firstUpGoals),
    ],
  };
}

async function deploy(bench: Bench, mirror: Mirror): Promise<Stacks> {
  return {
    nothing: await bench.deployed(nothingLike(mirror), [repositoryOn(NAMES_HOST, mirror)]),
    digests: await bench.deployed(repositories, [repositoryOn(DIGESTS_HOST, mirror)]),
    names: await bench.deployed(repositories, [repositoryOn(NAMES_HOST, mirror)]),
    single: mirror.images.length <= MOST_SINGLE ? await bench.deployed(images, mirror.images) : undefined,
  };
}

function measureNoOp(
  bench: Bench,
  { nothing, digests, names }: Stacks,
  operation: Operation,
  count: number,
  rounds: number,
): Promise<NoOp["runs"]> {
  const command = (stack: Stack, latency: number): Command => ({
    network: { latency },
    run: () => stack.runNoOp(operation),
  });
  return inRounds(bench, `no-op ${operation} of a mirror with ${count} tags`, rounds, {
    nothing: command(nothing, 0),
    digests: command(digests, 0),
    names: command(names, LATENCY),
  });
}

/** State, memory of a no-op `preview`, and what a preview of five changes prints. */
async function measureSizes(bench: Bench, { nothing, names, single }: Stacks, mirror: Mirror): Promise<Size[]> {
  const count = mirror.images.length;
  const measured: [string, Stack][] = [
    ["do-nothing", nothing],
    [repositories.title, names],
    ...(single ? [[`${count} × ${images.title}`, single] as [string, Stack]] : []),
  ];
  const sizes: Size[] = [];
  for (const [resource, stack] of measured) {
    const { bytes } = stateSize(stack);
    const peaks = await peakMemory(stack);
    sizes.push({ resource, count, bytes: stack === single ? bytes * count : bytes, peaks, lines: undefined });
  }
  if (count < 10) return sizes;
  const undo = changeTags(bench.emulator, mirror);
  try {
    // Of single images, a program would have to know the tags that came and went.
    const text = await names.previewDiff();
    const lines = { diff: countDiffLines(text, "tags"), all: countLines(text) };
    return sizes.map((size) => (size.resource === repositories.title ? { ...size, lines } : size));
  } finally {
    undo();
  }
}

/** The lines of a preview that are not empty. */
function countLines(text: string): number {
  return text.split("\n").filter((line) => line.trim() !== "").length;
}

/** The lines of the text diff of a property in a `preview --diff`. They are indented deeper than properties are. */
export function countDiffLines(preview: string, property: string): number {
  const lines = preview.split("\n");
  const start =
    lines.findIndex(
      (line) =>
        line
          .trim()
          .split(/[\s:]+/, 2)
          .join(" ") === `~ ${property}`,
    ) + 1;
  if (start === 0) return 0;
  const length = lines.slice(start).findIndex((line) => !line.startsWith(" ".repeat(10)));
  return length < 0 ? lines.length - start : length;
}

async function measureFirstUp(bench: Bench, mirror: Mirror, rounds: number): Promise<FirstUp> {
  const count = mirror.images.length;
  let round = 0;
  const ours = () => mirrorInto(`first-up-${++round}/tags-${count}`);
  const runs = await inRounds(bench, `first up of a mirror with ${count} tags`, rounds, {
    nothing: { network: { latency: LATENCY }, run: () => firstUp(bench, nothingLike(mirror), mirror) },
    ours: { network: { latency: LATENCY }, run: () => firstUp(bench, ours(), mirror) },
  });
  return { count, serviceMs: serviceMs(count), runs };
}

/** How long the service takes for so many imports. */
export function serviceMs(count: number): number {
  return Math.ceil(count / AT_ONCE) * IMPORT_MS;
}

async function firstUp(bench: Bench, program: typeof images, mirror: Mirror): Promise<Duration> {
  const stack = await bench.newStack(program, [repositoryOn(NAMES_HOST, mirror)]);
  const { settings } = bench.emulator.state;
  const before = settings.importDurationMs;
  settings.importDurationMs = IMPORT_MS;
  try {
    return await stack.firstUp();
  } finally {
    settings.importDurationMs = before;
  }
}

async function compare(
  bench: Bench,
  { names, single }: Stacks,
  mirror: Mirror,
  env: NodeJS.ProcessEnv,
  rounds: number,
): Promise<Compared> {
  const count = mirror.images.length;
  const lists = await writeMirrorLists(bench, mirror);
  const network = { latency: LATENCY };
  const run = ([command = "", ...args]: readonly string[]) => time(() => runOrFail(command, args, { env }));
  const tools = peers
    .filter((peer) => isCompared(peer, count))
    .map((peer): [string, Command] => [peer.name, { network, run: () => run(peer.command(lists)) }]);
  const runs = await inRounds(bench, `a mirror with ${count} tags beside other tools`, rounds, {
    ours: { network, run: () => names.runNoOp("up") },
    ...(single && { [singleName]: { network, run: () => single.runNoOp("up") } }),
    ...Object.fromEntries(tools),
  });
  return { count, runs };
}

const singleName = `as many ${images.title}`;

function isCompared({ name, most }: Peer, count: number): boolean {
  return count <= most && (name === "regsync check" || name === "crane digest × 16");
}

function method({ rounds }: Plan, reason: string | undefined): string {
  return [
    `One repository whose tags have an image each, selected by \`semver: ">=1"\`; medians of ${Math.min(3, rounds)} rounds (from 1,000 tags of 2). So that a large`,
    "stack is there quickly, the target has all images before its first `up`, which adopts them; only the first `up` that is measured",
    "imports.",
    "",
    "- do-nothing: one `pulumi.dynamic.Resource` with seven one-line methods and the text of all tags and digests in its inputs and",
    "  outputs, so with as much state. It sends no request.",
    "- list with digests: the source is like Artifact Registry, 0 ms away: a request for each page of the list tells all digests. So this",
    "  is what the engine and our own code cost. Nothing is subtracted: the request, the selection and the start of the connection are",
    "  in it. The ratios are those to do-nothing.",
    `- list of names: the source is Docker Hub, ${LATENCY} ms away: a HEAD for each tag. “look-ups”: from the first request to the last response.`,
    "",
    reason === undefined
      ? `The second table compares no-op \`up\`s from that list with other tools: \`regsync check\` of the repository, with \`parallel: 16\`, and
\`crane digest\`, 16 at once, of a list of tags that it need not find out. Single images are resources of one program. The last columns
are time and processor time of the mirror: below 1, it is faster.`
      : `Other tools were not measured: ${reason}.`,
    "",
    "The third table has the state of all resources without provider texts, the peak of resident memory during a no-op `preview`, and the",
    "lines of a `preview --diff` in which three tags move, one comes and one goes: those of the text diff of `tags`, and all that are not",
    "empty. The others are the stack, the unchanged inputs and the summary, and are the same for any number of tags.",
    "",
    `First \`up\`: the emulated service takes ${IMPORT_MS / 1000} s for an import. “service”: the time for all imports, ${AT_ONCE} at once. “expected”: service and`,
    "a do-nothing create. The look-ups are in the time, not in what is expected.",
  ].join("\n");
}

function noOpTable(noOps: readonly NoOp[]): Table {
  return {
    columns: [
      ...["operation", "tags", "do-nothing", "CPU", "list with digests", "ratio", "range", "CPU ratio"],
      ...["list of names", "ratio", "CPU ratio", "look-ups", "GET of the list", "HEAD", "connections"],
    ],
    rows: noOps.map(({ operation, count, runs: { nothing, digests, names } }): Row => {
      const traffic = names.traffic[0] as Traffic;
      return [
        operation,
        count,
        seconds(median(nothing.ms)),
        cpu(nothing),
        seconds(median(digests.ms)),
        factor(ratio(digests, nothing)),
        range(pairedRatios(digests.ms, nothing.ms)),
        factor(cpuRatio(digests, nothing)),
        seconds(median(names.ms)),
        factor(ratio(names, nothing)),
        factor(cpuRatio(names, nothing)),
        seconds(lookUpMs(names)),
        countRequests(traffic, LIST),
        countRequests(traffic, /^HEAD /),
        Math.max(...names.traffic.flatMap(({ connections }) => [...connections.values()])),
      ];
    }),
  };
}

function noOpGoals({ operation, count, runs: { nothing, digests, names } }: NoOp): Goal[] {
  if (count !== 1000) return [];
  const what = `no-op \`${operation}\` of a mirror, 1,000 tags`;
  const cpuMeasured = cpuRatio(digests, nothing);
  const requests: Goal[] = [
    { measure: `${what}: GET of the list`, atMost: count / PAGE, measured: most(names, LIST) },
    { measure: `${what}: HEAD`, atMost: count, measured: most(names, /^HEAD /) },
    { measure: `${what}: HEAD, list with digests`, atMost: 0, measured: most(digests, /^HEAD /) },
  ];
  return [
    { measure: `${what}: time, × do-nothing with as much state`, atMost: 1.2, measured: ratio(digests, nothing) },
    ...(cpuMeasured === undefined
      ? []
      : [{ measure: `${what}: CPU, × do-nothing with as much state`, atMost: 1.2, measured: cpuMeasured }]),
    ...(operation === "up" ? requests : []),
  ];
}

function most({ traffic }: Runs, pattern: RegExp): number {
  return Math.max(...traffic.map((one) => countRequests(one, pattern)));
}

function comparisonTable(compared: readonly Compared[]): Table {
  return {
    columns: ["tags", "command", "time", "CPU", "mirror, × its time", "mirror, × its CPU"],
    rows: compared.flatMap(({ count, runs }) =>
      Object.entries(runs).map(([name, one]): Row => {
        if (name === "ours")
          return [count, `\`pulumi up\`, ${repositories.title}`, seconds(median(one.ms)), cpu(one), "", ""];
        const command = name === singleName ? `\`pulumi up\`, ${name}` : `\`${name}\``;
        const ratios = [factor(ratio(runs.ours, one)), factor(cpuRatio(runs.ours, one))];
        return [count, command, seconds(median(one.ms)), cpu(one), ...ratios];
      }),
    ),
  };
}

function comparisonGoals({ count, runs }: Compared): Goal[] {
  const peer = runs["regsync check"];
  if (peer === undefined || count < 100) return [];
  return [
    {
      measure: `whole \`up\` of a mirror, ${count} tags: time, × \`regsync check\``,
      atMost: 1,
      measured: ratio(runs.ours, peer),
    },
  ];
}

function sizeTable(sizes: readonly Size[]): Table {
  return {
    columns: [
      "tags",
      "resources",
      "state, bytes",
      "per tag",
      "plugin",
      "program",
      "lines of the diff",
      "of the preview",
    ],
    rows: sizes.map(
      ({ count, resource, bytes, peaks, lines }): Row => [
        count,
        resource,
        whole(bytes),
        (bytes / count).toFixed(0),
        megabytes(peaks.plugin),
        megabytes(peaks.program),
        lines?.diff ?? "",
        lines?.all ?? "",
      ],
    ),
  };
}

function sizeGoals(sizes: readonly Size[]): Goal[] {
  return sizes.flatMap(({ count, resource, peaks, lines }): Goal[] => {
    if (resource !== repositories.title) return [];
    const baseline = sizes.find((other) => other.count === count && other.resource === "do-nothing");
    const tags = `${count.toLocaleString("en")} tags`;
    return [
      ...(lines === undefined
        ? []
        : [{ measure: `text diff of five changes, ${tags}: lines`, atMost: LINES, measured: lines.diff }]),
      ...(baseline?.peaks.plugin && count === 1000
        ? [
            {
              measure: `memory of the plugin, ${tags}, × do-nothing with as much state`,
              atMost: 1.3,
              measured: peaks.plugin / baseline.peaks.plugin,
            },
          ]
        : []),
    ];
  });
}

function firstUpTable(firstUps: readonly FirstUp[]): Table {
  return {
    columns: [
      ...["tags", "service", "do-nothing", "`ImportedRepository`", "× expected", "look-ups and imports", "CPU"],
      "requests to Resource Manager per tag, beyond polls",
    ],
    rows: firstUps.map((one): Row => {
      const { count, serviceMs: service, runs } = one;
      return [
        count,
        seconds(service),
        seconds(median(runs.nothing.ms)),
        seconds(median(runs.ours.ms)),
        factor(timesExpected(one)),
        seconds(lookUpMs(runs.ours)),
        cpu(runs.ours),
        perTag(one).toFixed(2),
      ];
    }),
  };
}

function firstUpGoals(one: FirstUp): Goal[] {
  const what = `first \`up\` of a mirror, ${one.count.toLocaleString("en")} tags`;
  return [
    { measure: `${what}: time, × (service + do-nothing)`, atMost: 1.2, measured: timesExpected(one) },
    { measure: `${what}: requests to Resource Manager per tag, beyond polls`, atMost: 2, measured: perTag(one) },
  ];
}

function timesExpected({ serviceMs: service, runs }: FirstUp): number {
  return median(runs.ours.ms.map((ms, round) => ms / (service + (runs.nothing.ms[round] ?? 0))));
}

function perTag({ count, runs }: FirstUp): number {
  const traffic = runs.ours.traffic.at(-1) as Traffic;
  return (countRequests(traffic, ARM) - countRequests(traffic, POLL)) / count;
}

function cpu({ cpuMs }: Runs): string {
  return cpuMs.length === 0 ? "not available" : seconds(median(cpuMs));
}

function megabytes(kilobytes: number): string {
  return kilobytes === 0 ? "not available" : `${(kilobytes / 1024).toFixed(0)} MB`;
}
