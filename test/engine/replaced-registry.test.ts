/** A registry that the same program creates, updates, replaces and destroys. */
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";

const emulator = useEmulator();

test("an image is replaced with its registry, though the registry keeps its name", async () => {
  const { control, env } = emulator;
  await control.moveTag("docker.io/library/moving-house:1");
  const target = "myregistry.azurecr.io/moving-house:1";
  const project = await PulumiProject.create({
    env,
    program: `
      const pulumi = require("@pulumi/pulumi");
      const { ImportedImage } = require("pulumi-acr-import");
      class Registry extends pulumi.dynamic.Resource {
        constructor(name, args) {
          super({
            async diff(id, old, news) {
              const moved = old.location !== news.location;
              return { changes: moved || old.tag !== news.tag, replaces: moved ? ["location"] : [], deleteBeforeReplace: true };
            },
            async create(inputs) { return { id: "registry", outs: { ...inputs, loginServer: "myregistry.azurecr.io" } }; },
            async update(id, old, inputs) { return { outs: { ...inputs, loginServer: "myregistry.azurecr.io" } }; },
          }, name, { ...args, loginServer: undefined });
        }
      }
      const registry = new Registry("registry", { location: process.env.LOCATION, tag: process.env.TAG });
      const source = "docker.io/library/moving-house:1";
      new ImportedImage("image", { registry: registry.loginServer, source, targetTags: ["moving-house:1"] });
    `,
  });
  const west = { LOCATION: "westus", TAG: "1" };
  expect((await project.up({ env: west })).changes).toEqual({ create: 2 });
  expect((await project.up({ env: west })).changes).toEqual({ same: 2 });
  expect((await project.up({ env: { ...west, TAG: "2" } })).changes).toEqual({ update: 1, same: 1 });

  // What Azure does with the images of a registry that is deleted.
  await control.removeTag(target);
  const east = { LOCATION: "eastus", TAG: "2" };
  expect((await project.preview({ env: east })).changes).toEqual({ replace: 2 });
  expect((await project.up({ env: east })).changes).toEqual({ replace: 2 });
  expect(await control.digest(target)).toBeDefined();
  expect((await project.up({ env: east })).changes).toEqual({ same: 2 });
});
