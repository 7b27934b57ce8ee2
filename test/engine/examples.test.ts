/** The programs under examples/; the one with azure-native runs with the stand-ins for its SDK and its plugin. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { installPlugin, modulesWithSdk } from "../support/azure-native/install";
import { startTestEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { examples } from "./example-sources";

const folder = path.join(__dirname, "../../examples");

test.each(readdirSync(folder).filter((name) => existsSync(path.join(folder, name, "Pulumi.yaml"))))(
  "the example %s is deployed, unchanged by a second up, and destroyed",
  async (example) => {
    const emulator = await startTestEmulator();
    const { config = {}, secrets = {}, files = {}, outputs = {}, later } = await sourceOf(example)(emulator);
    const nodeModules = usesAzureNative(example) ? { nodeModules: modulesWithSdk() } : {};
    const project = await PulumiProject.create({ example, env: emulator.env, ...nodeModules, config, secrets });
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(project.folder, name), content);
    installPlugin(project.env);
    const up = await project.up({ args: ["--skip-preview"] });
    expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
    expect(await project.outputs()).toMatchObject(outputs);
    const again = await project.up({ args: ["--skip-preview", "--expect-no-changes"] });
    expect(again.exitCode).toBe(0);
    await later?.(project);
    expect((await project.destroy({ args: ["--skip-preview"] })).exitCode).toBe(0);
  },
);

function sourceOf(example: string) {
  const source = examples[example];
  if (source === undefined) throw new Error(`examples/${example} is missing in example-sources.ts`);
  return source;
}

function usesAzureNative(example: string): boolean {
  return readFileSync(path.join(folder, example, "package.json"), "utf8").includes("@pulumi/azure-native");
}
