/** Secrets in output, events and state. */
import { useEmulator } from "../support/emulator";
import { type Outcome, PulumiProject } from "../support/engine";

const username = "emulator";
const token = "dckr_pat_emulator";

const emulator = useEmulator();

const program = (credentials: string, more = "", reference = "docker.io/tensorflow/tensorflow:latest-gpu") => `
  const pulumi = require("@pulumi/pulumi");
  const { ImportedImage } = require("pulumi-acr-import");
  const config = new pulumi.Config();
  const app = new ImportedImage("app", {
    registry: "myregistry",
    source: { image: "${reference}", credentials: ${credentials} },
    ${more}
  });
  exports.reference = app.reference;
  exports.digest = app.sourceDigest;
`;

test("credentials are encrypted everywhere, however they are passed", async () => {
  const { control, env } = emulator;
  const reference = "docker.io/tensorflow/tensorflow:latest-gpu";
  const split = '["dckr", "pat", "emulator"].join("_")'; // so that the program text does not contain it
  const ways = {
    configured: `{ username: "${username}", password: config.requireSecret("token") }`,
    plain: `{ username: "${username}", password: ${split} }`,
    unmarked: `pulumi.output({ username: "${username}", password: ${split} })`,
    whole: `pulumi.output({ image: "${reference}", credentials: { username: "${username}", password: ${split} } })`,
  };
  const declarations = Object.entries(ways).map(([way, given]) => {
    const source = way === "whole" ? given : `{ image: "${reference}", credentials: ${given} }`;
    return `exports.${way} = new ImportedImage("${way}", { registry: "myregistry", source: ${source}, targetTags: ["${way}:1"] }).sourceDigest;`;
  });
  const project = await PulumiProject.create({
    env,
    program: `
      const pulumi = require("@pulumi/pulumi");
      const { ImportedImage } = require("pulumi-acr-import");
      const config = new pulumi.Config();
      ${declarations.join("\n")}`,
    secrets: { token },
  });
  const preview = await project.preview({ args: ["--diff"] });
  const up = await project.up({ args: ["--diff"] });
  expect([up.exitCode, up.changes]).toEqual([0, { create: 4 }]);
  const again = await project.up();
  expect(again.changes).toEqual({ same: 4 });
  const { digest } = await control.moveTag(reference);
  const moved = await project.up({ args: ["--diff"] });
  expect(moved.changes).toEqual({ update: 4 });
  // The digest of a private image is no secret.
  expect(await project.outputs()).toEqual({ configured: digest, plain: digest, unmarked: digest, whole: digest });
  const refresh = await project.refresh();
  expect(refresh.changes).toEqual({ same: 4 });
  const { text, resource } = await project.state();
  const revealed = await project.state({ secrets: true });
  const destroy = await project.destroy();

  for (const outcome of [preview, up, again, moved, refresh, destroy]) expectNoSecret(outcome);
  expect(text).not.toContain(token);
  expect(project.backend()).not.toContain(token);
  for (const way of Object.keys(ways)) {
    expect(JSON.stringify(resource(way).inputs)).toContain("ciphertext");
    expect(JSON.stringify(revealed.resource(way).outputs)).not.toContain("credentials");
  }
});

test("the provider text and the state of a resource are small", async () => {
  const { env } = emulator;
  const project = await PulumiProject.create({
    env,
    program: `
      const { ImportedImage } = require("pulumi-acr-import");
      new ImportedImage("app", { registry: "myregistry", source: "docker.io/library/hello-world" });`,
  });
  await project.up();
  const app = (await project.state()).resource("app");
  const provider = String(app.outputs?.__provider);
  expect(Buffer.byteLength(provider)).toBeLessThanOrEqual(100);
  expect(app.inputs?.__provider).toBe(provider);
  // Without what the engine records for any resource: URN, positions, times, dependencies.
  const bytes = Buffer.byteLength(JSON.stringify({ inputs: app.inputs, outputs: app.outputs }));
  process.stdout.write(
    `one resource: inputs and outputs ${bytes} bytes, __provider ${provider.length}, whole ${JSON.stringify(app).length}\n`,
  );
  expect(bytes).toBeLessThanOrEqual(2_000);
});

test("a secret is not in the errors of check and import", async () => {
  const { control, env } = emulator;
  const secret = "hunter2-not-the-token";
  const given = `{ username: "${username}", password: "${secret}" }`;
  const project = await PulumiProject.create({ env, program: program(given, 'onDelete: "burn",') });
  const invalid = await project.preview({ args: ["--diff"] });
  expect(invalid.exitCode).not.toBe(0);
  expect(invalid.diagnostics("error")[0]).toContain("onDelete: must be one of");
  expectNoSecret(invalid, secret);

  // An invalid argument beside the password, and a denied look-up.
  await project.write(program(`{ user: "x", password: "${secret}" }`));
  const misspelt = await project.preview();
  expect(misspelt.diagnostics("error")[0]).toContain("source.credentials.user");
  expectNoSecret(misspelt, secret);
  await project.write(program(given));
  const refused = await project.up();
  expect(refused.diagnostics("error")[0]).toContain("[SOURCE_CREDENTIALS_REJECTED]");
  expectNoSecret(refused, secret);

  // The service fails and repeats the credentials.
  await control.faults({
    host: "management.azure.com",
    path: "/importImage",
    status: 400,
    body: { error: { code: "InvalidParameters", message: `bad credentials ${username}:${token}` } },
  });
  await project.write(program(`{ username: "${username}", password: "${token}" }`, 'targetTags: ["echoed:1"],'));
  const echoed = await project.up();
  await control.faults();
  expect(echoed.exitCode).not.toBe(0);
  expectNoSecret(echoed);
  expect(project.backend()).not.toContain(secret);
  expect(project.backend()).not.toContain(token);
});

test("new credentials change nothing, and the next import uses them", async () => {
  const { control, env } = emulator;
  const reference = "othertenantsource.azurecr.io/rotated:1";
  const passwords = (...passwords: string[]) =>
    control.call(
      "PATCH",
      "/registries/othertenantsource",
      {},
      {
        scopedTokens: [{ name: "puller", passwords, repositories: { rotated: ["content/read", "metadata/read"] } }],
      },
    );
  await control.moveTag(reference);
  await passwords("first-password", "second-password");
  const given = (password: string) => program(`{ username: "puller", password: "${password}" }`, "", reference);
  const project = await PulumiProject.create({ env, program: given("first-password") });
  expect((await project.up()).exitCode).toBe(0);

  await passwords("second-password");
  await project.write(given("second-password"));
  await control.clearRequests();
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { same: 1 }]);
  expect(await control.requests({ host: "management.azure.com" })).toEqual([]);

  const { digest } = await control.moveTag(reference);
  const moved = await project.up();
  expect([moved.exitCode, moved.changes]).toEqual([0, { update: 1 }]);
  expect(await control.digest("myregistry.azurecr.io/rotated:1")).toBe(digest);
  expect((await project.refresh()).changes).toEqual({ same: 1 });
  expect(project.backend()).not.toMatch(/first-password|second-password/);
});

function expectNoSecret({ text, events }: Outcome, secret = token): void {
  expect(text).not.toContain(secret);
  const shown = events.filter(({ diagnosticEvent }) => diagnosticEvent?.severity !== "debug");
  expect(JSON.stringify(shown)).not.toContain(secret);
}
