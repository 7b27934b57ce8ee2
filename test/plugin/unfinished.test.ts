/** What is recorded when a run fails halfway, and how the next run continues. */
import { holdImports, useEmulator } from "../support/emulator";
import { PluginError } from "../support/plugin";
import { until } from "../support/until";
import {
  freshStack,
  importCount,
  importRequested,
  loginServer,
  publish,
  pushForeignImage,
  Stack,
  targetDigest,
} from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let first: string;

beforeEach(async () => {
  await emulator.control.clearRequests();
  ({ stack, repository, first } = freshStack(emulator));
});
afterEach(async () => {
  await emulator.control.faults();
  emulator.server.state.settings.importDurationMs = 0;
});

const tags = (...names: string[]) => ({
  source: `docker.io/${repository}:1`,
  targetTags: names.map((name) => `${repository}:${name}`),
});
const holds = (tag: string) => targetDigest(emulator, `${repository}:${tag}`);
const imports = { method: "POST", path: "/importImage" };
const failing = { import: { failWith: "it hit a snag." } };

test("an update whose second import fails records the first, and the next run does only the rest", async () => {
  await stack.up({ image: tags("ours") });
  const second = publish(emulator, `${repository}:1`);
  await emulator.control.faults({ ...imports, after: 1, ...failing });
  const { errors } = await stack.up({ image: tags("ours", "new") });
  expect(errors.image).toMatch(/^target: the import of .* failed: .*it hit a snag.* \[IMPORT_FAILED\]/);
  const { id, outputs, initErrors, inputs } = stack.resource();
  expect(id).toBe(`${loginServer}/${repository}:ours`);
  expect(initErrors).toEqual([errors.image]);
  // The engine keeps the new outputs and the old inputs.
  expect(outputs).toMatchObject({ sourceDigest: second, targets: { [`${repository}:ours`]: second } });
  expect(inputs).toMatchObject({ sourceDigest: first });
  expect([holds("ours"), holds("new")]).toEqual([second, undefined]);

  await emulator.control.faults();
  await emulator.control.clearRequests();
  expect(await stack.up({ image: tags("ours", "new") })).toEqual({ steps: { image: "update" }, errors: {} });
  expect(importCount(emulator)).toBe(1);
  expect([holds("ours"), holds("new")]).toEqual([second, second]);
  expect(stack.resource().initErrors).toEqual([]);
});

test("a failed create leaves nothing in the state", async () => {
  await emulator.control.faults({ ...imports, ...failing });
  const plugin = await stack.plugin();
  const { inputs } = await plugin.check(stack.inputs("image", tags("1")));
  const error = await plugin.create(inputs).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PluginError);
  expect(error).toMatchObject({ message: expect.stringContaining("[IMPORT_FAILED]"), initFailure: undefined });
  expect(String(error)).not.toMatch(/\n\s+at /);
});

test("a create fails without touching any tag when one of them was taken meanwhile", async () => {
  // The tag is taken after the plan and before the import.
  const release = await holdImports(emulator);
  const up = stack.up({ image: tags("a", "b") });
  await importRequested(emulator);
  const theirs = pushForeignImage(emulator, `${repository}:b`);
  await release();
  const { errors } = await up;
  expect(errors.image).toContain(`${loginServer}/${repository}:b holds ${theirs}`);
  expect(errors.image).toContain("[TARGET_CONFLICT]");
  expect(importCount(emulator)).toBe(1);
  expect([holds("a"), holds("b")]).toEqual([undefined, theirs]);
  expect(stack.state.size).toBe(0);
});

test("a tag that was taken meanwhile is adopted when it holds the same digest", async () => {
  // Another run of the same program is faster.
  await stack.up({ other: tags("b") });
  const release = await holdImports(emulator);
  await emulator.control.clearRequests();
  const up = stack.up({ other: tags("b"), image: tags("a") });
  await importRequested(emulator);
  emulator.server.state.registries.find(({ name }) => name === "myregistry")?.store.setTag(repository, "a", first);
  await release();
  expect((await up).errors).toEqual({});
  expect(emulator.server.operations.list().at(-1)?.status.kind).toBe("failed");
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, verifiedBy: "digest" });
});

