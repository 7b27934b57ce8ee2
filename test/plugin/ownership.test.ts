/** Which tags and manifests count as created by the resource. */
import { UNKNOWN } from "../../provider/resource/unknown";
import { useEmulator } from "../support/emulator";
import { until } from "../support/until";
import { loginServer, publish, pushForeignImage, Stack, targetDigest } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let name: string;
let number = 0;

beforeEach(() => {
  stack = new Stack(emulator);
  name = `shared/app-${++number}`;
});
afterEach(async () => {
  await emulator.control.faults();
  await open();
  await stack.stopPlugin();
});

const open = () => emulator.control.call("PATCH", "/registries/myregistry", {}, { publicNetworkAccess: "Enabled" });
const close = async () => {
  await emulator.control.call("PATCH", "/registries/myregistry", {}, { publicNetworkAccess: "Disabled" });
  await stack.stopPlugin();
};

test("onDelete: delete keeps a manifest that an index lists", async () => {
  const index = emulator.server.images.replace(`docker.io/${name}:1`, {
    kind: "index",
    platforms: ["linux/amd64"],
  }).digest;
  const whole = { source: `${name}:1`, targetTags: [`${name}:1`] };
  await stack.up({ whole });
  const child = childOf(index);
  const part = { source: `${name}@${child}`, targetTags: [`${name}:amd64`], onDelete: "delete" };
  expect((await stack.up({ whole, part })).errors).toEqual({});
  await stack.stopPlugin();
  expect((await stack.up({ whole })).errors).toEqual({});
  expect(targetDigest(emulator, `${name}:amd64`)).toBeUndefined();
  expect(targetDigest(emulator, `${name}@${child}`)).toBe(child);
});

test("a tag that moves from one resource to another in the same run stays", async () => {
  const first = publish(emulator, `${name}:1`);
  const source = `${name}:1`;
  await stack.up({ a: { source, targetTags: [`${name}:keep`, `${name}:x`], onDelete: "untag" } });
  await stack.stopPlugin();
  const plugin = await stack.plugin();
  const a = stack.state.get("a");
  if (a === undefined) throw new Error("a was not created");
  const less = await plugin.check(
    stack.inputs("a", { source, targetTags: [`${name}:keep`], onDelete: "untag" }),
    a.inputs,
  );
  await emulator.control.clearRequests();
  await emulator.control.faults({ host: loginServer, method: "DELETE", latency: 500 });
  const update = plugin.update(a.id, a.outputs, less.inputs);
  await until(async () => (await emulator.control.requests({ host: loginServer, method: "DELETE" })).length > 0);
  const { inputs } = await plugin.check(stack.inputs("c", { source, targetTags: [`${name}:x`] }), {});
  await plugin.create(inputs);
  await update;
  expect(targetDigest(emulator, `${name}:x`)).toBe(first);
});

test("an unreadable target keeps a tag that an earlier refresh found to be foreign", async () => {
  publish(emulator, `${name}:1`);
  const image = { source: `${name}:1`, targetTags: [`${name}:1`] };
  await stack.up({ image });
  const theirs = pushForeignImage(emulator, `${name}:1`);
  await stack.refresh();
  await close();
  expect((await stack.up({ image })).errors.image).toContain("[TARGET_CONFLICT]");
  publish(emulator, `${name}:1`);
  expect((await stack.up({ image })).errors.image).toContain("[TARGET_CONFLICT]");
  expect(targetDigest(emulator, `${name}:1`)).toBe(theirs);
});

test("a dropped tag that could not be removed is removed by a later run, after the other tags moved", async () => {
  publish(emulator, `${name}:1`);
  const both = { source: `${name}:1`, targetTags: [`${name}:a`, `${name}:b`], onDelete: "untag" };
  await stack.up({ image: both });
  const second = publish(emulator, `${name}:1`);
  await stack.stopPlugin();
  await emulator.control.faults({ host: loginServer, method: "DELETE", status: 405 });
  const one = { ...both, targetTags: [`${name}:a`] };
  expect(Object.keys((await stack.up({ image: one })).errors)).toEqual(["image"]);
  await emulator.control.faults();
  expect((await stack.up({ image: one })).errors).toEqual({});
  expect([targetDigest(emulator, `${name}:a`), targetDigest(emulator, `${name}:b`)]).toEqual([second, undefined]);
});

