/** The plugin process starts while the program resolves digests, and nothing shows it. */
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { pluginOf } from "../support/plugin-process";
import { until } from "../support/until";
import { imageProgram } from "./programs";

const emulator = useEmulator();
const image = { registry: "myregistry", source: "docker.io/library/hello-world:latest" };

test("the plugin process runs before the first digest is resolved", async () => {
  const { control, env } = emulator;
  const project = await PulumiProject.create({ env, program: imageProgram(image) });
  await control.faults({ host: "registry-1.docker.io", status: 429, setHeaders: { "retry-after": "1" } });
  const up = project.start("up");
  await until(() => pluginOf(up) !== undefined);
  await until(async () => (await control.requests({ host: "registry-1.docker.io" })).length > 0);
  await control.faults();
  const { exitCode } = await up.finished;
  expect({ exitCode, output: up.output() }).toMatchObject({ exitCode: 0 });
  expect(up.output()).not.toMatch(/unknown function|pulumi-nodejs:index/);
});

test("no event of the engine and no line of its output tells of the early start", async () => {
  const project = await PulumiProject.create({ env: emulator.env, program: imageProgram(image) });
  await project.up();
  for (const outcome of [
    await project.preview(),
    await project.up(),
    await project.up({ args: ["--target", "**app"] }),
  ]) {
    expect(outcome.exitCode).toBe(0);
    const severities = outcome.events.flatMap(({ diagnosticEvent }) => diagnosticEvent?.severity ?? []);
    expect([...new Set(severities)]).toEqual(["debug"]);
    expect(JSON.stringify(outcome.events) + outcome.text).not.toMatch(/unknown function|pulumi-nodejs:index/);
  }
});

test("an image with an explicit provider starts no default provider, which a stack may have disabled", async () => {
  const program = `
    const { ImportedImage, Provider } = require("pulumi-acr-import");
    const { ARM_CLIENT_ID: clientId, ARM_CLIENT_SECRET: clientSecret } = process.env;
    const provider = new Provider("importer", { clientId, clientSecret });
    new ImportedImage("app", ${JSON.stringify(image)}, { provider });`;
  const project = await PulumiProject.create({ env: emulator.env, program });
  await project.pulumi(["config", "set", "--path", "pulumi:disable-default-providers[0]", "*"]);
  const { exitCode, text } = await project.up();
  expect({ exitCode, text }).toMatchObject({ exitCode: 0 });
  expect((await project.state()).text).not.toContain("pulumi-nodejs::default");
});

test("the state names the line of the program that declares the image", async () => {
  const project = await PulumiProject.create({ env: emulator.env, program: imageProgram(image) });
  await project.up();
  expect((await project.state()).resource("app")).toMatchObject({ sourcePosition: "project:///index.js#2,13" });
});
