/** S1 to S3: Docker Hub and Microsoft Container Registry. */
import { useEmulator } from "../../support/emulator";
import { imageProgram } from "../programs";
import { imageDigest, Scenario } from "./scenario";

const emulator = useEmulator();

test("S1 Docker Hub, public: imports every platform of a multi-architecture image", async () => {
  const scenario = await Scenario.begin(emulator);
  const source = "docker.io/library/hello-world:latest";
  const image = await emulator.control.image(source);
  const args = { registry: "myregistry", source, targetTags: ["hello-world:latest"] };
  await scenario.works(args, image.digest);

  expect(await emulator.control.image("myregistry.azurecr.io/hello-world:latest")).toEqual(image);
  expect(image.platforms.length).toBeGreaterThan(2);
  const { store } = emulator.server.state.registries.find(({ name }) => name === "myregistry") ?? {};
  const children = store?.manifest("hello-world", image.digest)?.content.manifests ?? [];
  expect(children.length).toBeGreaterThanOrEqual(image.platforms.length);
  for (const { digest } of children) expect(store?.manifest("hello-world", digest)?.digest).toBe(digest);
  // Read anonymously, by this machine and by Azure.
  const tokenRequests = await emulator.control.requests({ host: "auth.docker.io" });
  expect(new Set(tokenRequests.map(({ from, credential }) => `${from} ${credential}`))).toEqual(
    new Set(["client none", "azure none"]),
  );

  await scenario.refuses(
    "a repository that is not public",
    { ...args, source: "docker.io/emulator/private:latest" },
    {
      code: "SOURCE_ACCESS_DENIED",
      message: ["source: an anonymous client is not allowed to pull docker.io/emulator/private", "source.credentials"],
    },
  );
  await scenario.refuses(
    "a tag that is not there",
    { ...args, source: "docker.io/library/hello-world:nosuch" },
    {
      code: "SOURCE_NOT_FOUND",
      message: ["source: docker.io/library/hello-world:nosuch", "Check the repository and the tag"],
    },
  );
});

test("S2 Docker Hub with user name and access token, also when the token is unknown in preview", async () => {
  const scenario = await Scenario.begin(emulator);
  const source = "docker.io/tensorflow/tensorflow:latest-gpu";
  const digest = await imageDigest(scenario, source);
  const credentials = { username: "emulator", password: "dckr_pat_emulator" };
  const args = {
    registry: "myregistry",
    source: { image: source, credentials },
    targetTags: ["tensorflow:latest-gpu"],
  };
  await emulator.control.clearRequests();
  await scenario.works(args, digest);
  const tokenRequests = await emulator.control.requests({ host: "auth.docker.io" });
  expect(tokenRequests.map(({ from, credential }) => `${from} ${credential}`)).toEqual(
    expect.arrayContaining(["client basic", "azure basic"]),
  );
  expect(tokenRequests.filter(({ credential }) => credential === "none")).toEqual([]);

  const source2 = "docker.io/emulator/private:latest";
  const hidden = { registry: "myregistry", targetTags: ["private:latest"] };
  await scenario.refuses(
    "a wrong token",
    { ...hidden, source: { image: source2, credentials: { ...credentials, password: "dckr_pat_wrong" } } },
    {
      code: "SOURCE_CREDENTIALS_REJECTED",
      message: ["source: docker.io", "Check the user name in source.credentials"],
    },
  );
  await scenario.refuses(
    "a user name without password",
    { ...hidden, source: { image: source2, credentials: { username: "emulator" } } },
    { code: "INVALID_ARGUMENT", message: ["source.credentials.password: is required when username is set"] },
  );

  // The token is an output of another resource of the same program.
  await scenario.project.write(`
    const pulumi = require("@pulumi/pulumi");
    ${imageProgram(args)}
    class Token extends pulumi.dynamic.Resource {
      constructor() {
        super({ create: async () => ({ id: "token", outs: { value: ["dckr", "pat", "emulator"].join("_") } }) }, "token", { value: undefined }, { additionalSecretOutputs: ["value"] });
      }
    }
    const hidden = new ImportedImage("hidden", {
      ...${JSON.stringify(hidden)},
      source: { image: "${source2}", credentials: { username: "emulator", password: new Token().value } },
    });
    exports.digest = hidden.sourceDigest;`);
  const preview = await scenario.project.preview();
  expect([preview.exitCode, preview.changes]).toEqual([0, { create: 2, same: 1 }]);
  const up = await scenario.project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 2, same: 1 }]);
  expect(await scenario.project.outputs()).toEqual({ digest: await imageDigest(scenario, source2) });
  expect(await imageDigest(scenario, "myregistry.azurecr.io/private:latest")).toBe(
    await imageDigest(scenario, source2),
  );
  expect(scenario.project.backend().includes("dckr_pat_emulator")).toBe(false);
});

test("S3 Microsoft Container Registry, a Windows image", async () => {
  const scenario = await Scenario.begin(emulator);
  const source = "mcr.microsoft.com/windows/servercore:ltsc2019";
  const image = await emulator.control.image(source);
  const args = { registry: "myregistry", source, targetTags: ["servercore:ltsc2019"] };
  await scenario.works(args, image.digest);
  expect(await emulator.control.image("myregistry.azurecr.io/servercore:ltsc2019")).toEqual(image);
  expect(image.platforms).toEqual(["windows/amd64"]);
  expect((await scenario.project.state()).resource("app").outputs?.platforms).toEqual(["windows/amd64"]);
  await scenario.refuses(
    "a tag that is not there",
    { ...args, source: "mcr.microsoft.com/windows/servercore:ltsc1999" },
    { code: "SOURCE_NOT_FOUND", message: ["source: mcr.microsoft.com/windows/servercore:ltsc1999"] },
  );
});
