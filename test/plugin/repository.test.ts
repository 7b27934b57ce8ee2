/** The life cycle of an `ImportedRepository`: tags that come, move and leave. */
import { UNKNOWN } from "../../provider/resource/unknown";
import { useEmulator } from "../support/emulator";
import { freshMirror, type Mirror } from "./repository-stack";
import { importCount, importRequested, loginServer } from "./stack";

const emulator = useEmulator();
let mirror: Mirror;

beforeEach(async () => {
  mirror = freshMirror(emulator);
  await emulator.control.clearRequests();
});
afterEach(async () => {
  await emulator.control.faults();
  emulator.server.state.settings.importDurationMs = 0;
});

const declared = (changes: object = {}) => ({
  mirror: { source: `docker.io/${mirror.repository}`, semver: ">=1", ...changes },
});
const up = (changes: object = {}) => mirror.stack.up(declared(changes));
// What a program has declared is not removed by the same process; the engine starts another one for each run.
const created = { steps: { mirror: "create" }, errors: {} };
const updated = { steps: { mirror: "update" }, errors: {} };
const same = { steps: { mirror: "same" }, errors: {} };

test("imports what is selected, once for equal digests, and then has nothing to do", async () => {
  const old = mirror.publish("1.0.0");
  const young = mirror.publish("1.1.0", "1.1", "2.0.0");
  mirror.publish("latest");
  mirror.stack.readsInCheck = true;
  expect(await up()).toEqual(created);
  expect(mirror.lines()).toEqual([`1.0.0 ${old}`, `1.1 ${young}`, `1.1.0 ${young}`, `2.0.0 ${young}`]);
  expect(importCount(emulator)).toBe(2);
  expect(["1.0.0", "1.1", "1.1.0", "2.0.0", "latest"].map(mirror.holds)).toEqual([old, young, young, young, undefined]);
  expect(mirror.stack.resource("mirror")).toMatchObject({
    id: `${loginServer}/${mirror.repository}`,
    outputs: { targetRepository: mirror.repository, verifiedBy: "digest" },
  });

  await emulator.control.clearRequests();
  expect(await up()).toEqual(same);
  const requests = await emulator.control.requests({ from: "client" });
  expect(requests.filter(({ host }) => host === "management.azure.com" || host === loginServer)).toEqual([]);
});

test("a tag that comes, one that moves and one that leaves are one update", async () => {
  mirror.publish("1.0.0");
  const stays = mirror.publish("1.1.0");
  const leaves = mirror.publish("1.2.0");
  await up();
  const moved = mirror.publish("1.0.0");
  const comes = mirror.publish("1.3.0");
  await mirror.removeFromSource("1.2.0");
  await emulator.control.clearRequests();
  expect(await up()).toEqual(updated);
  expect(mirror.lines()).toEqual([`1.0.0 ${moved}`, `1.1.0 ${stays}`, `1.3.0 ${comes}`]);
  expect(["1.0.0", "1.1.0", "1.2.0", "1.3.0"].map(mirror.holds)).toEqual([moved, stays, leaves, comes]);
  expect(importCount(emulator)).toBe(2);
  expect(await up()).toEqual(same);
});

test("what leaves follows onDelete", async () => {
  for (const tag of ["1.0.0", "1.1.0", "1.2.0"]) mirror.publish(tag);
  await up({ onDelete: "untag" });
  await mirror.removeFromSource("1.2.0");
  await mirror.stack.stopPlugin();
  expect(await up({ onDelete: "untag" })).toEqual(updated);
  expect(mirror.holds("1.2.0")).toBeUndefined();
  expect(mirror.lines()).toHaveLength(2);
});

test("does not remove a tag that somebody else has moved meanwhile", async () => {
  for (const tag of ["1.0.0", "1.1.0", "1.2.0"]) mirror.publish(tag);
  await up({ onDelete: "delete" });
  const theirs = mirror.intrude("1.2.0");
  await mirror.removeFromSource("1.2.0");
  await mirror.stack.stopPlugin();
  expect(await up({ onDelete: "delete" })).toEqual(updated);
  expect(mirror.holds("1.2.0")).toBe(theirs);
});

