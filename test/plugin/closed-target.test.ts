import { holdImports, sharedBox } from "../support/emulator";
import { until } from "../support/until";
import { freshStack, held, importCount, importRequested, intrude, loginServer, publish, type Stack } from "./stack";

// A target behind a firewall or a private endpoint: Azure imports into it, and this machine cannot read it.

const box = sharedBox();
let stack: Stack;
let repository: string;
let first: string;

beforeEach(async () => {
  ({ stack, repository, first } = freshStack(box));
  await close();
});
afterEach(async () => {
  await open();
});

const change = (properties: object) => box.control.call("PATCH", "/registries/myregistry", {}, properties);
const close = () => change({ publicNetworkAccess: "Disabled" });
const open = () => change({ publicNetworkAccess: "Enabled", defaultAction: "Allow" });
const holds = (tag = "1") => held(box, `${repository}:${tag}`);
const image = (changes: object = {}) => ({
  source: `docker.io/${repository}:1`,
  targetTags: [`${repository}:1`],
  ...changes,
});
const up = async (changes: object = {}) => {
  await box.control.clearRequests();
  return stack.up({ image: image(changes) });
};

test.each<[string, () => Promise<unknown>]>([
  ["public access disabled", close],
  ["a firewall", () => change({ publicNetworkAccess: "Enabled", defaultAction: "Deny" })],
])("%s: the operation's own success is the evidence", async (_, shut) => {
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

test("an existing tag at a first import cannot be compared: nothing is touched, overwrite takes it over", async () => {
  const theirs = intrude(box, `${repository}:1`);
  const { errors } = await up();
  expect(errors.image).toMatch(/\[TARGET_UNREADABLE\]\n {2}What to do: set onConflict: "overwrite"/);
  expect(errors.image).toContain(`${loginServer}/${repository}:1`);
  expect([holds(), stack.state.size]).toEqual([theirs, 0]);
  expect((await up({ onConflict: "overwrite" })).errors).toEqual({});
  expect(holds()).toBe(first);
});

test("what the record calls ours is moved by force", async () => {
  await up();
  const second = publish(box, `${repository}:1`);
  expect(await up()).toEqual({ steps: { image: "update" }, errors: {} });
  expect(holds()).toBe(second);
  expect(importCount(box)).toBe(1);
});

test("a new tag goes without force also beside one that is ours", async () => {
  await up();
  const theirs = intrude(box, `${repository}:new`);
  const second = publish(box, `${repository}:1`);
  const targetTags = [`${repository}:1`, `${repository}:new`];
  const { errors } = await up({ targetTags });
  expect(errors.image).toContain("[TARGET_UNREADABLE]");
  expect([holds(), holds("new")]).toEqual([second, theirs]);
  // What was done is on record.
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: second, targets: { [`${repository}:1`]: second } });
  expect((await up({ targetTags, onConflict: "overwrite" })).errors).toEqual({});
  expect([holds(), holds("new")]).toEqual([second, second]);
});

test("killed before the record was written, the next run says what to set", async () => {
  const release = await holdImports(box);
  await box.control.clearRequests();
  const run = stack.up({ image: image() });
  await importRequested(box);
  await stack.renew();
  await run;
  await release();
  await until(() => holds() === first);
  expect((await up()).errors.image).toContain('onConflict: "overwrite"');
  expect((await up({ onConflict: "overwrite" })).errors).toEqual({});
});

test("with the digest read from the target there is nothing to know it from", async () => {
  const source = { image: `docker.io/${repository}:1`, digestFrom: "target" };
  const { errors } = await up({ source });
  expect(errors.image).toMatch(/^target: .*digest.*\[TARGET_NOT_VERIFIED\]\n {2}What to do: /);
});

test("a refresh leaves the record as it is", async () => {
  await up();
  const before = stack.resource();
  intrude(box, `${repository}:1`);
  await stack.refresh();
  expect(stack.resource()).toEqual(before);
});

test.each(["untag", "delete"])("a destroy under %s says that it cannot know, and touches nothing", async (onDelete) => {
  await up({ onDelete });
  const { errors } = await stack.destroy();
  expect(errors.image).toMatch(/cannot be read from here.*\[TARGET_UNREACHABLE\]\n {2}What to do: /);
  expect(holds()).toBe(first);
  expect(stack.resource().outputs.sourceDigest).toBe(first);
  // The way out that it names.
  expect((await up({ onDelete: "retain" })).errors).toEqual({});
  expect((await stack.destroy()).errors).toEqual({});
  expect(holds()).toBe(first);
});

test("a registry that lets nobody in, Azure's import neither, says what to switch on", async () => {
  await change({ networkRuleBypassOptions: "None" });
  try {
    const { errors } = await up();
    expect(errors.image).toMatch(
      /^target: .*\[TARGET_NETWORK_BLOCKED\]\n {2}What to do: .*--allow-trusted-services true/,
    );
  } finally {
    await change({ networkRuleBypassOptions: "AzureServices" });
  }
});
