/** The quickstart runs on each supported version of Node.js, as npm provides it. */
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { SUPPORTED_NODE } from "../../scripts/node-versions.cjs";
import { runOrFail } from "../../scripts/process";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { machineEnvironment } from "../support/environment";

const emulator = useEmulator();
const quickstart = readFileSync(path.join(__dirname, "../../examples/quickstart/index.ts"), "utf8");

test.each(SUPPORTED_NODE)("the quickstart runs on Node.js %d", async (version) => {
  const project = await PulumiProject.create({
    env: { ...emulator.env, PATH: [await nodeFolder(version), "/usr/bin", "/bin"].join(path.delimiter) },
    program: `${quickstart}\nexport const node = process.version;\n`,
    language: "typescript",
  });
  expect((await project.up()).changes).toEqual({ create: 1 });
  expect((await project.outputs()).node).toMatch(new RegExp(`^v${version}\\.`));
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect((await project.refresh()).changes).toEqual({ same: 1 });
  expect((await project.destroy()).changes).toEqual({ delete: 1 });
});

/** The folder of the newest release of a major version, which npm keeps in its cache. */
async function nodeFolder(version: number): Promise<string> {
  const args = ["exec", "--yes", `--package=node@${version}`, "--", "node", "-p", "process.execPath"];
  const output = await runOrFail("npm", args, { cwd: tmpdir(), env: machineEnvironment });
  return path.dirname(output.trim());
}
