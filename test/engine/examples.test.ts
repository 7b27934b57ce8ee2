/** The programs under examples/; the one with azure-native runs with the stand-ins for its SDK and its plugin. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { installPlugin, modulesWithSdk } from "../support/azure-native/install";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { registryId } from "../support/fixtures";

const folder = path.join(__dirname, "../../examples");

/** The configuration of each example; an example that is missing here fails. */
const settings: Record<string, { config?: Record<string, string>; secrets?: Record<string, string> }> = {
  quickstart: {},
  "private-source": { config: { username: "emulator" }, secrets: { token: "dckr_pat_emulator" } },
  "new-registry": { config: { "azure-native:location": "westus" } },
  "other-azure-registry": {
    config: { source: registryId("mysourceregistry") },
  },
};

const emulator = useEmulator();

test.each(
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name),
)("the example %s is deployed, unchanged by a second up, and destroyed", async (example) => {
  const known = settings[example];
  if (known === undefined) throw new Error(`examples/${example} has no configuration in this test`);
  const nodeModules = usesAzureNative(example) ? { nodeModules: modulesWithSdk() } : {};
  const project = await PulumiProject.create({ example, env: emulator.env, ...nodeModules, ...known });
  installPlugin(project.env);
  const up = await project.up({ args: ["--skip-preview"] });
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
  const again = await project.up({ args: ["--skip-preview", "--expect-no-changes"] });
  expect(again.exitCode).toBe(0);
  expect((await project.destroy({ args: ["--skip-preview"] })).exitCode).toBe(0);
});

function usesAzureNative(example: string): boolean {
  return readFileSync(path.join(folder, example, "package.json"), "utf8").includes("@pulumi/azure-native");
}
