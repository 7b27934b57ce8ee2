import { readdirSync } from "node:fs";
import path from "node:path";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";

const folder = path.join(__dirname, "../../examples");
const source = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/images/providers";

/** What each example needs to be told; one that is missing here fails. */
const settings: Record<string, { config?: Record<string, string>; secrets?: Record<string, string> }> = {
  quickstart: {},
  "private-source": { config: { username: "emulator" }, secrets: { token: "dckr_pat_emulator" } },
  "other-azure-registry": {
    config: { source: `${source}/Microsoft.ContainerRegistry/registries/mysourceregistry` },
  },
};

const box = useEmulator();

test.each(
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name),
)("the example %s runs, runs again without a change, and goes", async (example) => {
  const known = settings[example];
  if (known === undefined) throw new Error(`the test does not know how to configure examples/${example}`);
  const project = await PulumiProject.create({ example, env: box.env, ...known });
  expect((await project.up({ args: ["--skip-preview"] })).exitCode).toBe(0);
  const again = await project.up({ args: ["--skip-preview", "--expect-no-changes"] });
  expect(again.exitCode).toBe(0);
  expect((await project.destroy({ args: ["--skip-preview"] })).exitCode).toBe(0);
});
