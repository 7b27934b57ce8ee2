import { countByHost, startTestEmulator, type TestEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { declareImages, imageProgram } from "./programs";
import { withoutAzure } from "./without-azure";

let box: TestEmulator;
beforeAll(async () => {
  box = await startTestEmulator();
});

test("a first up imports the whole image, and preview knows the outputs already", async () => {
  const { control, env } = box;
  const source = await control.image("docker.io/library/hello-world:latest");
  const pinned = `myregistry.azurecr.io/library/hello-world@${source.digest}`;
  const project = await PulumiProject.create({
    env,
    // What runs in `apply` runs in a preview only when the value is known.
    program: `${imageProgram({ registry: "myregistry", source: "docker.io/library/hello-world" })}
      const { sourceDigest, loginServer, reference, references, targets } = app;
      require("@pulumi/pulumi").output({ sourceDigest, loginServer, reference, references, targets })
        .apply((known) => console.log("known: " + JSON.stringify(known)));
      Object.assign(exports, { registryId: app.registryId, mediaType: app.mediaType, platforms: app.platforms, verifiedBy: app.verifiedBy });`,
  });

  const preview = await project.preview();
  expect(preview.changes).toEqual({ create: 1 });
  const known = JSON.parse(preview.text.match(/known: (.*)/)?.[1] ?? "{}");
  expect(known).toEqual({
    sourceDigest: source.digest,
    loginServer: "myregistry.azurecr.io",
    reference: pinned,
    references: [pinned],
    targets: { "library/hello-world:latest": source.digest },
  });
  expect(await control.imports()).toEqual([]);

  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 1 }]);
  expect(JSON.parse(up.text.match(/known: (.*)/)?.[1] ?? "{}")).toEqual(known);
  expect(await project.outputs()).toEqual({
    registryId: expect.stringMatching(/^\/subscriptions\/.*\/resourceGroups\/images\/.*\/registries\/myregistry$/),
    mediaType: "application/vnd.oci.image.index.v1+json",
    platforms: source.platforms,
    verifiedBy: "digest",
  });
  expect((await project.state()).resource("app").id).toBe("myregistry.azurecr.io/library/hello-world:latest");
  expect(source.platforms.length).toBeGreaterThan(2);
  expect(await control.image("myregistry.azurecr.io/library/hello-world:latest")).toEqual(source);
  expect(await control.imports()).toHaveLength(1);
  // No image bytes pass through this machine: what is read here are manifests.
  expect(await control.requests({ from: "client", path: "/blobs/" })).toEqual([]);
});

test("a second up with the same digest asks the source once and Azure never", async () => {
  const { control, env } = box;
  await control.moveTag("docker.io/library/steady:1");
  await control.moveTag("docker.io/library/calm:1");
  const { digest } = await control.moveTag("docker.io/library/pinned:1");
  const image = (source: string, more: object = {}) => ({ registry: "myregistry", source, ...more });
  const project = await PulumiProject.create({
    env,
    program: declareImages({
      steady: image("docker.io/library/steady:1"),
      again: image("steady:1", { targetTags: ["again:1"] }),
      calm: image("library/calm:1"),
      pinned: image(`docker.io/library/pinned:1@${digest}`),
    }),
  });
  expect((await project.up()).changes).toEqual({ create: 4 });

  // One token per repository, one HEAD per distinct reference, none for what names its digest.
  const asked = (runs: number) => [
    ...Array(2 * runs).fill("GET auth.docker.io"),
    ...Array(runs).fill("HEAD registry-1.docker.io/v2/library/calm/manifests/1"),
    ...Array(runs).fill("HEAD registry-1.docker.io/v2/library/steady/manifests/1"),
  ];
  const requests = async () =>
    (await control.requests())
      .map(({ method, host, path }) => `${method} ${host}${host === "auth.docker.io" ? "" : path}`)
      .sort();

  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: 4 });
  expect(await requests()).toEqual(asked(1));

  await control.clearRequests();
  expect((await project.preview({ env: withoutAzure })).changes).toEqual({ same: 4 });
  expect(await requests()).toEqual(asked(1));

  // With its preview, `up` runs the program twice. No Azure credentials are needed.
  await control.clearRequests();
  const up = await project.pulumi(["up", "--yes", "--non-interactive"], { env: withoutAzure });
  expect(up.exitCode).toBe(0);
  expect(up.stdout).toContain("5 unchanged");
  expect(await requests()).toEqual(asked(2));
});

