/** Resource options and functions of Pulumi. */
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { declareImages, imageProgram } from "./programs";

const emulator = useEmulator();

test("ImportedImage.get reads an existing image and never changes it", async () => {
  const { control, env } = emulator;
  const { digest, platforms } = await control.moveTag("docker.io/library/foreign:1");
  const args = {
    registry: "myregistry",
    source: "docker.io/library/foreign:1",
    targetTags: ["library/foreign:1"],
    untaggedTargetRepositories: ["copies/foreign"],
    onDelete: "delete",
  };
  const owner = await PulumiProject.create({ env, program: imageProgram(args) });
  await owner.up();
  await control.moveTag("docker.io/library/foreign:1"); // get does not look at the source

  const project = await PulumiProject.create({
    env,
    program: `
      const { ImportedImage } = require("pulumi-acr-import");
      const app = ImportedImage.get("app", "myregistry.azurecr.io/library/foreign:1", ${JSON.stringify(args)});
      Object.assign(exports, { reference: app.reference, sourceDigest: app.sourceDigest, platforms: app.platforms, targets: app.targets });
    `,
  });
  await control.clearRequests();
  const preview = await project.preview();
  expect(preview.exitCode).toBe(0);
  expect(preview.text).toContain(`myregistry.azurecr.io/library/foreign@${digest}`);
  const up = await project.up();
  expect(up.exitCode).toBe(0);
  expect(await project.outputs()).toEqual({
    reference: `myregistry.azurecr.io/library/foreign@${digest}`,
    sourceDigest: digest,
    platforms,
    targets: { "library/foreign:1": digest, "copies/foreign": digest },
  });
  expect((await project.refresh()).exitCode).toBe(0);
  expect((await project.destroy()).exitCode).toBe(0);
  expect(await control.requests({ host: "registry-1.docker.io" })).toEqual([]);
  expect(await control.imports()).toEqual([]);
  expect(await control.digest("myregistry.azurecr.io/library/foreign:1")).toBe(digest);

  await control.removeTag("myregistry.azurecr.io/library/foreign:1");
  const gone = await project.up();
  expect(gone.exitCode).not.toBe(0);
  expect(gone.diagnostics("error")[0]).toContain(
    "myregistry.azurecr.io/library/foreign:1 was not found [TARGET_NOT_FOUND]",
  );
  expect(gone.text).not.toMatch(/^\s*at .*\.[jt]s/m);
});

test('ignoreChanges: ["sourceDigest"] keeps the recorded image until it is removed', async () => {
  const { control, env } = emulator;
  const source = "docker.io/library/frozen:1";
  const target = "myregistry.azurecr.io/library/frozen:1";
  const args = { registry: "myregistry", source };
  const frozen = imageProgram(args, { ignoreChanges: ["sourceDigest"] });
  const { digest: old } = await control.moveTag(source);
  const project = await PulumiProject.create({ env, program: frozen });
  expect((await project.up()).changes).toEqual({ create: 1 });
  const { digest } = await control.moveTag(source);

  await control.clearRequests();
  expect((await project.preview()).changes).toEqual({ same: 1 });
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect(await control.imports()).toEqual([]);
  const { outputs } = (await project.state()).resource("app");
  expect(outputs?.reference).toBe(`myregistry.azurecr.io/library/frozen@${old}`);

  // A vanished tag is still restored, with the recorded digest.
  await control.removeTag(target);
  await project.refresh();
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.digest(target)).toBe(old);

  await project.write(imageProgram(args));
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.digest(target)).toBe(digest);
});

test("two resources with one source share its look-up; parent and retainOnDelete work", async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("mcr.microsoft.com/shared:1");
  const image = (tag: string) => ({
    registry: "myregistry",
    source: "mcr.microsoft.com/shared:1",
    targetTags: [`shared:${tag}`],
    onDelete: "untag",
  });
  const project = await PulumiProject.create({
    env,
    program: `
      const pulumi = require("@pulumi/pulumi");
      const { ImportedImage } = require("pulumi-acr-import");
      const group = new pulumi.ComponentResource("my:images:Group", "group");
      new ImportedImage("first", ${JSON.stringify(image("1"))}, { parent: group });
      new ImportedImage("second", ${JSON.stringify(image("2"))}, { parent: group, retainOnDelete: true });
    `,
  });
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 3 }]);
  expect(await control.requests({ from: "client", host: "mcr.microsoft.com", method: "HEAD" })).toHaveLength(1);
  // Progress is printed on the row of the resource.
  const rows = up.events.flatMap(({ diagnosticEvent: event }) =>
    event?.message.includes("importing mcr.microsoft.com/shared@sha256:") ? [event.urn] : [],
  );
  const { resource } = await project.state();
  expect(rows.sort()).toEqual([resource("first").urn, resource("second").urn].sort());
  // The row of a finished resource ends with a finished state.
  const finished = up.stdout.split("\n").filter((line) => /ImportedImage .* created/.test(line));
  expect(finished.map((line) => line.replace(/.* created \([\d.]+s\) /, ""))).toEqual(["imported", "imported"]);

  expect((await project.destroy()).exitCode).toBe(0);
  expect(await control.digest("myregistry.azurecr.io/shared:1")).toBeUndefined();
  expect(await control.digest("myregistry.azurecr.io/shared:2")).toBe(digest);
});

test("the identity that is configured for azure-native is used, and its secret stays encrypted", async () => {
  const { control, env } = emulator;
  await control.moveTag("docker.io/library/configured:1");
  const { ARM_CLIENT_ID, ARM_CLIENT_SECRET, ARM_TENANT_ID, ARM_SUBSCRIPTION_ID, ...rest } = env;
  const project = await PulumiProject.create({
    env: rest,
    config: {
      "azure-native:clientId": `${ARM_CLIENT_ID}`,
      "azure-native:tenantId": `${ARM_TENANT_ID}`,
      "azure-native:subscriptionId": `${ARM_SUBSCRIPTION_ID}`,
    },
    secrets: { "azure-native:clientSecret": `${ARM_CLIENT_SECRET}` },
    program: declareImages({ app: { registry: "myregistry", source: "docker.io/library/configured:1" } }),
  });
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 1 }]);
  expect(project.backend()).not.toContain(ARM_CLIENT_SECRET);
  expect((await project.refresh()).changes).toEqual({ same: 1 });
});
