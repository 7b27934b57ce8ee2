/** Resource options that would be ignored, or would fail later without a useful message. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";

const emulator = useEmulator();
const args = (tag: string) =>
  `{ registry: "myregistry", source: "docker.io/library/hello-world:latest", targetTags: ["${tag}"] }`;

/** The message of a program that ends at its first resource. */
async function messageOf(program: string): Promise<string> {
  const project = await PulumiProject.create({
    env: emulator.env,
    program: `
      const pulumi = require("@pulumi/pulumi");
      const { ImportedImage, Provider } = require("pulumi-acr-import");
      ${program}
    `,
  });
  const preview = await project.preview();
  expect(preview.exitCode).not.toBe(0);
  expect(preview.text).not.toMatch(/^\s+at /m);
  await project.close();
  return preview.text;
}

const AZURE_NATIVE = `class AzureNative extends pulumi.ProviderResource { constructor(name, opts) { super("azure-native", name, {}, opts); } }`;

test("provider: of another package is refused at construction", async () => {
  // https://github.com/pulumi/pulumi/issues/2776
  const text = await messageOf(`
    ${AZURE_NATIVE}
    new ImportedImage("app", ${args("a:1")}, { provider: Object.create(AzureNative.prototype, { pkg: { value: "azure-native" } }) });
  `);
  expect(text).toContain("app: provider is a provider of azure-native, which does not know this resource");
  expect(text).toContain(
    "Hint: Remove the option to use the identity of the stack, or pass a Provider of pulumi-acr-import",
  );
});

test("import: is refused at construction", async () => {
  // https://github.com/pulumi/pulumi/issues/16175
  const text = await messageOf(`new ImportedImage("app", ${args("a:1")}, { import: "myregistry.azurecr.io/a:1" });`);
  expect(text).toContain("app: import is not supported");
  expect(text).toContain("Hint: Remove the option: create adopts an image that the target holds");
});

test("two resources that declare one tag with different digests fail the preview", async () => {
  // https://github.com/pulumi/pulumi/issues/11259
  await emulator.control.moveTag("docker.io/library/other:1");
  const text = await messageOf(`
    new ImportedImage("one", ${args("disputed:1")});
    new ImportedImage("two", { ...${args("disputed:1")}, source: "docker.io/library/other:1", onConflict: "overwrite" });
  `);
  // Either may be checked first.
  expect(text).toMatch(
    /target: myregistry\.azurecr\.io\/disputed:1 is declared by .*(one|two) \(sha256:\w+\) and (two|one) \(sha256:\w+\) \[TARGET_DECLARED_TWICE\]/,
  );
});

test("the azure-native provider of a component does not apply, and a warning says so", async () => {
  const project = await PulumiProject.create({
    env: emulator.env,
    program: `
      const pulumi = require("@pulumi/pulumi");
      const { ImportedImage, Provider } = require("pulumi-acr-import");
      ${AZURE_NATIVE}
      const warned = new pulumi.ComponentResource("my:images:Group", "warned");
      warned.__providers = { "azure-native": Object.create(AzureNative.prototype) };
      new ImportedImage("app", ${args("warned:1")}, { parent: warned });
    `,
  });
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 2 }]);
  expect(up.diagnostics("warning").join()).toContain(
    "app: the azure-native provider of its parent does not apply to this resource, which uses the identity of the stack.",
  );
});

