import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { imageProgram } from "./programs";

const box = useEmulator();

test("a tag that holds somebody else's digest stops a first up, or is overwritten when that is wanted", async () => {
  const { control, env } = box;
  const source = "docker.io/library/contested:1";
  const target = "myregistry.azurecr.io/library/contested:1";
  const { digest } = await control.moveTag(source);
  const { digest: theirs } = await control.moveTag(target);
  const program = (more: object = {}) => imageProgram({ registry: "myregistry", source, ...more });
  const project = await PulumiProject.create({ env, program: program() });

  const refused = await project.up();
  expect(refused.exitCode).not.toBe(0);
  const [error = ""] = refused.diagnostics("error");
  expect(error).toContain(`${target} holds ${theirs}, which was not created by this resource`);
  expect(error).toContain(digest);
  expect(error).toContain('onConflict: "overwrite"');
  expect(error).toContain("[TARGET_CONFLICT]");
  expect(refused.text).not.toMatch(/^\s+at /m);
  expect(await control.imports()).toEqual([]);
  expect(await control.digest(target)).toBe(theirs);
  expect((await project.state()).text).not.toContain(digest);

  await project.write(program({ onConflict: "overwrite" }));
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 1 }]);
  expect(await control.imports()).toHaveLength(1);
  expect(await control.digest(target)).toBe(digest);
});

test("one contested tag keeps the others from being imported", async () => {
  const { control, env } = box;
  const { digest } = await control.moveTag("docker.io/library/partly:1");
  const { digest: theirs } = await control.moveTag("myregistry.azurecr.io/partly:b");
  const program = (...targetTags: string[]) =>
    imageProgram({ registry: "myregistry", source: "docker.io/library/partly:1", targetTags });
  const project = await PulumiProject.create({ env, program: program("partly:a") });
  await project.up();

  await project.write(program("partly:a", "partly:b", "partly:c"));
  await control.clearRequests();
  const refused = await project.up();
  expect(refused.exitCode).not.toBe(0);
  expect(refused.diagnostics("error")[0]).toContain(`myregistry.azurecr.io/partly:b holds ${theirs}`);
  expect(await control.imports()).toEqual([]);
  expect(await control.digest("myregistry.azurecr.io/partly:a")).toBe(digest);
  expect(await control.digest("myregistry.azurecr.io/partly:b")).toBe(theirs);
  expect(await control.digest("myregistry.azurecr.io/partly:c")).toBeUndefined();
  // The record stands: without the contested tag the next up goes on.
  await project.write(program("partly:a", "partly:c"));
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.digest("myregistry.azurecr.io/partly:c")).toBe(digest);
});

test("when source and target moved at once, the target's owner is respected", async () => {
  const { control, env } = box;
  const source = "docker.io/library/both:1";
  const target = "myregistry.azurecr.io/library/both:1";
  const program = (more: object = {}) => imageProgram({ registry: "myregistry", source, ...more });
  await control.moveTag(source);
  const project = await PulumiProject.create({ env, program: program() });
  await project.up();
  const { digest } = await control.moveTag(source);
  const { digest: theirs } = await control.moveTag(target);

  await control.clearRequests();
  const refused = await project.up();
  expect(refused.exitCode).not.toBe(0);
  expect(refused.diagnostics("error")[0]).toContain(`${target} holds ${theirs}`);
  expect(refused.diagnostics("error")[0]).toContain(`it should hold ${digest}`);
  expect(await control.imports()).toEqual([]);
  expect(await control.digest(target)).toBe(theirs);

  await project.write(program({ onConflict: "overwrite" }));
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.digest(target)).toBe(digest);
});
