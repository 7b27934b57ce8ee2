/** Drift of the target: what refresh and preview print and record. */
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { imageProgram } from "./programs";

const emulator = useEmulator();

test("refresh shows a vanished tag, and the next up imports it again", async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("docker.io/library/vanished:1");
  const target = "myregistry.azurecr.io/vanished:1";
  const project = await PulumiProject.create({
    env,
    program: imageProgram({
      registry: "myregistry",
      source: "docker.io/library/vanished:1",
      targetTags: ["vanished:1", "vanished:2"],
    }),
  });
  await project.up();
  await control.removeTag(target);

  const refresh = await project.refresh({ args: ["--diff"] });
  expect([refresh.exitCode, refresh.changes]).toEqual([0, { update: 1 }]);
  expect(refresh.text).toMatch(new RegExp(`- vanished:1: "${digest}"`));
  const { outputs } = (await project.state()).resource("app");
  expect(outputs).toMatchObject({ sourceDigest: digest });
  expect(outputs?.targets).toEqual({ "vanished:2": digest });

  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 1 });
  expect(preview.text).toMatch(new RegExp(`\\+ vanished:1: "${digest}"`));
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.imports()).toHaveLength(1);
  expect(await control.digest(target)).toBe(digest);
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect((await project.refresh()).changes).toEqual({ same: 1 });
});

test("refresh shows a moved tag; up fails with both digests, or repairs it with onConflict: overwrite", async () => {
  const { control, env } = emulator;
  const source = "docker.io/library/taken:1";
  const target = "myregistry.azurecr.io/library/taken:1";
  const program = (more: object = {}) => imageProgram({ registry: "myregistry", source, ...more });
  const { digest } = await control.moveTag(source);
  const project = await PulumiProject.create({ env, program: program() });
  await project.up();
  const { digest: theirs } = await control.moveTag(target);

  const refresh = await project.refresh({ args: ["--diff"] });
  expect(refresh.changes).toEqual({ update: 1 });
  expect(refresh.text).toContain(`~ library/taken:1: "${digest}" => "${theirs}"`);
  const { outputs } = (await project.state()).resource("app");
  expect(outputs).toMatchObject({ sourceDigest: digest, targets: { "library/taken:1": theirs } });

  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 1 });
  expect(preview.text).toContain(`~ library/taken:1: "${theirs}" => "${digest}"`);

  await control.clearRequests();
  const refused = await project.up();
  expect(refused.exitCode).not.toBe(0);
  const [error = ""] = refused.diagnostics("error");
  expect(error).toContain(theirs);
  expect(error).toContain(digest);
  expect(await control.imports()).toEqual([]);
  expect(await control.digest(target)).toBe(theirs);

  await project.write(program({ onConflict: "overwrite" }));
  const repaired = await project.up();
  expect([repaired.exitCode, repaired.changes]).toEqual([0, { update: 1 }]);
  expect(await control.digest(target)).toBe(digest);
  expect((await project.refresh()).changes).toEqual({ same: 1 });
});

test("refresh removes a resource from the state when its registry is gone", async () => {
  const { control, env } = emulator;
  await control.call("PUT", "/registries/shortlived", {}, {});
  await control.moveTag("docker.io/library/orphan:1");
  const project = await PulumiProject.create({
    env,
    program: imageProgram({ registry: "shortlived", source: "docker.io/library/orphan:1" }),
  });
  expect((await project.up()).exitCode).toBe(0);
  await control.call("DELETE", "/registries/shortlived");

  const refresh = await project.refresh();
  expect([refresh.exitCode, refresh.changes]).toEqual([0, { delete: 1 }]);
  expect((await project.state()).resources.map(({ type }) => type)).not.toContain(
    "pulumi-nodejs:dynamic/acr:ImportedImage",
  );
});

test("refresh shows a lock that somebody took off, and the next up puts it on again without an import", async () => {
  const { control, env } = emulator;
  await control.moveTag("docker.io/library/locked:1");
  const target = { reference: "myregistry.azurecr.io/library/locked:1" };
  const unlock = () => control.call("PATCH", "/image", target, { writeEnabled: true, deleteEnabled: true });
  const project = await PulumiProject.create({
    env,
    program: imageProgram({ registry: "myregistry", source: "docker.io/library/locked:1", lock: true }),
  });
  await project.up();
  await unlock();

  const shown = await project.preview({ args: ["--refresh", "--diff"] });
  expect(shown.text).toMatch(/unlocked: \[\s+[-+] +\[0\]: "library\/locked:1"/);
  const refresh = await project.refresh();
  expect([refresh.exitCode, refresh.changes]).toEqual([0, { update: 1 }]);
  expect(refresh.text).toContain("[diff: ~lock]");

  await control.clearRequests();
  expect((await project.preview({ args: ["--diff"] })).changes).toEqual({ update: 1 });
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.imports()).toEqual([]);
  expect(await control.requests({ method: "PATCH" })).toHaveLength(1);
  expect((await project.refresh()).changes).toEqual({ same: 1 });
  expect((await project.up()).changes).toEqual({ same: 1 });
});
