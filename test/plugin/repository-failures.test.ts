/** What one tag of an `ImportedRepository` must not do to the others, and how the next run continues. */
import { holdImports, useEmulator } from "../support/emulator";
import { freshMirror, type Mirror } from "./repository-stack";
import { importCount, loginServer } from "./stack";

const emulator = useEmulator();
let mirror: Mirror;

beforeEach(async () => {
  mirror = freshMirror(emulator);
  await emulator.control.clearRequests();
});
afterEach(() => emulator.control.faults());

const up = (changes: object = {}) =>
  mirror.stack.up({ mirror: { source: `docker.io/${mirror.repository}`, semver: ">=1", ...changes } });
const updated = { steps: { mirror: "update" }, errors: {} };
const same = { steps: { mirror: "same" }, errors: {} };

test("a tag that somebody else moved does not keep the other tags of its image from moving", async () => {
  mirror.publish("1.0.0", "1.0", "1");
  await up({ semver: undefined, match: ".*" });
  const theirs = mirror.intrude("1.0");
  const second = mirror.publish("1.0.0", "1.0", "1");
  const { errors } = await up({ semver: undefined, match: ".*" });
  expect(errors.mirror).toContain("has 2 of 3 tags that had to be imported or removed; 1 failed [IMPORT_INCOMPLETE]");
  expect(errors.mirror).toContain(`1.0: target: ${loginServer}/${mirror.repository}:1.0 holds ${theirs}`);
  expect(["1.0.0", "1.0", "1"].map(mirror.holds)).toEqual([second, theirs, second]);

  await emulator.control.clearRequests();
  expect(await up({ semver: undefined, match: ".*", onConflict: "overwrite" })).toEqual(updated);
  expect([importCount(emulator), mirror.holds("1.0")]).toEqual([1, second]);
  expect(await up({ semver: undefined, match: ".*", onConflict: "overwrite" })).toEqual(same);
});

test("however many tags are in conflict, the others are imported", async () => {
  for (let minor = 0; minor < 40; minor++) {
    mirror.publish(`1.${minor}.0`);
    mirror.intrude(`1.${minor}.0`);
  }
  const digest = mirror.publish("2.0.0");
  const { errors } = await up();
  expect(errors.mirror).toContain("has 1 of 41 tags that had to be imported or removed; 40 failed [IMPORT_INCOMPLETE]");
  expect(mirror.lines()).toEqual([`2.0.0 ${digest}`]);
});

test("triggers are still to come for a tag that failed with them, and are not repeated for the others", async () => {
  mirror.publish("1.0.0");
  const ours = mirror.publish("1.1.0");
  await up();
  mirror.intrude("1.1.0");
  expect((await up({ triggers: ["again"] })).errors.mirror).toMatch(/1\.1\.0: target: .*\[TARGET_CONFLICT\]/);
  await mirror.removeFromTarget("1.1.0");
  await emulator.control.clearRequests();
  expect(await up({ triggers: ["again"] })).toEqual(updated);
  expect([importCount(emulator), mirror.holds("1.1.0")]).toEqual([1, ours]);
  expect(await up({ triggers: ["again"] })).toEqual(same);
  expect(mirror.stack.resource("mirror").outputs.pending).toBeUndefined();
});

describe("a tag that fails when lock changes", () => {
  const unreadable = { path: "/manifests/1.1.0", status: 400 };
  const locked = (tag: string) =>
    emulator.server.images.registries.find(loginServer)?.store.tag(mirror.repository, tag)?.attributes.writeEnabled;

  test.each([
    ["is locked by the next run", undefined, true],
    ["is unlocked by the next run", true, undefined],
  ])("%s", async (_, before, after) => {
    mirror.publish("1.0.0");
    mirror.publish("1.1.0");
    await up({ lock: before });
    await emulator.control.faults({ ...unreadable, host: loginServer });
    expect((await up({ lock: after })).errors.mirror).toMatch(/1\.1\.0: target: /);
    await emulator.control.faults();
    expect(await up({ lock: after })).toEqual(updated);
    expect(["1.0.0", "1.1.0"].map(locked)).toEqual([!after, !after]);
    expect(await up({ lock: after })).toEqual(same);
  });
});

test("the manifests of a mirror are deleted with a number of requests that does not grow with its square", async () => {
  const platforms = ["linux/amd64", "linux/arm64/v8"];
  const tags = Array.from({ length: 24 }, (_, minor) => `1.${minor}.0`);
  for (const tag of tags) await emulator.control.moveTag(`docker.io/${mirror.repository}:${tag}`, { platforms });
  await up({ onDelete: "delete" });
  const digests = tags.map(mirror.holds);
  await emulator.control.clearRequests();
  expect((await mirror.stack.destroy()).errors).toEqual({});
  for (const digest of digests) {
    expect(emulator.server.images.describe(`${loginServer}/${mirror.repository}@${digest}`)).toBeUndefined();
  }
  const reads = await emulator.control.requests({ from: "client", method: "GET", path: "/manifests/" });
  expect(reads).toHaveLength(tags.length);
});

describe("an identity without a role is told so once, after few requests", () => {
  const message = "The client does not have authorization to perform action over scope.";

  test.each([
    ["to import", { method: "POST", path: "/importImage" }, { error: { code: "AuthorizationFailed", message } }],
    ["to read the target", { host: loginServer, path: "/manifests/" }, { errors: [{ code: "DENIED", message }] }],
  ])("%s", async (_, selector, body) => {
    for (let minor = 0; minor < 60; minor++) mirror.publish(`1.${minor}.0`);
    await emulator.control.faults({ ...selector, status: 403, body });
    const { errors } = await up();
    expect(errors.mirror?.match(/Container Registry Data Importer/g)).toHaveLength(1);
    expect(errors.mirror).toMatch(/\d+ failed, \d+ were not tried \[IMPORT_INCOMPLETE\]/);
  });
});

test("tags that time out are named with one reason, and the next run continues", async () => {
  const tags = Array.from({ length: 20 }, (_, minor) => `1.${minor}.0`);
  for (const tag of tags) mirror.publish(tag);
  await up({ semver: "1.0.0" });
  const release = await holdImports(emulator);
  const { errors } = await up({ customTimeouts: { update: "2s" } });
  expect(errors.mirror?.match(/\[IMPORT_TIMED_OUT\]/g) ?? []).not.toHaveProperty("1");
  expect(errors.mirror).toMatch(/were not tried before the timeout \[IMPORT_INCOMPLETE\]/);
  expect(mirror.lines()).toHaveLength(1);
  await release();
  expect(await up()).toEqual(updated);
  expect(tags.map(mirror.holds)).not.toContain(undefined);
  expect(await up()).toEqual(same);
});

test("another source that failed for some tags is still another one after a refresh", async () => {
  for (const tag of ["1.0.0", "1.1.0", "1.2.0"]) mirror.publish(tag);
  await up({ onSourceMove: "fail" });
  const other = freshMirror(emulator);
  for (const tag of ["1.0.0", "1.1.0", "1.2.0"]) other.publish(tag);
  const source = { source: `docker.io/${other.repository}`, targetRepository: mirror.repository, onSourceMove: "fail" };
  const failing = { method: "POST", path: "/importImage", after: 1, import: { failWith: "it hit a snag." } };
  await emulator.control.faults(failing);
  expect((await up(source)).errors.mirror).toMatch(/\[IMPORT_INCOMPLETE\]/);
  await emulator.control.faults();
  await mirror.removeFromTarget("1.2.0");
  await mirror.stack.refresh();
  expect(await up(source)).toEqual(updated);
  expect(await up(source)).toEqual(same);
});
