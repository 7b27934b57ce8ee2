/** The replacement of an `ImportedRepository`, for which the engine calls `create` without the state. */
import { useEmulator } from "../support/emulator";
import { freshMirror, type Mirror } from "./repository-stack";

const emulator = useEmulator();
let mirror: Mirror;

beforeEach(() => {
  mirror = freshMirror(emulator);
});

test("two mirrors in one repository that are replaced still know their own tags when the source has moved", async () => {
  mirror.publish("1.0.0");
  mirror.publish("2.0.0");
  const declared = {
    one: { source: `docker.io/${mirror.repository}`, semver: "^1" },
    two: { source: `docker.io/${mirror.repository}`, semver: "^2" },
  };
  expect((await mirror.stack.up(declared)).errors).toEqual({});
  await mirror.stack.stopPlugin();
  const moved = [mirror.publish("1.0.0"), mirror.publish("2.0.0")];
  const plugin = await mirror.stack.plugin();
  const checked = [];
  for (const [name, declaration] of Object.entries(declared)) {
    const { inputs } = await plugin.check(mirror.stack.inputs(name, declaration), mirror.stack.resource(name).inputs);
    checked.push(inputs);
  }
  await Promise.all(checked.map((inputs) => plugin.create(inputs)));
  expect([mirror.holds("1.0.0"), mirror.holds("2.0.0")]).toEqual(moved);
});

test("tags are known as ours when what the registry depends on is replaced, and the registry is not", async () => {
  mirror.publish("1.0.0");
  const declaration = { source: `docker.io/${mirror.repository}`, semver: ">=1", onDelete: "untag" };
  await mirror.stack.up({ mirror: declaration });
  await mirror.stack.stopPlugin();
  const { id, inputs, outputs } = mirror.stack.resource("mirror");
  const plugin = await mirror.stack.plugin();
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  expect(await plugin.diff(id, outputs, { ...inputs, registry: unknown })).toMatchObject({ replaces: ["registry"] });
  await plugin.delete(id, outputs);
  const moved = mirror.publish("1.0.0");
  const checked = await plugin.check(mirror.stack.inputs("mirror", declaration));
  await plugin.create(checked.inputs);
  expect(mirror.holds("1.0.0")).toBe(moved);
});
