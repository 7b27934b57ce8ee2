/** `ignoreChanges` of an `ImportedRepository`: the engine restores what is recorded before `check`. */
import { useEmulator } from "../support/emulator";
import type { Properties } from "../support/plugin";
import { freshMirror, type Mirror } from "./repository-stack";

const emulator = useEmulator();
let mirror: Mirror;

beforeEach(() => {
  mirror = freshMirror(emulator);
});

const declared = (changes: object = {}) => ({ source: `docker.io/${mirror.repository}`, semver: ">=1", ...changes });
const up = (changes: object = {}) => mirror.stack.up({ mirror: declared(changes) });

/** Checks and compares a program that has changed, where some inputs are the recorded ones. */
async function plan(changes: object, ignored: (recorded: Properties) => Properties) {
  const plugin = await mirror.stack.plugin();
  const { id, inputs: recorded, outputs } = mirror.stack.resource("mirror");
  const news = mirror.stack.inputs("mirror", declared(changes));
  const { inputs, failures } = await plugin.check({ ...news, ...ignored(recorded) }, recorded);
  return { failures, inputs, changes: (await plugin.diff(id, outputs, inputs)).changes };
}

test("tags: what is selected by now does not come", async () => {
  const digest = mirror.publish("1.0.0");
  await up();
  mirror.publish("1.1.0");
  const ignored = ({ tags }: Properties) => ({ tags });
  expect(await plan({}, ignored)).toMatchObject({ failures: [], changes: false });
  // Another repository gets the same tags.
  const moved = await plan({ targetRepository: `${mirror.repository}-moved` }, ignored);
  expect(moved).toMatchObject({ failures: [], inputs: { tags: `1.0.0 ${digest}\n` }, changes: true });
});

test("source: another one is not read", async () => {
  mirror.publish("1.0.0");
  await up();
  const ignored = ({ source }: Properties) => ({ source });
  expect(await plan({ source: "docker.io/team/other" }, ignored)).toMatchObject({ failures: [], changes: false });
});

test("referrers: what is recorded stays, although the program no longer asks for it", async () => {
  await emulator.control.signedImage(`docker.io/${mirror.repository}:1.0.0`);
  await up({ referrers: true });
  const ignored = ({ referrers }: Properties) => ({ referrers });
  const { referrers } = mirror.stack.resource("mirror").inputs;
  expect(await plan({ referrers: false }, ignored)).toMatchObject({
    failures: [],
    inputs: { referrers },
    changes: false,
  });
});

test("*: whatever the program says, nothing changes", async () => {
  mirror.publish("1.0.0");
  await up({ lock: true, cooldown: "3d" });
  mirror.publish("1.0.0");
  await up({ lock: true, cooldown: "3d" });
  const all = (recorded: Properties) => recorded;
  expect(await plan({ semver: ">=9", lock: false }, all)).toMatchObject({ failures: [], changes: false });
});
