/** Inline programs, which share one process over several runs. */
import { run } from "../../scripts/process";
import { startTestEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";

test("inline programs of the Automation API resolve the digest in every run, also of concurrent stacks", async () => {
  const { control, env } = await startTestEmulator();
  const project = await PulumiProject.create({ env, program: "" });
  const reference = "docker.io/library/inline:1";
  const first = await control.moveTag(reference);
  await project.write(`
    const { LocalWorkspace } = require("@pulumi/pulumi/automation");
    const { ImportedImage } = require("pulumi-acr-import");
    const { mkdirSync } = require("node:fs");
    const stack = (name) => {
      mkdirSync(name, { recursive: true });
      const program = async () => ({
        digest: new ImportedImage("a", { registry: "myregistry", source: "${reference}", targetTags: [name + ":1"] }).sourceDigest,
      });
      return LocalWorkspace.createOrSelectStack({ stackName: "dev", projectName: name, program }, { workDir: name });
    };
    (async () => {
      const [one, two] = [await stack("one"), await stack("two")];
      const ups = async () => (await Promise.all([one.up(), two.up()])).map(({ summary, outputs }) => [summary.resourceChanges, outputs.digest.value]);
      const before = await ups();
      await fetch("${env.EMULATOR_CONTROL}/image?reference=${reference}", { method: "PUT" });
      const preview = (await one.preview()).changeSummary;
      console.log(JSON.stringify({ before, preview, after: await ups() }));
    })();
  `);
  const { exitCode, stdout, stderr } = await run(process.execPath, ["index.js"], {
    cwd: project.folder,
    env: project.env,
  });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const { digest: second } = await control.image(reference);
  const created = { create: 2 };
  const updated = { same: 1, update: 1 };
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
    before: [
      [created, first.digest],
      [created, first.digest],
    ],
    preview: updated,
    after: [
      [updated, second],
      [updated, second],
    ],
  });
});