test("a tag that moved upstream shows both digests in preview and is imported by its digest", async () => {
  const { control, env } = box;
  const source = "docker.io/library/moving:1";
  const { digest: old } = await control.moveTag(source);
  const project = await PulumiProject.create({ env, program: imageProgram({ registry: "myregistry", source }) });
  await project.up();
  const { digest } = await control.moveTag(source);

  await control.clearRequests();
  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 1 });
  expect(preview.text).toContain(`~ sourceDigest: "${old}" => "${digest}"`);
  expect(preview.text).toContain(`"myregistry.azurecr.io/library/moving@${digest}"`);
  expect(countByHost(await control.requests({ host: "management.azure.com" }))).toEqual({});

  await control.clearRequests();
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { update: 1 }]);
  expect(await control.imports()).toHaveLength(1);
  const reads = await control.requests({ from: "azure", host: "registry-1.docker.io", path: "/manifests/" });
  expect(reads.map(({ path }) => path)).toContain(`/v2/library/moving/manifests/${digest}`);
  expect(reads.filter(({ path }) => !path.includes("/manifests/sha256:"))).toEqual([]);
  expect(await control.digest("myregistry.azurecr.io/library/moving:1")).toBe(digest);
  expect((await project.up()).changes).toEqual({ same: 1 });
});

test("an image that the target holds already is adopted without an import", async () => {
  const { control, env } = box;
  await control.moveTag("docker.io/library/adopted:1");
  const program = imageProgram({ registry: "myregistry", source: "docker.io/library/adopted:1" });
  const first = await PulumiProject.create({ env, program });
  await first.up();

  const second = await PulumiProject.create({ env, program });
  await control.clearRequests();
  const up = await second.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 1 }]);
  expect(await control.imports()).toEqual([]);
  const { outputs } = (await second.state()).resource("app");
  expect(outputs).toEqual((await first.state()).resource("app").outputs);
});

test("only the tags that are missing are imported", async () => {
  const { control, env } = box;
  const { digest } = await control.moveTag("docker.io/library/several:1");
  const program = (...targetTags: string[]) =>
    imageProgram({ registry: "myregistry", source: "docker.io/library/several:1", targetTags, onDelete: "untag" });
  const held = async () => {
    const tags = ["several:a", "several:b", "copies/several:c"];
    const digests = await Promise.all(tags.map((tag) => control.digest(`myregistry.azurecr.io/${tag}`)));
    return Object.fromEntries(tags.map((tag, index) => [tag, digests[index]]));
  };
  const first = await PulumiProject.create({ env, program: program("several:a") });
  await first.up();

  // Another stack: one tag is there, two are not. An import of all three with NoForce would be refused.
  const project = await PulumiProject.create({ env, program: program("several:a", "several:b") });
  await control.clearRequests();
  expect((await project.up()).exitCode).toBe(0);
  expect(await control.imports()).toHaveLength(1);
  expect(await held()).toEqual({ "several:a": digest, "several:b": digest, "copies/several:c": undefined });

  // Added to a resource that exists; somebody locked the others, so an import that includes them fails.
  await control.call("PATCH", "/image", { reference: "myregistry.azurecr.io/several:a" }, { writeEnabled: false });
  await project.write(program("several:a", "several:b", "copies/several:c"));
  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ update: 1 });
  expect(preview.text).toMatch(/\+ copies\/several:c\s*: "sha256:/);
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.imports()).toHaveLength(1);
  expect(await held()).toEqual({ "several:a": digest, "several:b": digest, "copies/several:c": digest });
  const { outputs } = (await project.state()).resource("app");
  expect(outputs?.references).toEqual([
    `myregistry.azurecr.io/several@${digest}`,
    `myregistry.azurecr.io/copies/several@${digest}`,
  ]);

  // Dropped, with onDelete "untag": that tag goes, and nothing is imported.
  await control.call("PATCH", "/image", { reference: "myregistry.azurecr.io/several:a" }, { writeEnabled: true });
  await project.write(program("several:a", "copies/several:c"));
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.imports()).toEqual([]);
  expect(await held()).toEqual({ "several:a": digest, "several:b": undefined, "copies/several:c": digest });
  expect((await project.up()).changes).toEqual({ same: 1 });
});

