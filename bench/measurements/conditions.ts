/** Measures a no-op under other conditions: without a proxy, with slow connections, in TypeScript. */
import type { Bench } from "../bench";
import { openDirectRoute } from "../direct";
import { SOURCE_HOSTS } from "../emulator";
import { factor, range, seconds } from "../figures";
import { images, imagesInTypeScript, nothing, nothingInTypeScript, type Program } from "../programs";
import type { Row, Section } from "../report";
import { type Command, cpuRatio, inRounds, lookUpMs, type Runs, ratio } from "../rounds";
import { median, pairedRatios } from "../statistics";

const LATENCY = 150;

export async function measureConditions(
  bench: Bench,
  { count, rounds }: { count: number; rounds: number },
): Promise<Section> {
  const direct = await openDirectRoute(bench.emulator.proxy, SOURCE_HOSTS);
  const command = async (
    program: Program,
    more: { connecting?: boolean; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Command> => {
    const stack = await bench.deployed(program, count);
    const { connecting = false, env = {} } = more;
    return { network: { latency: LATENCY, connecting }, run: () => stack.runNoOp("up", { env }) };
  };
  try {
    const runs = await inRounds(bench, `no-op up of ${count} images, other conditions`, rounds, {
      nothing: await command(nothing),
      plain: await command(images),
      direct: await command(images, { env: direct.env }),
      connecting: await command(images, { connecting: true }),
      typescriptNothing: await command(nothingInTypeScript),
      typescript: await command(imagesInTypeScript),
    });
    return {
      title: "No-op `up` under other conditions",
      method: [
        `${count} images, ${LATENCY} ms to the source, medians of ${rounds} rounds. The emulator is an HTTPS proxy; without a proxy, the client's connections`,
        "are redirected to ports of this machine, where TLS ends in the emulator all the same. Ratios are those to do-nothing in",
        "the same language.",
      ].join("\n"),
      tables: [
        {
          columns: [
            "condition",
            "do-nothing",
            "`ImportedImage`",
            "ratio",
            "range",
            "CPU ratio",
            "look-ups",
            "connections",
          ],
          rows: [
            row("JavaScript, through the proxy", runs.plain, runs.nothing),
            row("… without a proxy", runs.direct, runs.nothing),
            row(`… a new connection takes ${2 * LATENCY} ms`, runs.connecting, runs.nothing),
            row("TypeScript, through the proxy", runs.typescript, runs.typescriptNothing),
          ],
        },
      ],
    };
  } finally {
    direct.close();
  }
}

function row(condition: string, ours: Runs, baseline: Runs): Row {
  return [
    condition,
    seconds(median(baseline.ms)),
    seconds(median(ours.ms)),
    factor(ratio(ours, baseline)),
    range(pairedRatios(ours.ms, baseline.ms)),
    factor(cpuRatio(ours, baseline)),
    seconds(lookUpMs(ours)),
    Math.max(...ours.traffic.flatMap(({ connections }) => [...connections.values()])),
  ];
}