describe("two resources that declare one tag", () => {
  // https://github.com/pulumi/pulumi/issues/11259
  test.each(["fail", "overwrite"])(
    "with different digests, onConflict %s: the check of the second names both",
    async (onConflict) => {
      const [first, second] = [publish(emulator, `${name}:1`), publish(emulator, `${name}:2`)];
      const targetTags = [`${name}:x`];
      const { errors } = await stack.up({
        one: { source: `${name}:1`, targetTags, onConflict },
        two: { source: `${name}:2`, targetTags, onConflict },
      });
      expect(Object.keys(errors)).toEqual(["two"]);
      const text = errors.two ?? "";
      for (const part of [`${loginServer}/${name}:x`, `one (${first})`, `two (${second})`, "[TARGET_DECLARED_TWICE]"]) {
        expect(text).toContain(part);
      }
    },
  );

  test("a repository takes untagged manifests of several resources", async () => {
    const [first, second] = [publish(emulator, `${name}:1`), publish(emulator, `${name}:2`)];
    const untaggedTargetRepositories = [`${name}-mirror`];
    const { errors } = await stack.up({
      one: { source: `${name}:1`, untaggedTargetRepositories },
      two: { source: `${name}:2`, untaggedTargetRepositories },
    });
    expect(errors).toEqual({});
    expect(targetDigest(emulator, `${name}-mirror@${first}`)).toBe(first);
    expect(targetDigest(emulator, `${name}-mirror@${second}`)).toBe(second);
  });

  test("with the same digest both hold it", async () => {
    const first = publish(emulator, `${name}:1`);
    const targetTags = [`${name}:x`];
    const program = { one: { source: `${name}:1`, targetTags }, two: { source: `${name}@${first}`, targetTags } };
    expect((await stack.up(program)).errors).toEqual({});
    expect(targetDigest(emulator, `${name}:x`)).toBe(first);
  });

  test("with the same digest follow the tag together", async () => {
    publish(emulator, `${name}:1`);
    const program = {
      one: { source: `${name}:1`, targetTags: [`${name}:x`] },
      two: { source: `docker.io/${name}:1`, targetTags: [`${name}:x`] },
    };
    await stack.up(program);
    await stack.stopPlugin();
    const second = publish(emulator, `${name}:1`);
    expect((await stack.up(program)).errors).toEqual({});
    expect(targetDigest(emulator, `${name}:x`)).toBe(second);
  });
});

test("a resource that is replaced while its source moved still owns what it imported", async () => {
  publish(emulator, `${name}:1`);
  const declaration = { source: `${name}:1`, targetTags: [`${name}:1`] };
  await stack.up({ image: declaration });
  const { inputs: old } = stack.resource();
  const second = publish(emulator, `${name}:1`);
  await stack.stopPlugin();
  const plugin = await stack.plugin();
  // For a replacement the engine checks twice, the second time without the old inputs, and then creates.
  await plugin.check(stack.inputs("image", declaration), old);
  const { inputs } = await plugin.check(stack.inputs("image", declaration), {});
  const { outs } = await plugin.create(inputs);
  expect(outs.sourceDigest).toBe(second);
  expect(targetDigest(emulator, `${name}:1`)).toBe(second);
});

test("a replacement because registry became unknown leaves the image where it is, also when its source moved", async () => {
  const first = publish(emulator, `${name}:1`);
  const declaration = { source: `${name}:1`, targetTags: [`${name}:1`], onDelete: "delete" };
  await stack.up({ image: declaration });
  const { id, inputs: old, outputs } = stack.resource();
  const second = publish(emulator, `${name}:1`);
  await stack.stopPlugin();
  const plugin = await stack.plugin();
  // What the engine sends before it deletes something that `registry` depends on.
  const { replaces } = await plugin.diff(id, outputs, { ...old, registry: UNKNOWN });
  expect(replaces).toEqual(["registry"]);
  await plugin.delete(id, outputs);
  expect(targetDigest(emulator, `${name}:1`)).toBe(first);
  const { inputs } = await plugin.check(stack.inputs("image", declaration), {});
  expect((await plugin.create(inputs)).outs.sourceDigest).toBe(second);
  expect(targetDigest(emulator, `${name}:1`)).toBe(second);
});

describe("with digestFrom: target", () => {
  const source = () => ({ image: `${name}:1`, digestFrom: "target" });

  test("an untagged target is recorded with the digest of the tag", async () => {
    const first = publish(emulator, `${name}:1`);
    const image = { source: source(), targetTags: [`${name}:1`], untaggedTargetRepositories: [`${name}-mirror`] };
    expect((await stack.up({ image })).errors).toEqual({});
    expect(stack.state.get("image")?.outputs.targets).toEqual({ [`${name}:1`]: first, [`${name}-mirror`]: first });
  });

  test("records what was imported before a failure, and continues in the next run", async () => {
    publish(emulator, `${name}:1`);
    await stack.up({ image: { source: source(), targetTags: [`${name}:1`], triggers: [1] } });
    const second = publish(emulator, `${name}:1`);
    const import2 = { host: "management.azure.com", path: "/importImage", after: 1 };
    await emulator.control.faults({ ...import2, import: { failWith: "Error copying blobs" } });
    const image = { source: source(), targetTags: [`${name}:1`, `${name}:new`], triggers: [2] };
    expect(Object.keys((await stack.up({ image })).errors)).toEqual(["image"]);
    await emulator.control.faults();
    expect((await stack.up({ image })).errors).toEqual({});
    expect([targetDigest(emulator, `${name}:1`), targetDigest(emulator, `${name}:new`)]).toEqual([second, second]);
  });
});

/** The first manifest that an index of Docker Hub lists. */
function childOf(index: string): string {
  const manifest = emulator.server.images.publicStores.get("docker.io")?.manifest(name, index);
  return JSON.parse(Buffer.from(manifest?.bytes ?? "{}").toString()).manifests[0].digest;
}
