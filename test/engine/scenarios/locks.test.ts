/** S23: locks on what was imported. */
import { useEmulator } from "../../support/emulator";
import { expectRefused, Scenario } from "./scenario";

const emulator = useEmulator();

/** The lock of a tag in the target registry. */
function lockOf(repository: string, tag: string): { write: boolean; delete: boolean } {
  const { store } = emulator.server.state.registries.find(({ name }) => name === "myregistry") ?? {};
  const { writeEnabled, deleteEnabled } = store?.tag(repository, tag)?.attributes ?? {};
  return { write: writeEnabled === false, delete: deleteEnabled === false };
}

const LOCKED = { write: true, delete: true };
const UNLOCKED = { write: false, delete: false };
const setLock = (reference: string, locked: boolean) =>
  emulator.control.call("PATCH", "/image", { reference }, { writeEnabled: !locked, deleteEnabled: !locked });

test("S23 lock: a tag is locked and read back, moves with its source, and drift is shown and repaired", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const source = "docker.io/library/locked:1";
  const target = "myregistry.azurecr.io/team/locked:1";
  const args = { registry: "myregistry", source, targetTags: ["team/locked:1"], lock: true };
  const changes = async () =>
    (await control.requests({ from: "client", host: "myregistry.azurecr.io", path: "/acr/v1/" })).map(
      ({ method }) => method,
    );
  const { digest: first } = await control.moveTag(source);
  await control.clearRequests();
  await scenario.works(args, first);
  expect(lockOf("team/locked", "1")).toEqual(LOCKED);
  expect((await changes()).slice(-2)).toEqual(["PATCH", "GET"]);
  await expect(control.moveTag(target)).rejects.toThrow(/disallowed/);

  // For its own update the resource takes the lock off and puts it on again.
  const { digest: second } = await control.moveTag(source);
  await scenario.works(args, second);
  expect(lockOf("team/locked", "1")).toEqual(LOCKED);
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect(await changes()).toEqual([]);

  await setLock(target, false);
  const refresh = await project.refresh({ args: ["--diff"] });
  expect(refresh.changes).toEqual({ update: 1 });
  expect(refresh.text).toMatch(/\+ +\[0\]: "team\/locked:1"/);
  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 1 });
  expect(preview.text).toMatch(/\+ lock *: true/);
  expect(lockOf("team/locked", "1")).toEqual(UNLOCKED);
  await control.clearRequests();
  await scenario.works(args, second);
  expect([lockOf("team/locked", "1"), await control.imports()]).toEqual([LOCKED, []]);
  expect((await project.refresh()).changes).toEqual({ same: 1 });
});

test("S23 lock: somebody else's is never taken off", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const source = "docker.io/library/foreign:1";
  const target = "myregistry.azurecr.io/team/foreign:1";
  const args = { registry: "myregistry", source, targetTags: ["team/foreign:1"], onDelete: "untag" };
  const { digest: first } = await control.moveTag(source);
  await scenario.works(args, first);
  await setLock(target, true);
  const { digest: second } = await control.moveTag(source);
  const locked = {
    code: "TARGET_LOCKED",
    message: [`target: ${target}`, "az acr repository update", "--write-enabled true"],
  };
  await scenario.refuses("a tag that somebody else has locked", args, locked);
  expectRefused("its deletion", await project.destroy(), { ...locked, message: [`target: ${target}`] });
  expect([await control.digest(target), lockOf("team/foreign", "1")]).toEqual([first, LOCKED]);

  await setLock(target, false);
  await scenario.works(args, second);
  expect(lockOf("team/foreign", "1")).toEqual(UNLOCKED);
});
