/** Which tags and manifests a destroy or a dropped target removes. */
import { useEmulator } from "../support/emulator";
import { clientRequests, freshStack, loginServer, pushForeignImage, Stack, targetDigest } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let first: string;
let image: { source: string; targetTags: string[] };

beforeEach(() => {
  ({ stack, repository, first } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`] };
});
afterEach(() => stack.stopPlugin());

const destroyed = { steps: { image: "delete" }, errors: {} };
const manifest = () => targetDigest(emulator, `${repository}@${first}`);
const tag = () => targetDigest(emulator, `${repository}:1`);

describe("destroy", () => {
  test("leaves everything without a request by default", async () => {
    await stack.up({ image });
    await emulator.control.clearRequests();
    expect(await stack.destroy()).toEqual(destroyed);
    expect(tag()).toBe(first);
    expect(clientRequests(emulator)).toEqual([]);
  });

  test("removes the recorded tags and keeps the manifest with onDelete: untag", async () => {
    await stack.up({ image: { ...image, onDelete: "untag" } });
    expect(await stack.destroy()).toEqual(destroyed);
    expect(tag()).toBeUndefined();
    expect(manifest()).toBe(first);
  });

  test("also removes the manifest in every repository with onDelete: delete", async () => {
    await stack.up({ image: { ...image, untaggedTargetRepositories: [`${repository}-mirror`], onDelete: "delete" } });
    expect(await stack.destroy()).toEqual(destroyed);
    expect(manifest()).toBeUndefined();
    expect(targetDigest(emulator, `${repository}-mirror@${first}`)).toBeUndefined();
  });

  test("keeps a manifest that has another tag", async () => {
    await stack.up({ image: { ...image, onDelete: "delete" } });
    await new Stack(emulator, {}, stack).up({ another: { ...image, targetTags: [`${repository}:kept`] } });
    expect(await stack.destroy()).toEqual(destroyed);
    expect(tag()).toBeUndefined();
    expect(targetDigest(emulator, `${repository}:kept`)).toBe(first);
  });

  test.each(["untag", "delete"])(
    "keeps a foreign digest behind the recorded tag with onDelete: %s, refreshed or not",
    async (onDelete) => {
      for (const refresh of [false, true]) {
        await stack.up({ image: { ...image, onDelete, onConflict: "overwrite" } });
        const theirs = pushForeignImage(emulator, `${repository}:1`);
        if (refresh) await stack.refresh();
        expect(await stack.destroy()).toEqual(destroyed);
        expect(tag()).toBe(theirs);
        expect(manifest()).toBe(onDelete === "delete" ? undefined : first);
      }
    },
  );

  test("succeeds when everything is gone already", async () => {
    await stack.up({ image: { ...image, onDelete: "delete" } });
    emulator.server.images.remove(`${loginServer}/${repository}@${first}`);
    expect(await stack.destroy()).toEqual(destroyed);
  });

  test("applies a policy that was the only change", async () => {
    await stack.up({ image });
    await stack.up({ image: { ...image, onDelete: "untag" } });
    await stack.destroy();
    expect(tag()).toBeUndefined();
  });

  test("reports a locked tag, and continues once it is unlocked", async () => {
    await stack.up({ image: { ...image, onDelete: "untag" } });
    const reference = `${loginServer}/${repository}:1`;
    const lock = (on: boolean) =>
      emulator.server.images.setAttributes(reference, { deleteEnabled: !on, writeEnabled: !on });
    lock(true);
    const { errors } = await stack.destroy();
    expect(errors.image).toMatch(/\[TARGET_LOCKED\]\n {2}Hint: Unlock it/);
    expect(errors.image).toContain(reference);
    expect(tag()).toBe(first);
    expect(stack.resource().outputs.sourceDigest).toBe(first);
    lock(false);
    expect(await stack.destroy()).toEqual(destroyed);
    expect(tag()).toBeUndefined();
  });
});

describe("a target that the program still declares is kept", () => {
  const wanted = () => ({ ...image, onDelete: "delete" });

  test("when the resource is renamed without an alias", async () => {
    await stack.up({ old: wanted() });
    await stack.stopPlugin();
    expect(await stack.up({ renamed: wanted() })).toEqual({ steps: { renamed: "create", old: "delete" }, errors: {} });
    expect(tag()).toBe(first);
    expect([...stack.state.keys()]).toEqual(["renamed"]);
  });

  test("when a run was killed between create and delete, and the next one only deletes", async () => {
    await stack.up({ old: wanted() });
    const old = stack.resource("old");
    await stack.up({ renamed: wanted() });
    stack.state.set("old", old);
    await stack.stopPlugin();
    expect(await stack.up({ renamed: wanted() })).toEqual({ steps: { renamed: "same", old: "delete" }, errors: {} });
    expect(tag()).toBe(first);
  });

  test("when the targets of the program are not known", async () => {
    await stack.up({ old: wanted() });
    const { id, outputs } = stack.resource("old");
    await stack.stopPlugin();
    const plugin = await stack.plugin();
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    await plugin.check({ ...stack.inputs("renamed", { ...wanted(), targetTags: [unknown] }) });
    await plugin.delete(id, outputs);
    expect(tag()).toBe(first);
  });

  test("when a tag moves from one resource to another", async () => {
    const [a, b] = [`${repository}:a`, `${repository}:b`];
    const resource = (...targetTags: string[]) => ({ ...wanted(), targetTags });
    await stack.up({ one: resource(a, b), two: resource(`${repository}:c`) });
    await stack.stopPlugin();
    expect((await stack.up({ one: resource(a), two: resource(`${repository}:c`, b) })).errors).toEqual({});
    expect([a, b].map((target) => targetDigest(emulator, target))).toEqual([first, first]);
  });

  test("but not when its resource leaves the program", async () => {
    await stack.up({ image: wanted() });
    await stack.stopPlugin();
    expect(await stack.up({})).toEqual(destroyed);
    expect(manifest()).toBeUndefined();
  });
});

test("a dropped tag that cannot be removed stays recorded, and is removed by the next run", async () => {
  const both = { ...image, targetTags: [`${repository}:1`, `${repository}:locked`], onDelete: "untag" };
  await stack.up({ image: both });
  const reference = `${loginServer}/${repository}:locked`;
  emulator.server.images.setAttributes(reference, { deleteEnabled: false });
  await stack.stopPlugin();
  const one = { ...image, onDelete: "untag" };
  const { errors } = await stack.up({ image: one });
  expect(errors.image).toContain("[TARGET_LOCKED]");
  expect(stack.resource().outputs.targets).toEqual({ [`${repository}:1`]: first, [`${repository}:locked`]: first });
  expect(stack.resource().initErrors).toHaveLength(1);

  emulator.server.images.setAttributes(reference, { deleteEnabled: true });
  expect((await stack.up({ image: one })).errors).toEqual({});
  expect(targetDigest(emulator, `${repository}:locked`)).toBeUndefined();
  expect(stack.resource().outputs.targets).toEqual({ [`${repository}:1`]: first });
});

test("refresh removes a resource whose registry is gone, and destroy succeeds", async () => {
  await emulator.control.call("PUT", "/registries/goingaway", {}, {});
  const there = { ...image, registry: "goingaway", onDelete: "delete" };
  await stack.up({ image: there, second: { ...there, targetTags: [`${repository}:2`] } });
  await emulator.control.call("DELETE", "/registries/goingaway");
  await stack.stopPlugin();
  const { id, outputs } = stack.resource("second");
  expect((await stack.refresh()).errors).toEqual({});
  expect(stack.state.size).toBe(0);
  const plugin = await stack.plugin();
  await expect(plugin.delete(id, outputs)).resolves.not.toThrow();
});
