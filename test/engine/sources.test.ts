import { readFileSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { countByHost, useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { declareImages, imageProgram } from "./programs";

const box = useEmulator();
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

test("Docker Hub, Microsoft's registry and another Azure registry in one program, each named as users do", async () => {
  const { control, env } = box;
  const image = (source: unknown) => ({ registry: "myregistry", source });
  const servercore = await control.image("mcr.microsoft.com/windows/servercore:ltsc2019");
  const hello = await control.image("mysourceregistry.azurecr.io/aci-helloworld:latest");
  const gpu = await control.image("docker.io/tensorflow/tensorflow:latest-gpu");
  const project = await PulumiProject.create({
    env,
    program: declareImages({
      hub: image("hello-world"),
      windows: image("mcr.microsoft.com/windows/servercore:ltsc2019"),
      azure: image("mysourceregistry.azurecr.io/aci-helloworld:latest"),
      pinned: {
        ...image(`mysourceregistry.azurecr.io/aci-helloworld@${hello.digest}`),
        targetTags: ["by-digest:latest"],
      },
      subscription: { ...image("othersubsource.azurecr.io/aci-helloworld:latest"), targetTags: ["other-sub:latest"] },
      private: {
        ...image({
          image: "docker.io/tensorflow/tensorflow:latest-gpu",
          credentials: { username: "emulator", password: "dckr_pat_emulator" },
        }),
      },
      named: {
        ...image({ image: "aci-helloworld:latest", registry: "mysourceregistry" }),
        targetTags: ["named:latest"],
      },
    }),
  });
  const up = await project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 7 }]);
  const held = (name: string) => control.image(`myregistry.azurecr.io/${name}`);
  expect(await held("library/hello-world:latest")).toEqual(await control.image("docker.io/library/hello-world:latest"));
  expect(await held("windows/servercore:ltsc2019")).toEqual(servercore);
  expect(await held("aci-helloworld:latest")).toEqual(hello);
  expect(await held("by-digest:latest")).toEqual(hello);
  expect(await held("named:latest")).toEqual(hello);
  expect(await held("tensorflow/tensorflow:latest-gpu")).toEqual(gpu);
  expect(await held("other-sub:latest")).toEqual(
    await control.image("othersubsource.azurecr.io/aci-helloworld:latest"),
  );

  // The look-ups of an Azure source need its token; one named by a bare name also one GET to Resource Manager.
  await control.clearRequests();
  expect((await project.up()).changes).toEqual({ same: 7 });
  const requests = await control.requests();
  const heads = requests.filter(({ method }) => method === "HEAD").map(({ host, path }) => host + path);
  expect(heads.sort()).toEqual([
    "mcr.microsoft.com/v2/windows/servercore/manifests/ltsc2019",
    "mysourceregistry.azurecr.io/v2/aci-helloworld/manifests/latest",
    "othersubsource.azurecr.io/v2/aci-helloworld/manifests/latest",
    "registry-1.docker.io/v2/library/hello-world/manifests/latest",
    "registry-1.docker.io/v2/tensorflow/tensorflow/manifests/latest-gpu",
  ]);
  expect(countByHost(requests)["management.azure.com"]).toBe(1);
  expect(countByHost(requests)["myregistry.azurecr.io"]).toBeUndefined();
});

test("no Docker, no az, no shell is needed, and no process is started by the product", async () => {
  const { control, env } = box;
  const { digest } = await control.moveTag("docker.io/library/childless:1");
  const folder = await mkdtemp(path.join(tmpdir(), "only-node-"));
  folders.push(folder);
  // Nothing is found on this PATH but Node and the engine, and whatever a Node process starts is noted.
  await symlink(process.execPath, path.join(folder, "node"));
  await writeFile(path.join(folder, "note-children.cjs"), noteChildren);
  const project = await PulumiProject.create({
    env: {
      ...env,
      PATH: folder,
      NODE_OPTIONS: `--require=${folder}/note-children.cjs`,
      CHILDREN: `${folder}/children`,
    },
    program: imageProgram({ registry: "myregistry", source: "docker.io/library/childless:1", onDelete: "delete" }),
  });
  expect((await project.preview()).exitCode).toBe(0);
  expect((await project.up()).changes).toEqual({ create: 1 });
  expect((await project.refresh()).changes).toEqual({ same: 1 });
  expect(await control.digest("myregistry.azurecr.io/library/childless:1")).toBe(digest);
  expect((await project.destroy()).exitCode).toBe(0);
  const notes = readFileSync(path.join(folder, "children"), "utf8").trim().split("\n");
  expect(notes.filter((note) => note.startsWith("loaded")).length).toBeGreaterThan(3);
  expect(notes.filter((note) => !note.startsWith("loaded"))).toEqual([]);
});

/** Loaded into every Node process of a command: who was loaded, and every process that one of them starts. */
const noteChildren = `
  const { appendFileSync } = require("node:fs");
  const note = (line) => appendFileSync(process.env.CHILDREN, line + "\\n");
  note("loaded " + process.argv[1]);
  const children = require("node:child_process");
  for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"]) {
    const original = children[name];
    children[name] = (...args) => {
      note(name + " " + args[0]);
      return original(...args);
    };
  }
  require("node:module").syncBuiltinESMExports();
`;

test("arguments that are awaited, left open or given by a transform do not keep the program from looking up the rest", async () => {
  const { control, env } = box;
  const { digest } = await control.image("docker.io/library/hello-world:latest");
  const pinned = `docker.io/library/hello-world@${digest}`;
  const project = await PulumiProject.create({
    env,
    program: `
      const pulumi = require("@pulumi/pulumi");
      const { ImportedImage } = require("pulumi-acr-import");
      const registry = "myregistry";
      const later = (value) => new Promise((resolve) => setTimeout(() => resolve(value), 10));
      new ImportedImage("output", { registry, source: "${pinned}", targetTags: undefined, untaggedTargetRepositories: pulumi.output(["awaited/a"]) });
      new ImportedImage("promise", { registry, source: "${pinned}", targetTags: null, untaggedTargetRepositories: later(["awaited/b"]) });
      new ImportedImage("nested", { registry: later(registry), source: "docker.io/library/hello-world:latest", targetTags: [later("awaited/c:1")] });
      new ImportedImage("transformed", { registry: undefined, source: "docker.io/library/hello-world:latest", targetTags: ["awaited/d:1"] },
        { transforms: [({ props, opts }) => ({ props: { ...props, registry }, opts })] });
    `,
  });
  const up = await project.up();
  expect(up.diagnostics("error")).toEqual([]);
  expect(up.changes).toEqual({ create: 4 });
  expect((await project.up()).changes).toEqual({ same: 4 });
  expect(await control.digest("myregistry.azurecr.io/awaited/d:1")).toBe(digest);
});
