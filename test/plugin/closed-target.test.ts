/** A target behind a firewall or private endpoint: Azure can import into it, but this machine cannot read it. */
import { holdImports, useEmulator } from "../support/emulator";
import { until } from "../support/until";
import {
  freshStack,
  importCount,
  importRequested,
  loginServer,
  publish,
  pushForeignImage,
  type Stack,
  targetDigest,
} from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let first: string;

beforeEach(async () => {
  ({ stack, repository, first } = freshStack(emulator));
  await close();
});
afterEach(async () => {
  await open();
});

const change = (properties: object) => emulator.control.call("PATCH", "/registries/myregistry", {}, properties);
const close = () => change({ publicNetworkAccess: "Disabled" });
const open = () => change({ publicNetworkAccess: "Enabled", defaultAction: "Allow" });
const holds = (tag = "1") => targetDigest(emulator, `${repository}:${tag}`);
const image = (changes: object = {}) => ({
  source: `docker.io/${repository}:1`,
  targetTags: [`${repository}:1`],
  ...changes,
});
const up = async (changes: object = {}) => {
  await emulator.control.clearRequests();
  return stack.up({ image: image(changes) });
};

test.each<[string, () => Promise<unknown>]>([
  ["public access disabled", close],
  ["a firewall", () => change({ publicNetworkAccess: "Enabled", defaultAction: "Deny" })],
])("records an import as verified by the operation when the target has %s", async (_, shut) => {
  await open();
  await shut();
  expect(await up()).toEqual({ steps: { image: "create" }, errors: {} });
  expect(holds()).toBe(first);
  const { outputs } = stack.resource();
  expect(outputs).toMatchObject({
    sourceDigest: first,
    targets: { [`${repository}:1`]: first },
    reference: `${loginServer}/${repository}@${first}`,
    verifiedBy: "operation",
  });
  expect(outputs).not.toHaveProperty("mediaType");
  expect((await up()).steps).toEqual({ image: "same" });
});

test("a first import fails for an existing tag that it cannot compare, and onConflict: overwrite replaces it", async () => {
  const theirs = pushForeignImage(emulator, `${repository}:1`);
  const { errors } = await up();
  expect(errors.image).toMatch(/\[TARGET_UNREADABLE\]\n {2}Hint: Set onConflict: "overwrite"/);
  expect(errors.image).toContain(`${loginServer}/${repository}:1`);
  expect([holds(), stack.state.size]).toEqual([theirs, 0]);
  expect((await up({ onConflict: "overwrite" })).errors).toEqual({});
  expect(holds()).toBe(first);
});

test("a recorded tag is moved with Force", async () => {
  await up();
  const second = publish(emulator, `${repository}:1`);
  expect(await up()).toEqual({ steps: { image: "update" }, errors: {} });
  expect(holds()).toBe(second);
  expect(importCount(emulator)).toBe(1);
});

test("a new tag is imported with NoForce, also beside a recorded one", async () => {
  await up();
  const theirs = pushForeignImage(emulator, `${repository}:new`);
  const second = publish(emulator, `${repository}:1`);
  const targetTags = [`${repository}:1`, `${repository}:new`];
  const { errors } = await up({ targetTags });
  expect(errors.image).toContain("[TARGET_UNREADABLE]");
  expect([holds(), holds("new")]).toEqual([second, theirs]);
  // The first import is recorded.
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: second, targets: { [`${repository}:1`]: second } });
  expect((await up({ targetTags, onConflict: "overwrite" })).errors).toEqual({});
  expect([holds(), holds("new")]).toEqual([second, second]);
});

test("after a run that was killed before it recorded the import, the error names onConflict: overwrite", async () => {
  const release = await holdImports(emulator);
  await emulator.control.clearRequests();
  const run = stack.up({ image: image() });
  await importRequested(emulator);
  await stack.stopPlugin();
  await run;
  await release();
  await until(() => holds() === first);
  expect((await up()).errors.image).toContain('onConflict: "overwrite"');
  expect((await up({ onConflict: "overwrite" })).errors).toEqual({});
});

test("digestFrom: target fails, since the digest cannot be determined", async () => {
  const source = { image: `docker.io/${repository}:1`, digestFrom: "target" };
  const { errors } = await up({ source });
  expect(errors.image).toMatch(/^target: .*digest.*\[TARGET_NOT_VERIFIED\]\n {2}Hint: /);
});

test("refresh leaves the state as it is", async () => {
  await up();
  const before = stack.resource();
  pushForeignImage(emulator, `${repository}:1`);
  await stack.refresh();
  expect(stack.resource()).toEqual(before);
});

test.each(["untag", "delete"])("destroy with onDelete: %s fails without touching the target", async (onDelete) => {
  await up({ onDelete });
  const { errors } = await stack.destroy();
  expect(errors.image).toMatch(/cannot be read from this machine.*\[TARGET_UNREACHABLE\]\n {2}Hint: /);
  expect(holds()).toBe(first);
  expect(stack.resource().outputs.sourceDigest).toBe(first);
  // The hint works.
  expect((await up({ onDelete: "retain" })).errors).toEqual({});
  expect((await stack.destroy()).errors).toEqual({});
  expect(holds()).toBe(first);
});

test("a registry that blocks the Azure import service is reported with the setting that allows it", async () => {
  await change({ networkRuleBypassOptions: "None" });
  try {
    const { errors } = await up();
    expect(errors.image).toMatch(/^target: .*\[TARGET_NETWORK_BLOCKED\]\n {2}Hint: .*--allow-trusted-services true/);
  } finally {
    await change({ networkRuleBypassOptions: "AzureServices" });
  }
});
