/**
 * S24: a registry that azure-native creates, updates, replaces and destroys in the program that imports images into it. Its
 * SDK and its plugin are stand-ins; `npm run conformance` runs the same life cycle with the real SDK.
 */
import { modulesWithSdk } from "../../support/azure-native/install";
import { useEmulator } from "../../support/emulator";
import { until } from "../../support/until";
import { azureNativeProject, followRegistry, summaryOf } from "./azure-native";

const emulator = useEmulator();
let modules: string;
beforeAll(() => {
  modules = modulesWithSdk();
});
const newProject = (program: string) => azureNativeProject(emulator, modules, program);

test("S24 images follow their registry through create, no-op, update, replace, refresh and destroy", async () => {
  await followRegistry(emulator, modules);
}, 300_000);

test("S24 an image whose registry is given as text is imported again when the creation date is a trigger", async () => {
  const { control } = emulator;
  const project = await newProject(`
    const image = (name, args) =>
      new ImportedImage(name, { registry: "s24text", source, targetTags: [name + ":1"], ...args }, { dependsOn: registry });
    image("lost", {});
    image("again", { triggers: [registry.creationDate] });
  `);
  const env = { REGISTRY: "s24text", LOCATION: "westus", TEAM: "a" };
  expect(summaryOf(await project.up({ env }))).toEqual(["+ 7 created"]);
  env.LOCATION = "eastus";
  expect(summaryOf(await project.up({ env }))).toEqual(["~ 1 updated", "+-2 replaced", "3 changes. 4 unchanged"]);
  expect(await control.digest("s24text.azurecr.io/again:1")).toBeDefined();
  expect(await control.digest("s24text.azurecr.io/lost:1")).toBeUndefined();
}, 180_000);

test("S24 the first up waits for a role assignment that the image depends on, and for no other", async () => {
  const { control } = emulator;
  const settings = (roleAssignmentDelayMs: number) => control.call("PUT", "/settings", {}, { roleAssignmentDelayMs });
  const denials = () => control.requests({ from: "client", status: 403 });
  await settings(3_600_000);
  await control.clearRequests();
  const project = await newProject(`
    const registryId = process.env.DEPENDS ? registry.id : pulumi.all([registry.id, role.id]).apply(([id]) => id);
    const dependsOn = process.env.DEPENDS ? [role] : [];
    new ImportedImage("app", { registry: registryId, source, targetTags: ["app:1"] }, { provider, dependsOn });
  `);
  const env = { REGISTRY: "s24role", LOCATION: "westus", TEAM: "a", DEPENDS: "" };
  const failed = await project.up({ env });
  expect(failed.exitCode).not.toBe(0);
  expect(failed.text).not.toContain("waiting");
  expect(failed.diagnostics("error").join()).toMatch(
    /is not allowed to import into .*\[AZURE_PERMISSION_DENIED\]\n {2}Hint: .*A new role assignment can take a few minutes to take effect/,
  );

  const preview = await project.preview({ env: { ...env, DEPENDS: "yes" } });
  expect(preview.text).not.toContain("waiting");
  await control.clearRequests();
  let isRunning = true;
  const up = project.up({ env: { ...env, DEPENDS: "yes" } }).finally(() => {
    isRunning = false;
  });
  await until(async () => !isRunning || (await denials()).length > 0);
  await settings(0);
  expect(summaryOf(await up)).toEqual(["+ 1 created", "5 unchanged"]);
  expect((await up).text).toContain("waiting up to 5 min for the role assignment to take effect");
  expect(await control.digest("s24role.azurecr.io/app:1")).toBeDefined();
}, 180_000);
