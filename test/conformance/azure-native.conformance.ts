/** The SDK of azure-native, as npm provides it, with the stand-in for its plugin. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { runOrFail } from "../../scripts/process";
import { followRegistry } from "../engine/scenarios/azure-native";
import { installPlugin } from "../support/azure-native/install";
import { VERSION } from "../support/azure-native/sdk/azure-resource";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { machineEnvironment } from "../support/environment";

const emulator = useEmulator();
const checkout = path.join(__dirname, "../..");
let folder: string;
let modules: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "azure-native-"));
  writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
  const args = ["install", "--no-audit", "--no-fund", "--save-exact", `@pulumi/azure-native@${VERSION}`];
  await runOrFail("npm", args, { cwd: folder, env: machineEnvironment, timeout: 300_000 });
  modules = path.join(folder, "node_modules");
  // One copy of Pulumi's SDK, as npm installs it for a program.
  rmSync(path.join(modules, "@pulumi/pulumi"), { recursive: true });
  for (const name of ["@pulumi/pulumi", "@types/node", "pulumi-acr-import", "typescript"]) {
    rmSync(path.join(modules, name), { recursive: true, force: true });
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(checkout, "node_modules", name), path.join(modules, name));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("images follow a registry of azure-native through its life", async () => {
  await followRegistry(emulator, modules);
});

test("examples/new-registry compiles and runs", async () => {
  copyFileSync(path.join(checkout, "examples/new-registry/index.ts"), path.join(folder, "index.ts"));
  const compiler = path.join(checkout, "node_modules/.bin/tsc");
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "node16", "--types", "node"];
  await runOrFail(compiler, [...options, "index.ts"], { cwd: folder, timeout: 300_000 });
  const project = await PulumiProject.create({
    example: "new-registry",
    env: emulator.env,
    nodeModules: modules,
    config: { "azure-native:location": "westus" },
  });
  installPlugin(project.env);
  expect((await project.up()).changes).toEqual({ create: 8 });
  expect((await project.up()).changes).toEqual({ same: 8 });
  expect((await project.destroy()).changes).toEqual({ delete: 8 });
});
