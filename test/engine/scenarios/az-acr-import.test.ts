/** Every `az acr import` command of docs/az-acr-import.md has a resource that does the same. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { defaultIdentity, secondSubscriptionId } from "acr-emulator";
import { startTestEmulator } from "../../support/emulator";
import { PulumiProject } from "../../support/engine";
import { registryId } from "../../support/fixtures";
import { imageDigest } from "./scenario";

const page = readFileSync(path.join(__dirname, "../../../docs/az-acr-import.md"), "utf8");

/** The command of each row, if it has one, and its expression. */
const rows = [...page.matchAll(/^\| (.*) \| `(.*)` \|$/gm)].map(([, left = "", expression = ""]) => ({
  command: left.match(/`(az acr import .*?)`/)?.[1],
  expression,
  name: expression.match(/^new ImportedImage\("(\w+)"/)?.[1],
}));

test("each command of the table imports what its resource imports", async () => {
  const { control, env } = await startTestEmulator();
  const commands = rows.flatMap(({ command }) => command ?? []);
  expect([rows.length, commands.length]).toEqual([20, 18]);

  // Images of the commands that the emulator does not have yet.
  for (const { source } of commands.map(read)) {
    if ((await control.digest(source)) === undefined) await control.moveTag(source);
  }
  const { digest: taken } = await control.moveTag("myregistry.azurecr.io/hello-world:taken");
  const otherTenantReader = "eeeeeeee-0000-4000-8000-000000000001";
  const token = { clientId: otherTenantReader, audience: "https://containerregistry.azure.net" };
  const values = {
    user: "emulator",
    token: "dckr_pat_emulator",
    privateSourceId: registryId("privatesource"),
    otherSubscriptionSourceId: registryId("othersubsource", secondSubscriptionId),
    myRegistryId: registryId("myregistry"),
    aciDigest: await imageDigest({ control }, "mysourceregistry.azurecr.io/aci-helloworld:latest"),
    helloDigest: await imageDigest({ control }, "docker.io/library/hello-world:latest"),
    appId: "cccccccc-0000-4000-8000-000000000001",
    appSecret: "source-reader~secret",
    tokenName: "importer",
    tokenPassword: "importer-token-password",
    otherAppId: otherTenantReader,
    otherAppSecret: "other-tenant-reader~secret",
    accessToken: (await control.call<{ token: string }>("POST", "/token", {}, token)).token,
  };

  const project = await PulumiProject.create({
    env: { ...env, ARM_CLIENT_ID: defaultIdentity.clientId },
    language: "typescript",
    program: [
      'import { ImportedImage } from "pulumi-acr-import";',
      ...Object.entries(values).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`),
      ...rows.map(({ name, expression }, index) => `export const ${name ?? `row${index}`} = ${expression};`),
    ].join("\n"),
  });
  const up = await project.up();
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);

  const state = await project.state();
  expect(state.resources.filter(({ type }) => type.endsWith("acr:ImportedImage"))).toHaveLength(rows.length - 1);
  for (const { command, name = "" } of rows) {
    if (command === undefined) continue;
    const { source, targets } = read(command);
    const digest = await imageDigest({ control }, source);
    expect([command, state.resource(name).outputs?.targets]).toEqual([
      command,
      Object.fromEntries(targets.map((target) => [target, digest])),
    ]);
    for (const target of targets) {
      const held = target.includes(":") ? target : `${target}@${digest}`;
      expect([command, await imageDigest({ control }, `myregistry.azurecr.io/${held}`)]).toEqual([command, digest]);
    }
  }
  // The rows without a command of their own.
  expect((await project.outputs()).row1).toEqual(
    (await control.image("docker.io/library/hello-world:latest")).platforms,
  );
  expect(await imageDigest({ control }, "myregistry.azurecr.io/samples/aci-helloworld:latest")).toBe(
    await imageDigest({ control }, "othersubsource.azurecr.io/samples/aci-helloworld:latest"),
  );
  expect(await control.digest("myregistry.azurecr.io/hello-world:taken")).not.toBe(taken);
  expect((await project.up()).changes).toEqual({ same: rows.length - 1 });
});

/** The source and the targets of a command. */
function read(command: string): { source: string; targets: string[] } {
  const values = (option: string) =>
    [...command.matchAll(new RegExp(`--${option} (\\S+)`, "g"))].map(([, value = ""]) => value);
  const [named = ""] = values("source");
  const [registry] = values("registry");
  const image = registry === undefined ? named : `${registry.slice(registry.lastIndexOf("/") + 1)}.azurecr.io/${named}`;
  const targets = [...values("image"), ...values("repository")];
  // Without a target name, `az` takes the source's repository and, for a digest, the tag `latest`.
  const own = `${named.slice(named.indexOf("/") + 1).split("@", 1)[0]}:latest`;
  return { source: image.replace("@sha256:…", ":latest"), targets: targets.length > 0 ? targets : [own] };
}
