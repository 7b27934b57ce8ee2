/**
 * A random walk through the life of a stack: source tags move, foreign pushes arrive, tags vanish, programs change, Azure
 * fails and the plugin process is killed. `TEST_SEED=…` takes another walk, `TEST_ROUNDS=…` a longer one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "acr-emulator";
import fc from "fast-check";
import { startTestEmulator } from "../support/emulator";
import { digestOf } from "../support/fixtures";
import { until } from "../support/until";
import { type Declaration, loginServer, publish, pushForeignImage, Stack, targetDigest } from "./stack";

const seed = Number(process.env.TEST_SEED ?? 734_012);
const resources = Array.from({ length: 10 }, (_, index) => index);
const names = ["a", "b", "c"];

interface Event {
  readonly kind: "nothing" | "release" | "push" | "vanish" | "tag" | "yield";
  readonly tag: string;
}

interface Round {
  /** What happens to the tags of each resource before the run. */
  readonly events: readonly Event[];
  readonly refresh: boolean;
  /** Use a new plugin process, which does not know the targets of earlier programs. */
  readonly fresh: boolean;
  readonly fault: Fault | undefined;
  /** Kill the plugin process after so many milliseconds of the run. */
  readonly kill: number | undefined;
}

const start = { host: "management.azure.com", method: "POST", path: "/importImage" };
const poll = { host: "management.azure.com", method: "GET", path: "/operationResults/" };
const head = { host: loginServer, method: "HEAD" };
const faults: Fault[] = [
  { ...start, times: 3, status: 500 },
  { ...start, times: 3, status: 429, headers: { "retry-after": "1" } },
  { ...start, times: 3, status: 403, body: { error: { code: "AuthorizationFailed", message: "no" } } },
  { ...start, times: 2, reset: true },
  { ...start, times: 4, loseResponse: true },
  { ...start, times: 4, dropHeaders: ["location"] },
  { ...start, after: 1, times: 3, import: { failWith: "it hit a snag." } },
  { ...start, times: 3, import: { stayPending: 1_500 } },
  { ...start, times: 1, import: { stayPending: 5_000 } },
  { ...start, times: 1, hang: true },
  { ...poll, times: 3, status: 503 },
  { ...poll, times: 3, reset: true },
  { ...poll, times: 2, status: 400, body: { error: { code: "InvalidParameters", message: "Who knows." } } },
  { ...head, times: 4, status: 500 },
  { ...head, after: 4, times: 6, status: 500 },
  { ...head, times: 3, reset: true },
  { ...head, times: 2, status: 429, headers: { "retry-after": "1" } },
  { ...head, after: 6, times: 3, setHeaders: { "docker-content-digest": digestOf("0") } },
];

const never = fc.constant(undefined);
const rounds = fc.sample(
  fc.record<Round>({
    events: fc.array(
      fc.record<Event>({
        kind: fc.constantFrom("nothing", "release", "release", "push", "vanish", "tag", "yield"),
        tag: fc.constantFrom(...names),
      }),
      { minLength: resources.length, maxLength: resources.length },
    ),
    refresh: fc.boolean(),
    fresh: fc.boolean(),
    fault: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...faults) }, { weight: 3, arbitrary: never }),
    kill: fc.oneof({ weight: 1, arbitrary: fc.integer({ min: 50, max: 1_500 }) }, { weight: 4, arbitrary: never }),
  }),
  { seed, numRuns: Number(process.env.TEST_ROUNDS ?? 16) },
);

