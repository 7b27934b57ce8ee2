/** Killed and interrupted runs. */
import { holdImports, useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { pluginOf } from "../support/plugin-process";
import { until } from "../support/until";
import { imageProgram } from "./programs";

const emulator = useEmulator();

/** A first `up` during an import that Azure finishes when `release` is called, or never when `isStuck`. */
async function importing(name: string, isStuck = false) {
  const { control, env } = emulator;
  const source = `docker.io/library/${name}:1`;
  const { digest } = await control.moveTag(source);
  const project = await PulumiProject.create({ env, program: imageProgram({ registry: "myregistry", source }) });
  if (isStuck) await control.faults({ path: "/importImage", times: 1, import: { stayPending: true } });
  const release = isStuck ? undefined : await holdImports(emulator);
  await control.clearRequests();
  const up = project.start("up");
  await until(async () => (await control.requests({ path: "/operationResults/" })).length > 0);
  const held = () => control.digest(`myregistry.azurecr.io/library/${name}:1`);
  expect(await held()).toBeUndefined();
  return { project, up, digest, held, release };
}

test("after up and its processes were killed during an import, the next up adopts the result", async () => {
  const { control } = emulator;
  const { project, up, digest, held, release } = await importing("killed");
  up.kill();
  await up.finished;
  await release?.();
  await until(async () => (await held()) === digest);

  expect((await project.state()).pendingOperations).toHaveLength(1);
  expect((await project.pulumi(["cancel", "--yes", "--non-interactive"])).exitCode).toBe(0);
  await control.clearRequests();
  const next = await project.up();
  expect([next.exitCode, next.changes]).toEqual([0, { create: 1 }]);
  expect(await control.imports()).toEqual([]);
  expect((await project.state()).resource("app").outputs?.sourceDigest).toBe(digest);
  await project.pulumi(["refresh", "--yes", "--skip-preview", "--non-interactive", "--clear-pending-creates"]);
  expect((await project.up()).changes).toEqual({ same: 1 });
});

test("after the plugin was killed, the next up imports what Azure never finished", async () => {
  const { control } = emulator;
  const { project, up, digest, held } = await importing("orphaned", true);
  process.kill(pluginOf(up) ?? Number.NaN, "SIGKILL");
  expect((await up.finished).exitCode).not.toBe(0);
  expect((await project.state()).text).not.toContain(digest);

  await control.clearRequests();
  const next = await project.up();
  expect([next.exitCode, next.changes]).toEqual([0, { create: 1 }]);
  expect(await control.imports()).toHaveLength(1);
  expect(await held()).toBe(digest);
  expect((await project.refresh()).changes).toEqual({ same: 1 });
});

test("Ctrl-C waits for the import and records it; a second one ends at once, and the next up imports", async () => {
  const { control } = emulator;
  const once = await importing("once");
  once.up.signal("SIGINT");
  await once.up.line(/cancelling/);
  await once.release?.();
  expect((await once.up.finished).exitCode).not.toBe(0);
  expect(await once.held()).toBe(once.digest);
  await control.clearRequests();
  expect((await once.project.up()).changes).toEqual({ same: 1 });
  expect(await control.imports()).toEqual([]);

  const twice = await importing("twice", true);
  twice.up.signal("SIGINT");
  await twice.up.line(/cancelling/);
  twice.up.signal("SIGINT");
  expect((await twice.up.finished).exitCode).not.toBe(0);
  const next = await twice.project.up();
  expect([next.exitCode, next.changes]).toEqual([0, { create: 1 }]);
  expect(await twice.held()).toBe(twice.digest);
});
