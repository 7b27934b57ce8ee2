/** The programs under examples/. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { registryId } from "../support/fixtures";

const folder = path.join(__dirname, "../../examples");

/** The configuration of each example; an example that is missing here fails. */
const settings: Record<string, { config?: Record<string, string>; secrets?: Record<string, string> }> = {
  quickstart: {},
  "private-source": { config: { username: "emulator" }, secrets: { token: "dckr_pat_emulator" } },
  "other-azure-registry": {
    config: { source: registryId("mysourceregistry") },
  },
};

const box = useEmulator();

test.each(
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name),
)("the example %s is deployed, unchanged by a second up, and destroyed", async (example) => {
  const known = settings[example];
  if (known === undefined) throw new Error(`examples/${example} has no configuration in this test`);
  const project = await PulumiProject.create({ example, env: box.env, ...known });
  expect((await project.up({ args: ["--skip-preview"] })).exitCode).toBe(0);
  const again = await project.up({ args: ["--skip-preview", "--expect-no-changes"] });
  expect(again.exitCode).toBe(0);
  expect((await project.destroy({ args: ["--skip-preview"] })).exitCode).toBe(0);
});