test(`keeps foreign tags and converges in the next run without faults (TEST_SEED=${seed})`, async () => {
  const emulator = await startTestEmulator();
  const stack = new Stack(emulator);
  const repository = (index: number) => `walk/app-${index}`;
  const target = (index: number, tag: string) => `${repository(index)}:${tag}`;
  const policies = (index: number) => ({
    onConflict: index % 3 === 0 ? "overwrite" : "fail",
    onDelete: index % 2 === 0 ? "untag" : "retain",
  });
  const digests = resources.map((index) => publish(emulator, `${repository(index)}:latest`));
  const tags = resources.map(() => new Set(["a", "b"]));

  const program = (): Record<string, Declaration> =>
    Object.fromEntries(
      resources.map((index) => [
        `app-${index}`,
        {
          source: `docker.io/${repository(index)}:latest`,
          targetTags: [...(tags[index] ?? [])].map((tag) => target(index, tag)),
          ...policies(index),
          customTimeouts: { create: "30s", update: "30s" },
        },
      ]),
    );

  const happen = ({ kind, tag }: Event, index: number): void => {
    if (kind === "release") digests[index] = publish(emulator, `${repository(index)}:latest`);
    else if (kind === "push") pushForeignImage(emulator, target(index, tag));
    else if (kind === "vanish") emulator.server.images.remove(`${loginServer}/${target(index, tag)}`);
    else {
      const wanted = tags[index] ?? new Set();
      if (!wanted.has(tag)) wanted.add(tag);
      else if (wanted.size > 1) {
        // Somebody else moves the tag, and the program drops it before a refresh.
        if (kind === "yield") pushForeignImage(emulator, target(index, tag));
        wanted.delete(tag);
      }
    }
  };

  /** What the registry holds, and which digests are neither desired nor recorded. */
  const look = () =>
    resources.map((index) => {
      const recorded = stack.state.get(`app-${index}`)?.outputs.sourceDigest;
      const holdings = new Map(names.map((tag) => [tag, targetDigest(emulator, target(index, tag))]));
      const foreign = [...holdings].filter(
        ([, digest]) => digest !== undefined && digest !== digests[index] && digest !== recorded,
      );
      const isBlocked = policies(index).onConflict === "fail" && foreign.some(([tag]) => tags[index]?.has(tag));
      return { holdings, foreign, isBlocked };
    });

  /** An import that a killed run left behind would otherwise finish during the next round. */
  const importsEnded = () =>
    until(() => emulator.server.operations.list().every(({ status }) => status.kind !== "pending"));

  const run = async (isQuiet: boolean, kill?: number) => {
    const before = look();
    const running = stack.up(program());
    if (kill !== undefined) {
      await sleep(kill);
      await stack.stopPlugin();
    }
    const { steps, errors } = await running;
    await importsEnded();

    for (const [index, { holdings, foreign, isBlocked }] of before.entries()) {
      const [error, step] = [errors[`app-${index}`], steps[`app-${index}`]];
      const now = (tag: string) => targetDigest(emulator, target(index, tag));
      const context = `resource ${index} (${JSON.stringify(policies(index))}, step ${step}): ${error ?? "no error"}`;

      // Foreign tags stay with onConflict: fail, and with overwrite unless the program declares them.
      for (const [tag, theirs] of foreign) {
        if (policies(index).onConflict === "overwrite" && tags[index]?.has(tag)) continue;
        expect({ context, tag, holds: now(tag) }).toEqual({ context, tag, holds: theirs });
      }
      if (error !== undefined && kill === undefined) {
        expect(error).toMatch(/ \[[A-Z_]+\](\n {2}Hint: |$)/);
        expect(error).not.toMatch(/\n\s+at |undefined|\[object/);
      }
      if (!isQuiet) continue;
      if (step === "same") {
        expect({ context, holdings: new Map(names.map((tag) => [tag, now(tag)])) }).toEqual({ context, holdings });
      } else if (isBlocked) {
        expect(error).toContain("[TARGET_CONFLICT]");
        expect({ context, holdings: new Map(names.map((tag) => [tag, now(tag)])) }).toEqual({ context, holdings });
      } else {
        expect({ context, error }).toEqual({ context, error: undefined });
        const { outputs, initErrors } = stack.resource(`app-${index}`);
        expect({ context, digest: outputs.sourceDigest, initErrors }).toEqual({
          context,
          digest: digests[index],
          initErrors: [],
        });
        for (const tag of tags[index] ?? []) {
          expect({ context, tag, holds: now(tag) }).toEqual({ context, tag, holds: digests[index] });
        }
      }
    }
  };

  for (const { events, refresh, fresh, fault, kill } of rounds) {
    events.forEach(happen);
    if (fresh) await stack.stopPlugin();
    if (refresh) await stack.refresh();
    await emulator.control.faults(...(fault ? [fault] : []));
    await run(fault === undefined && kill === undefined, kill);
    await emulator.control.faults();
  }

  // Without faults, foreign tags block only their own resources; once they are removed, all converge.
  await stack.refresh();
  await run(true);
  look().forEach(({ foreign }, index) => {
    for (const [tag] of foreign) emulator.server.images.remove(`${loginServer}/${target(index, tag)}`);
  });
  await stack.refresh();
  await run(true);
  for (const { isBlocked } of look()) expect(isBlocked).toBe(false);
  expect(new Set(Object.values((await stack.up(program())).steps))).toEqual(new Set(["same"]));
  await stack.stopPlugin();
});
