/** How programs name their sources. */
import { countByHost, useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { declareImages } from "./programs";

const emulator = useEmulator();
test("Docker Hub, MCR and Azure registries work in one program, however they are named", async () => {
  const { control, env } = emulator;
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

  // The look-up of an Azure source needs a token, and for a bare name also one GET to Resource Manager.
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

test("outputs, promises, undefined arguments and transforms do not keep the program from resolving digests", async () => {
  const { control, env } = emulator;
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
