/** The life of an image on the real engine: outputs in preview, requests of a no-op, replacement. */
import { countByHost, startTestEmulator, type TestEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { declareImages, imageProgram } from "./programs";
import { withoutAzure } from "./without-azure";

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator();
});

test("a first up imports the whole image, and its outputs are known in preview", async () => {
  const { control, env } = emulator;
  const source = await control.image("docker.io/library/hello-world:latest");
  const pinned = `myregistry.azurecr.io/library/hello-world@${source.digest}`;
  const project = await PulumiProject.create({
    env,
    // In a preview, `apply` runs only for known values.
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
  // No image bytes pass through this machine; it reads manifests only.
  expect(await control.requests({ from: "client", path: "/blobs/" })).toEqual([]);
});

test("a second up with the same digest sends one HEAD per source and nothing to Azure", async () => {
  const { control, env } = emulator;
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

  // One token for both repositories, one HEAD per distinct reference, and nothing for a reference with a digest.
  const expected = (runs: number) => [
    ...Array(runs).fill("GET auth.docker.io"),
    ...Array(runs).fill("HEAD registry-1.docker.io/v2/library/calm/manifests/1"),
    ...Array(runs).fill("HEAD registry-1.docker.io/v2/library/steady/manifests/1"),
  ];
  const requests = async () =>
    (await control.requests())
      .map(({ method, host, path }) => `${method} ${host}${host === "auth.docker.io" ? "" : path}`)
      .sort();

  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: 4 });
  expect(await requests()).toEqual(expected(1));

  await control.clearRequests();
  expect((await project.preview({ env: withoutAzure })).changes).toEqual({ same: 4 });
  expect(await requests()).toEqual(expected(1));

  // An `up` with preview runs the program twice, and needs no Azure credentials.
  await control.clearRequests();
  const up = await project.pulumi(["up", "--yes", "--non-interactive"], { env: withoutAzure });
  expect(up.exitCode).toBe(0);
  expect(up.stdout).toContain("5 unchanged");
  expect(await requests()).toEqual(expected(2));
});

test("a moved source tag shows both digests in preview and is imported by digest (Azure/azure-cli#29974)", async () => {
  const { control, env } = emulator;
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

test("another registry replaces the resource, another spelling of the same one does not", async () => {
  const { control, env } = emulator;
  const source = "docker.io/library/replaced:1";
  const { digest } = await control.moveTag(source);
  const program = (registry: string) => imageProgram({ registry, source, onDelete: "untag" });
  const project = await PulumiProject.create({ env, program: program("myregistry") });
  await project.up();
  await project.write(program("MyRegistry.azurecr.io"));
  await control.clearRequests();
  const same = await project.up({ env: withoutAzure });
  expect([same.exitCode, same.changes]).toEqual([0, { same: 1 }]);
  expect(await control.requests({ host: "management.azure.com" })).toEqual([]);

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
