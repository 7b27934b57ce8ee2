/** What a destroy and a rename remove. */
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { declareImages, imageProgram } from "./programs";
import { withoutAzure } from "./without-azure";

const emulator = useEmulator();

test("destroy keeps the image, removes its tags, or also its manifest, as onDelete says", async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("docker.io/library/released:1");
  const image = (repository: string, onDelete?: string, ...tags: string[]) => ({
    registry: "myregistry",
    source: "docker.io/library/released:1",
    targetTags: tags.map((tag) => `${repository}:${tag}`),
    ...(onDelete === undefined ? {} : { onDelete }),
  });
  const project = await PulumiProject.create({
    env,
    program: declareImages({
      left: image("left", undefined, "1"),
      retained: image("retained", "retain", "1"),
      untagged: image("untagged", "untag", "1", "2"),
      deleted: image("deleted", "delete", "1", "2"),
    }),
  });
  expect((await project.up()).changes).toEqual({ create: 4 });

  const destroy = await project.destroy();
  expect([destroy.exitCode, destroy.changes]).toEqual([0, { delete: 4 }]);
  const names = [
    ...["left:1", "retained:1", "untagged:1", "untagged:2", `untagged@${digest}`],
    ...["deleted:1", "deleted:2", `deleted@${digest}`],
  ];
  const left = await Promise.all(names.map((name) => control.digest(`myregistry.azurecr.io/${name}`)));
  expect(names.filter((_, index) => left[index] === digest)).toEqual(["left:1", "retained:1", `untagged@${digest}`]);
});

test("changed policies and timeouts are recorded without a request to Azure, and the next destroy applies them", async () => {
  const { control, env } = emulator;
  await control.moveTag("docker.io/library/policy:1");
  const target = "myregistry.azurecr.io/library/policy:1";
  const program = (more: object = {}, options: object = {}) =>
    imageProgram({ registry: "myregistry", source: "docker.io/library/policy:1", ...more }, options);
  const project = await PulumiProject.create({ env, program: program() });
  await project.up();

  await project.write(program({ onConflict: "overwrite", onDelete: "untag" }, { customTimeouts: { delete: "7m" } }));
  await control.clearRequests();
  const up = await project.up({ env: withoutAzure });
  expect([up.exitCode, up.changes]).toEqual([0, { update: 1 }]);
  const hosts = (await control.requests()).map(({ host }) => host);
  expect(new Set(hosts)).toEqual(new Set(["auth.docker.io", "registry-1.docker.io"])); // the look-ups of the program
  expect((await project.state()).resource("app").outputs).toMatchObject({
    onDelete: "untag",
    onConflict: "overwrite",
    timeouts: { delete: "7m" },
  });

  expect((await project.destroy()).exitCode).toBe(0);
  expect(await control.digest(target)).toBeUndefined();
});

test('a tag survives a rename without an alias with onDelete "untag"', async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("docker.io/library/rename:1");
  const target = "myregistry.azurecr.io/library/rename:1";
  const args = { registry: "myregistry", source: "docker.io/library/rename:1", onDelete: "untag" };
  const project = await PulumiProject.create({ env, program: declareImages({ before: args }) });
  await project.up();

  await project.write(declareImages({ after: args }));
  await control.clearRequests();
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 1, delete: 1 }]);
  expect(await control.imports()).toEqual([]);
  expect(await control.digest(target)).toBe(digest);

  // With an alias nothing changes.
  await project.write(declareImages({ last: args }, { aliases: [{ name: "after" }] }));
  expect((await project.up()).changes).toEqual({ same: 1 });

  expect((await project.destroy()).exitCode).toBe(0);
  expect(await control.digest(target)).toBeUndefined();
});

test("a tag survives a rename that failed between create and delete, and the next run finishes it", async () => {
  const { control, env } = emulator;
  const { digest } = await control.moveTag("docker.io/library/halfway:1");
  const target = "myregistry.azurecr.io/library/halfway:1";
  const args = { registry: "myregistry", source: "docker.io/library/halfway:1", onDelete: "delete" };
  const broken = { registry: "myregistry", source: "docker.io/library/halfway:1", targetTags: ["halfway:contested"] };
  await control.moveTag("myregistry.azurecr.io/halfway:contested");
  const project = await PulumiProject.create({ env, program: declareImages({ before: args }) });
  await project.up();

  // A resource that depends on the new one fails, so the engine does not delete the old one.
  await project.write(
    `${declareImages({ after: args })}\nnew ImportedImage("broken", ${JSON.stringify(broken)}, { dependsOn: after });`,
  );
  expect((await project.up()).exitCode).not.toBe(0);
  const names = (await project.state()).resources.map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2));
  expect(names).toEqual(expect.arrayContaining(["before", "after"]));

  await project.write(declareImages({ after: args }));
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { same: 1, delete: 1 }]);
  expect(await control.digest(target)).toBe(digest);
  expect((await project.refresh()).changes).toEqual({ same: 1 });
});
