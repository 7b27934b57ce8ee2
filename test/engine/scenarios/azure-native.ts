/** Programs that create a registry with azure-native and import images into it, and the life of such a registry. */
import { installPlugin } from "../../support/azure-native/install";
import type { TestEmulator } from "../../support/emulator";
import { type Outcome, PulumiProject } from "../../support/engine";
import { servicePrincipals, subscriptionId } from "../../support/fixtures";

const source = "docker.io/library/hello-world:latest";

/** Has no role until the program assigns one. */
const { objectId, clientId, secret } = servicePrincipals.withoutRights;

/** A resource group, a registry, the role of the identity that imports, and that identity. */
const declarations = `
  const { ResourceGroup } = require("@pulumi/azure-native/resources");
  const { Registry } = require("@pulumi/azure-native/containerregistry");
  const { RoleAssignment } = require("@pulumi/azure-native/authorization");
  const pulumi = require("@pulumi/pulumi");
  const { ImportedImage, Provider } = require("pulumi-acr-import");
  const { LOCATION: location, TEAM: team, REGISTRY: registryName } = process.env;
  const { name: resourceGroupName } = new ResourceGroup("group", { resourceGroupName: registryName, location: "westus" });
  const sku = { name: "Premium" };
  const registry = new Registry("registry", { registryName, resourceGroupName, location, tags: { team }, sku });
  const roleDefinitionId = "/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/577a9874-89fd-4f24-9dbd-b5034d0ad23a";
  const role = new RoleAssignment("role", { scope: registry.id, principalId: "${objectId}", roleDefinitionId });
  const provider = new Provider("importer", { clientId: "${clientId}", clientSecret: "${secret}" });
  const source = "${source}";
`;

/** A program with the declarations and more, whose modules hold an SDK of azure-native: the stand-in or the real one. */
export async function azureNativeProject(
  { env }: TestEmulator,
  nodeModules: string,
  program: string,
): Promise<PulumiProject> {
  const project = await PulumiProject.create({ env, nodeModules, program: declarations + program });
  installPlugin(project.env);
  return project;
}

/** The engine's own summary: `["~ 1 updated", "7 unchanged"]`. */
export function summaryOf({ text, exitCode }: Outcome): string[] {
  const [, lines = text] = /^Resources:\n((?: {4}.+\n)+)/m.exec(text) ?? [];
  return exitCode === 0 ? lines.trim().split(/\n */) : [text];
}

/** Creates, keeps, updates, replaces, refreshes and destroys a registry with images that name it by ID, login server and name. */
export async function followRegistry(emulator: TestEmulator, nodeModules: string): Promise<void> {
  const { control } = emulator;
  const { digest } = await control.image(source);
  const project = await azureNativeProject(
    emulator,
    nodeModules,
    `
    for (const [name, text] of Object.entries({ id: registry.id, loginServer: registry.loginServer, name: registry.name })) {
      const args = { registry: text, source, targetTags: ["by-" + name.toLowerCase() + ":1"] };
      exports[name] = new ImportedImage(name, args, { provider, dependsOn: role }).reference;
    }
  `,
  );
  const imported = async () => {
    const targets = ["by-id", "by-loginserver", "by-name"].map((name) => `s24registry.azurecr.io/${name}`);
    const held = await Promise.all(targets.map((target) => control.digest(`${target}:1`)));
    const [id, loginServer, name] = targets.map((target) => `${target}@${digest}`);
    expect([held, await project.outputs()]).toEqual([[digest, digest, digest], { id, loginServer, name }]);
  };
  const env = { REGISTRY: "s24registry", LOCATION: "westus", TEAM: "a" };
  expect(summaryOf(await project.preview({ env }))).toEqual(["+ 8 to create"]);
  expect(summaryOf(await project.up({ env }))).toEqual(["+ 8 created"]);
  await imported();

  await control.clearRequests();
  expect(summaryOf(await project.up({ env }))).toEqual(["8 unchanged"]);
  expect(await control.imports()).toEqual([]);

  // azure-native does not know the login server of a registry that it updates, so the image that is declared by it may change.
  env.TEAM = "b";
  const update = await project.preview({ env });
  expect(summaryOf(update)).toEqual(["~ 2 to update", "6 unchanged"]);
  expect(update.text).toMatch(/~ .*ImportedImage loginServer update/);
  expect(summaryOf(await project.up({ env }))).toEqual(["~ 1 updated", "7 unchanged"]);
  expect(await control.imports()).toEqual([]);

  // Azure deletes the images and role assignments of a registry with it.
  env.LOCATION = "eastus";
  expect(summaryOf(await project.preview({ env }))).toEqual(["+-5 to replace", "3 unchanged"]);
  expect(summaryOf(await project.up({ env }))).toEqual(["+-5 replaced", "3 unchanged"]);
  expect(await control.imports()).toHaveLength(3);
  await imported();

  expect(summaryOf(await project.refresh({ env }))).toEqual(["8 unchanged"]);
  expect(summaryOf(await project.destroy({ env }))).toEqual(["- 8 deleted"]);
  expect(await control.call("GET", "/state")).not.toMatchObject({
    registries: expect.arrayContaining([expect.objectContaining({ name: "s24registry" })]),
  });
}