test("an update that loses the race for its new tag records the tags that it moved", async () => {
  await stack.up({ image: tags("ours") });
  const second = publish(emulator, `${repository}:1`);
  const release = await holdImports(emulator);
  await emulator.control.clearRequests();
  const up = stack.up({ image: tags("ours", "new") });
  await importRequested(emulator);
  const theirs = pushForeignImage(emulator, `${repository}:new`);
  await release();
  const { errors } = await up;
  expect(errors.image).toContain("[TARGET_CONFLICT]");
  expect(stack.resource().outputs).toMatchObject({
    sourceDigest: second,
    targets: { [`${repository}:ours`]: second, [`${repository}:new`]: theirs },
  });
  expect(holds("new")).toBe(theirs);

  expect((await stack.up({ image: { ...tags("ours", "new"), onConflict: "overwrite" } })).errors).toEqual({});
  expect([holds("ours"), holds("new")]).toEqual([second, second]);
});

test("customTimeouts ends the wait for a stuck import, and a later run adopts its result (Azure/azure-cli#23142)", async () => {
  const release = await holdImports(emulator);
  const limited = { ...tags("1"), customTimeouts: { create: "4s" } };
  const { errors } = await stack.up({ image: limited });
  expect(errors.image).toMatch(
    /did not (finish|complete) within \d+ s \[IMPORT_TIMED_OUT\]\n {2}Hint: .*opts\.customTimeouts/,
  );
  expect(stack.state.size).toBe(0);

  await release();
  await until(() => holds("1") === first);
  await emulator.control.clearRequests();
  expect(await stack.up({ image: limited })).toEqual({ steps: { image: "create" }, errors: {} });
  expect(importCount(emulator)).toBe(0);
});

test("an update that times out leaves the state as it was, and the next run converges", async () => {
  const limited = { ...tags("1"), customTimeouts: { update: "2s" } };
  await stack.up({ image: limited });
  const before = stack.resource();
  const second = publish(emulator, `${repository}:1`);
  await emulator.control.faults({ ...imports, times: 1, import: { stayPending: true } });
  expect((await stack.up({ image: limited })).errors.image).toContain("[IMPORT_TIMED_OUT]");
  expect(stack.resource()).toEqual(before);
  expect((await stack.up({ image: tags("1") })).errors).toEqual({});
  expect(holds("1")).toBe(second);
});

describe("after a process was killed during an import", () => {
  test("the next one adopts the result", async () => {
    const killed = new Stack(emulator);
    const release = await holdImports(emulator);
    await emulator.control.clearRequests();
    const up = killed.up({ image: tags("1") });
    await importRequested(emulator);
    await killed.stopPlugin();
    expect((await up).errors.image).toBeDefined();
    expect(killed.state.size).toBe(0);
    await release();
    await until(() => holds("1") === first);
    await emulator.control.clearRequests();
    expect(await killed.up({ image: tags("1") })).toEqual({ steps: { image: "create" }, errors: {} });
    expect(importCount(emulator)).toBe(0);
    await killed.stopPlugin();
  });

  test("the next one converges while Azure still imports", async () => {
    const killed = new Stack(emulator);
    await killed.up({ image: tags("1", "2") });
    const second = publish(emulator, `${repository}:1`);
    const release = await holdImports(emulator);
    await emulator.control.clearRequests();
    const up = killed.up({ image: tags("1", "2", "3") });
    await importRequested(emulator);
    await killed.stopPlugin();
    await up;
    await emulator.control.clearRequests();
    const next = killed.up({ image: tags("1", "2", "3") });
    await importRequested(emulator);
    await release();
    expect((await next).errors).toEqual({});
    expect(["1", "2", "3"].map(holds)).toEqual([second, second, second]);
    expect(killed.resource().outputs.sourceDigest).toBe(second);
    await killed.stopPlugin();
  });
});