describe("a selection that shrinks", () => {
  beforeEach(async () => {
    for (const tag of ["1.0.0", "1.1.0", "1.2.0"]) mirror.publish(tag);
    await up({ onDelete: "untag" });
  });

  test("to less than half is refused, unless the program allows it", async () => {
    await mirror.removeFromSource("1.1.0");
    await mirror.removeFromSource("1.2.0");
    const { errors } = await up({ onDelete: "untag" });
    expect(errors.mirror).toMatch(
      /^source: docker.io\/team\/mirror-\d+ lacks 2 of the 3 recorded tags, .*: 1\.1\.0, 1\.2\.0 \[SELECTION_SHRUNK\]/,
    );
    expect(mirror.holds("1.1.0")).toBeDefined();
    await mirror.stack.stopPlugin();
    expect(await up({ onDelete: "untag", allowShrink: true })).toEqual(updated);
    expect(["1.0.0", "1.1.0"].map((tag) => mirror.holds(tag) !== undefined)).toEqual([true, false]);
  });

  test("to nothing is refused", async () => {
    const { errors } = await up({ onDelete: "untag", semver: ">=9" });
    expect(errors.mirror).toMatch(/\[SELECTION_EMPTY\]/);
  });

  test("is accepted where nothing would be removed", async () => {
    expect(await up({ semver: ">=9" })).toEqual(updated);
    expect(mirror.stack.resource("mirror").outputs.tags).toBe("");
    expect(mirror.holds("1.0.0")).toBeDefined();
  });
});

test("a part that fails is named at the end, the rest is recorded, and the next run does only that part", async () => {
  const [one, two] = [mirror.publish("1.0.0"), mirror.publish("1.1.0")];
  const theirs = mirror.intrude("1.1.0");
  const { errors } = await up();
  expect(errors.mirror).toContain(
    `target: ${loginServer}/${mirror.repository} has 1 of 2 tags that had to be imported or removed; 1 failed [IMPORT_INCOMPLETE]`,
  );
  expect(errors.mirror).toContain(`1.1.0: target: ${loginServer}/${mirror.repository}:1.1.0 holds ${theirs}`);
  expect(mirror.lines()).toEqual([`1.0.0 ${one}`]);

  await emulator.control.clearRequests();
  expect(await up({ onConflict: "overwrite" })).toEqual(updated);
  expect([importCount(emulator), mirror.holds("1.1.0")]).toEqual([1, two]);
  expect(mirror.lines()).toEqual([`1.0.0 ${one}`, `1.1.0 ${two}`]);
  expect(await up({ onConflict: "overwrite" })).toEqual(same);
});

test("an import that fails keeps the recorded digest of its tag", async () => {
  const first = mirror.publish("1.0.0");
  mirror.publish("1.1.0");
  await up();
  const second = mirror.publish("1.0.0");
  await emulator.control.faults({ method: "POST", path: "/importImage", import: { failWith: "it hit a snag." } });
  const { errors } = await up();
  expect(errors.mirror).toMatch(/1\.0\.0: target: the import of .* failed: .*it hit a snag.* \[IMPORT_FAILED\]/);
  expect(mirror.lines()[0]).toBe(`1.0.0 ${first}`);
  await emulator.control.faults();
  expect(await up()).toEqual(updated);
  expect([mirror.lines()[0], mirror.holds("1.0.0")]).toEqual([`1.0.0 ${second}`, second]);
});

test("adopts what the target holds already", async () => {
  const digest = mirror.publish("1.0.0");
  await up();
  mirror.stack.state.clear();
  await emulator.control.clearRequests();
  expect(await up()).toEqual(created);
  expect([importCount(emulator), mirror.lines()]).toEqual([0, [`1.0.0 ${digest}`]]);
});

test("a run that is killed in the middle is continued by the next one", async () => {
  for (let minor = 0; minor < 40; minor++) mirror.publish(`1.${minor}.0`);
  emulator.server.state.settings.importDurationMs = 200;
  const running = up();
  await importRequested(emulator, 20);
  await mirror.stack.stopPlugin();
  expect((await running).errors.mirror).toBeDefined();
  expect(mirror.stack.state.size).toBe(0);
  emulator.server.state.settings.importDurationMs = 0;
  expect(await up()).toEqual(created);
  expect(mirror.lines()).toHaveLength(40);
  for (let minor = 0; minor < 40; minor++) expect(mirror.holds(`1.${minor}.0`)).toBeDefined();
});

