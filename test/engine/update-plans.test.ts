/** Update plans: what was reviewed is what is imported. */
import path from "node:path";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { imageProgram } from "./programs";

const emulator = useEmulator();

test("up --plan refuses a source that moved after the preview, and imports nothing", async () => {
  const { control, env } = emulator;
  const source = "docker.io/library/planned:1";
  await control.moveTag(source);
  const project = await PulumiProject.create({ env, program: imageProgram({ registry: "myregistry", source }) });
  const plan = path.join(project.folder, "plan.json");
  expect((await project.preview({ args: ["--save-plan", plan] })).exitCode).toBe(0);

  const { digest } = await control.moveTag(source);
  await control.clearRequests();
  const refused = await project.up({ args: ["--plan", plan] });
  expect(refused.exitCode).not.toBe(0);
  expect(refused.text).toMatch(/violates plan: properties changed:.*sourceDigest/);
  expect(await control.imports()).toEqual([]);
  expect(await control.digest("myregistry.azurecr.io/library/planned:1")).toBeUndefined();

  expect((await project.preview({ args: ["--save-plan", plan] })).exitCode).toBe(0);
  expect((await project.up({ args: ["--plan", plan] })).changes).toEqual({ create: 1 });
  expect(await control.digest("myregistry.azurecr.io/library/planned:1")).toBe(digest);
});