test("another registry replaces the resource, the same one in another spelling does not and asks nobody", async () => {
  const { control, env } = box;
  const source = "docker.io/library/replaced:1";
  const { digest } = await control.moveTag(source);
  const program = (registry: string) => imageProgram({ registry, source, onDelete: "untag" });
  const project = await PulumiProject.create({ env, program: program("myregistry") });
  await project.up();
  const { registryId } = (await project.state()).resource("app").outputs as { registryId: string };

  for (const spelling of [registryId, registryId.toUpperCase(), "myregistry.azurecr.io", "MyRegistry"]) {
    await project.write(program(spelling));
    await control.clearRequests();
    const up = await project.up({ env: withoutAzure });
    expect([spelling, up.exitCode, up.changes]).toEqual([spelling, 0, { same: 1 }]);
    expect(await control.requests({ host: "management.azure.com" })).toEqual([]);
  }

  await project.write(program("mysourceregistry"));
  const preview = await project.preview({ args: ["--diff"] });
  expect(preview.changes).toEqual({ replace: 1 });
  expect(preview.text).toContain("~ registry");
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { replace: 1 }]);
  expect(up.steps("app").map(({ op }) => op)).toEqual(["create-replacement", "replace", "delete-replaced"]);
  expect(await control.digest("mysourceregistry.azurecr.io/library/replaced:1")).toBe(digest);
  expect(await control.digest("myregistry.azurecr.io/library/replaced:1")).toBeUndefined();
});

test("a reference written differently with the same digest changes the record and asks Azure nothing", async () => {
  const { control, env } = box;
  const { digest } = await control.moveTag("docker.io/library/renamed:1");
  await control.moveTag("mcr.microsoft.com/renamed:1");
  const program = (source: string) => imageProgram({ registry: "myregistry", source, targetTags: ["renamed:1"] });
  const project = await PulumiProject.create({ env, program: program("docker.io/library/renamed:1") });
  await project.up();

  await project.write(program(`renamed:1@${digest}`));
  await control.clearRequests();
  const up = await project.up({ env: withoutAzure });
  expect([up.exitCode, up.changes]).toEqual([0, { update: 1 }]);
  expect(await control.requests()).toEqual([]);
  expect((await project.state()).resource("app").outputs?.source).toBe(`renamed:1@${digest}`);
  expect((await project.up()).changes).toEqual({ same: 1 });
});

test("a trigger imports again, though nothing moved", async () => {
  const { control, env } = box;
  await control.moveTag("docker.io/library/triggered:1");
  const program = (...triggers: unknown[]) =>
    imageProgram({ registry: "myregistry", source: "docker.io/library/triggered:1", triggers });
  const project = await PulumiProject.create({ env, program: program("monday") });
  await project.up();
  expect((await project.up()).changes).toEqual({ same: 1 });

  await project.write(program("tuesday"));
  await control.clearRequests();
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { update: 1 }]);
  expect(await control.imports()).toHaveLength(1);
  expect((await project.up()).changes).toEqual({ same: 1 });
});

test("one import fills several tags and repositories, one of them without a tag", async () => {
  const { control, env } = box;
  const { digest } = await control.moveTag("docker.io/library/spread:1");
  const project = await PulumiProject.create({
    env,
    program: imageProgram({
      registry: "myregistry",
      source: "docker.io/library/spread:1",
      targetTags: ["spread:1", "spread:stable", "mirror/spread:1"],
      untaggedTargetRepositories: ["untagged/spread"],
    }),
  });
  await control.clearRequests();
  expect((await project.up()).exitCode).toBe(0);
  expect(await control.imports()).toHaveLength(1);
  for (const target of ["spread:1", "spread:stable", "mirror/spread:1", `untagged/spread@${digest}`]) {
    expect([target, await control.digest(`myregistry.azurecr.io/${target}`)]).toEqual([target, digest]);
  }
  const { outputs } = (await project.state()).resource("app");
  expect(outputs).toMatchObject({
    reference: `myregistry.azurecr.io/spread@${digest}`,
    references: ["spread", "mirror/spread", "untagged/spread"].map((each) => `myregistry.azurecr.io/${each}@${digest}`),
    targets: { "spread:1": digest, "spread:stable": digest, "mirror/spread:1": digest, "untagged/spread": digest },
  });
  expect((await project.up()).changes).toEqual({ same: 1 });

  // The manifest without a tag is watched like a tag.
  await control.removeTag(`myregistry.azurecr.io/untagged/spread@${digest}`);
  expect((await project.refresh()).changes).toEqual({ update: 1 });
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect(await control.digest(`myregistry.azurecr.io/untagged/spread@${digest}`)).toBe(digest);
});