describe("a refresh", () => {
  let ours: string;

  beforeEach(async () => {
    ours = mirror.publish("1.0.0");
    mirror.publish("1.1.0");
    await up();
  });

  test("shows a tag that is gone, and the next run imports it again", async () => {
    await mirror.removeFromTarget("1.0.0");
    await mirror.stack.refresh();
    expect(mirror.lines()).toHaveLength(1);
    expect(mirror.stack.resource("mirror").outputs.imported).toBe(`1.0.0 ${ours}\n`);
    expect(await up()).toEqual(updated);
    expect([mirror.holds("1.0.0"), mirror.stack.resource("mirror").outputs.imported]).toEqual([ours, undefined]);
  });

  test("shows a tag that somebody else moved, which the next run does not overwrite unless told to", async () => {
    const theirs = mirror.intrude("1.0.0");
    await mirror.stack.refresh();
    expect(mirror.lines()[0]).toBe(`1.0.0 ${theirs}`);
    const { errors } = await up();
    expect(errors.mirror).toMatch(/\[TARGET_CONFLICT\]/);
    expect(mirror.holds("1.0.0")).toBe(theirs);
    expect(await up({ onConflict: "overwrite" })).toEqual(updated);
    expect(mirror.holds("1.0.0")).toBe(ours);
  });

  test("finds nothing to change where nothing changed", async () => {
    const before = mirror.stack.resource("mirror");
    await mirror.stack.refresh();
    expect(mirror.stack.resource("mirror")).toEqual(before);
    expect(await up()).toEqual(same);
  });
});

test.each([
  ["retain", [true, true]],
  ["untag", [false, false]],
  ["delete", [false, false]],
])("destroy with onDelete: %s", async (onDelete, left) => {
  const digest = mirror.publish("1.0.0", "1.0");
  await up({ onDelete });
  expect((await mirror.stack.destroy()).errors).toEqual({});
  expect(["1.0.0", "1.0"].map((tag) => mirror.holds(tag) !== undefined)).toEqual(left);
  const manifest = emulator.server.images.describe(`${loginServer}/${mirror.repository}@${digest}`);
  expect(manifest !== undefined).toBe(onDelete !== "delete");
});

describe("policies hold for each tag", () => {
  test("a digest that replaces a recorded one waits for its cooldown; a new tag does not", async () => {
    const first = mirror.publish("1.0.0");
    await up({ cooldown: "3d" });
    const second = mirror.publish("1.0.0");
    const added = mirror.publish("1.1.0");
    expect(await up({ cooldown: "3d" })).toEqual(updated);
    expect(mirror.lines()).toEqual([`1.0.0 ${first}`, `1.1.0 ${added}`]);
    expect(mirror.stack.resource("mirror").outputs.candidates).toMatch(new RegExp(`^1\\.0\\.0 ${second} since `));
    expect(await up({ cooldown: "3d" })).toEqual(same);
    expect(await up()).toEqual(updated);
    expect(mirror.lines()[0]).toBe(`1.0.0 ${second}`);
    expect(mirror.stack.resource("mirror").outputs.candidates).toBeUndefined();
  });

  test("onSourceMove: fail names the tags that moved", async () => {
    for (const tag of ["1.0.0", "1.1.0"]) mirror.publish(tag);
    await up({ onSourceMove: "fail" });
    mirror.publish("1.1.0");
    const { errors } = await up({ onSourceMove: "fail" });
    expect(errors.mirror).toMatch(/^source: docker\.io\/team\/mirror-\d+:1\.1\.0 has moved to .* \[SOURCE_MOVED\]/);
  });

  test("onSourceUnavailable: keep stays with the recorded tags when they cannot be listed", async () => {
    const first = mirror.publish("1.0.0");
    await up({ onSourceUnavailable: "keep" });
    mirror.stack.readsInCheck = true;
    await emulator.control.faults({ host: "registry-1.docker.io", path: "/tags/list", reset: true });
    expect(await up({ onSourceUnavailable: "keep" })).toEqual(same);
    expect(mirror.lines()).toEqual([`1.0.0 ${first}`]);
    const { errors } = await up();
    expect(errors.mirror).toMatch(/Hint: Set onSourceUnavailable: "keep" to continue with the recorded tags/);
  });

  test("onSourceUnavailable: keep leaves a new tag for later when its digest cannot be read", async () => {
    const first = mirror.publish("1.0.0");
    await up({ onSourceUnavailable: "keep" });
    const second = mirror.publish("1.1.0");
    mirror.stack.readsInCheck = true;
    await mirror.stack.stopPlugin();
    await emulator.control.faults({ host: "registry-1.docker.io", path: "/manifests/1.1.0", reset: true });
    expect(await up({ onSourceUnavailable: "keep" })).toEqual(same);
    const { logs } = await mirror.stack.plugin();
    expect(logs.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/continuing with the other tags \[SOURCE_/),
    );
    expect((await up()).errors.mirror).toMatch(/\[SOURCE_UNAVAILABLE\]/);
    await mirror.stack.stopPlugin();
    await emulator.control.faults();
    expect(await up({ onSourceUnavailable: "keep" })).toEqual(updated);
    expect(mirror.lines()).toEqual([`1.0.0 ${first}`, `1.1.0 ${second}`]);
  });

  test("lock locks each tag, and is taken off for an own update", async () => {
    mirror.publish("1.0.0", "1.0");
    await up({ lock: true });
    const locked = () => emulator.server.images.registries.find(loginServer)?.store.tag(mirror.repository, "1.0");
    expect(locked()).toMatchObject({ attributes: { writeEnabled: false, deleteEnabled: false } });
    const second = mirror.publish("1.0.0", "1.0");
    expect(await up({ lock: true })).toEqual(updated);
    expect(mirror.holds("1.0")).toBe(second);
    expect(await up()).toEqual(updated);
    expect(await up()).toEqual(same);
  });

  test("triggers import all tags again, and only once", async () => {
    mirror.publish("1.0.0");
    mirror.publish("1.1.0");
    await up();
    await emulator.control.clearRequests();
    expect(await up({ triggers: ["again"] })).toEqual(updated);
    expect(importCount(emulator)).toBe(2);
    expect(await up({ triggers: ["again"] })).toEqual(same);
  });
});