test("an explicit Provider gives one image another identity, also for its source", async () => {
  const { control, env } = emulator;
  const { ARM_CLIENT_ID, ARM_CLIENT_SECRET, ARM_TENANT_ID, ARM_SUBSCRIPTION_ID, ...rest } = env;
  const project = await PulumiProject.create({
    // The stack itself has an identity without any rights.
    env: { ...rest, ARM_CLIENT_ID: "99999999-9999-4999-8999-999999999999", ARM_CLIENT_SECRET: "wrong", ARM_TENANT_ID },
    secrets: { secret: `${ARM_CLIENT_SECRET}` },
    program: `
      const pulumi = require("@pulumi/pulumi");
      const { ImportedImage, Provider } = require("pulumi-acr-import");
      const other = new Provider("other", {
        clientId: "${ARM_CLIENT_ID}",
        clientSecret: new pulumi.Config().requireSecret("secret"),
        tenantId: "${ARM_TENANT_ID}",
        subscriptionId: "${ARM_SUBSCRIPTION_ID}",
      });
      const source = "mysourceregistry.azurecr.io/aci-helloworld:latest";
      exports.digest = new ImportedImage("app", { registry: "myregistry", source, targetTags: ["by-other:1"] }, { provider: other }).sourceDigest;
    `,
  });
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 2 }]);
  expect(project.backend()).not.toContain(ARM_CLIENT_SECRET);
  const { digest } = await control.image("mysourceregistry.azurecr.io/aci-helloworld:latest");
  expect(await project.outputs()).toEqual({ digest });
  expect((await project.up()).changes).toEqual({ same: 2 });
  expect((await project.destroy()).exitCode).toBe(0);
});

test("a transform may change the source", async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("docker.io/mirror/app:1");
  const project = await PulumiProject.create({
    env,
    program: `
      const { ImportedImage } = require("pulumi-acr-import");
      const transforms = [({ props, opts }) => ({ props: { ...props, source: "docker.io/mirror/app:1" }, opts })];
      exports.digest = new ImportedImage("app", ${args("transformed:1")}, { transforms }).sourceDigest;
    `,
  });
  const preview = await project.preview();
  expect(preview.text).toContain(digest);
  expect((await project.up()).changes).toEqual({ create: 1 });
  expect((await project.up()).changes).toEqual({ same: 1 });
  const { digest: second } = await control.moveTag("docker.io/mirror/app:1");
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await project.outputs()).toEqual({ digest: second });
});

test("a resource that is replaced while its source moved is imported, not in conflict with itself", async () => {
  const { control, env } = emulator;
  await control.moveTag("docker.io/library/replaced:1");
  const project = await PulumiProject.create({
    env,
    program: `
      const { ImportedImage } = require("pulumi-acr-import");
      new ImportedImage("app", { registry: "myregistry", source: "docker.io/library/replaced:1" }, { replacementTrigger: process.env.TRIGGER });
    `,
  });
  expect((await project.up({ env: { TRIGGER: "1" } })).changes).toEqual({ create: 1 });
  const { digest } = await control.moveTag("docker.io/library/replaced:1");
  const up = await project.up({ env: { TRIGGER: "2" } });
  expect([up.exitCode, up.changes]).toEqual([0, { replace: 1 }]);
  expect(await control.digest("myregistry.azurecr.io/library/replaced:1")).toBe(digest);
});

test("a package that only a library of the program depends on is named at construction", async () => {
  // https://github.com/pulumi/pulumi/issues/9085
  const modules = mkdtempSync(path.join(tmpdir(), "isolated-"));
  try {
    const checkout = path.join(__dirname, "../..");
    mkdirSync(path.join(modules, "images/node_modules"), { recursive: true });
    symlinkSync(path.join(checkout, "node_modules/@pulumi"), path.join(modules, "@pulumi"));
    symlinkSync(
      path.join(checkout, "node_modules/pulumi-acr-import"),
      path.join(modules, "images/node_modules/pulumi-acr-import"),
    );
    writeFileSync(path.join(modules, "images/index.js"), `exports.acr = require("pulumi-acr-import");`);
    const project = await PulumiProject.create({
      env: emulator.env,
      nodeModules: modules,
      program: `
        const { acr } = require("images");
        new acr.ImportedImage("app", ${args("a:1")});
      `,
    });
    const preview = await project.preview();
    expect(preview.exitCode).not.toBe(0);
    expect(preview.text).toContain(
      "app: pulumi-acr-import is not installed in program, the folder of the Pulumi program",
    );
    expect(preview.text).toContain(
      "Hint: Add it to the dependencies of the program as well: npm install pulumi-acr-import",
    );
    expect(preview.text).not.toMatch(/^\s+at /m);
  } finally {
    rmSync(modules, { recursive: true, force: true });
  }
});
