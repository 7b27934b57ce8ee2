/** Unit tests of programs that mock the Pulumi runtime. */
import { run } from "../../scripts/process";
import { startTestEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";

test("a unit test with setMocks works offline and sends no request", async () => {
  const { control, env } = await startTestEmulator();
  // The test needs the folder of the project only, and no engine.
  const project = await PulumiProject.create({ env, program: "" });
  await project.write(`
    const pulumi = require("@pulumi/pulumi");
    const registered = [];
    pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => { registered.push({ type, name, inputs }); return { id: "id", state: { ...inputs, reference: "mocked@sha256:0" } }; },
      call: ({ inputs }) => inputs,
    });
    const { ImportedImage } = require("pulumi-acr-import");
    const app = new ImportedImage("app", {
      registry: "myregistry",
      source: { image: "docker.io/library/hello-world:latest", credentials: { password: "token" } },
      targetTags: ["hello:1"],
    });
    const other = new ImportedImage("other", { registry: "no such registry!", source: "NOT a reference" });
    pulumi.all([app.reference, app.urn, other.id]).apply(([reference, urn]) => {
      console.log(JSON.stringify({ reference, urn, types: registered.map(({ type }) => type), tags: registered.find(({ name }) => name === "app").inputs.targetTags }));
    });
  `);
  const { exitCode, stdout, stderr } = await run(process.execPath, ["index.js"], {
    cwd: project.folder,
    env: { ...project.env, PULUMI_HOME: undefined, PULUMI_BACKEND_URL: undefined },
  });
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toEqual({
    reference: "mocked@sha256:0",
    urn: expect.stringContaining("pulumi-nodejs:dynamic/acr:ImportedImage::app"),
    types: ["pulumi-nodejs:dynamic/acr:ImportedImage", "pulumi-nodejs:dynamic/acr:ImportedImage"],
    tags: ["hello:1"],
  });
  expect(await control.requests()).toEqual([]);
});