describe("names in the target", () => {
  test("targetRepository, stripPrefix and tagSuffix", async () => {
    const digest = mirror.publish("v1.0.0");
    const changes = { targetRepository: `${mirror.repository}-x`, stripPrefix: "v", tagSuffix: "-mirror" };
    expect(await up(changes)).toEqual(created);
    expect(mirror.lines()).toEqual([`1.0.0-mirror ${digest}`]);
    const target = `${loginServer}/${mirror.repository}-x:1.0.0-mirror`;
    expect(emulator.server.images.describe(target)?.digest).toBe(digest);
  });

  test("two tags with one name are an error", async () => {
    mirror.publish("v1.0.0");
    mirror.publish("1.0.0");
    const { errors } = await up({ stripPrefix: "v" });
    expect(errors.mirror).toMatch(/^stripPrefix: must not give two tags the same name: .* \[INVALID_ARGUMENT\]/);
  });

  test("another target repository is a replacement", async () => {
    mirror.publish("1.0.0");
    await up({ onDelete: "untag" });
    await mirror.stack.stopPlugin();
    const { steps } = await up({ onDelete: "untag", targetRepository: `${mirror.repository}-y` });
    expect(steps).toEqual({ mirror: "replace" });
    expect(mirror.holds("1.0.0")).toBeUndefined();
  });
});

test("the tags of the program, in place of a selection", async () => {
  const digest = mirror.publish("edge");
  mirror.publish("other");
  expect(await up({ semver: undefined, tags: ["edge"] })).toEqual(created);
  expect(mirror.lines()).toEqual([`edge ${digest}`]);
  const { errors } = await up({ semver: undefined, tags: ["edge", "missing"] });
  expect(errors.mirror).toMatch(/:missing was not found \[SOURCE_NOT_FOUND\]/);
});

test("all problems with the arguments are told at once", async () => {
  mirror.stack.readsInCheck = true;
  const { errors } = await up({ match: "(", onConflict: "maybe", stripPrefix: "/", frequency: 1 });
  expect(errors.mirror?.split("\n").filter((line) => line.includes("[INVALID_ARGUMENT]"))).toEqual([
    expect.stringMatching(/^frequency: is not a known argument/),
    expect.stringMatching(/^match: /),
    expect.stringMatching(/^stripPrefix: must consist of letters/),
    expect.stringMatching(/^onConflict: must be one of/),
  ]);
  const nothing = await up({ semver: undefined });
  expect(nothing.errors.mirror).toMatch(/^tags: is required, or a selection/);
});

test.each([{ match: UNKNOWN }, { source: UNKNOWN }, { tags: [UNKNOWN], semver: undefined }, { stripPrefix: UNKNOWN }])(
  "what is selected is unknown in a preview while an argument is: %p",
  async (changes) => {
    mirror.publish("1.0.0");
    await up();
    const { inputs: old, id, outputs } = mirror.stack.resource("mirror");
    const plugin = await mirror.stack.plugin();
    mirror.stack.readsInCheck = true;
    const news = mirror.stack.inputs("mirror", declared({ ...changes, onDelete: "untag" }).mirror);
    const { inputs, failures } = await plugin.check({ ...news, __program: { preview: true } }, old);
    expect([failures, inputs.tags]).toEqual([[], UNKNOWN]);
    expect(await plugin.diff(id, outputs, inputs)).toMatchObject({ changes: true, replaces: [] });
  },
);
