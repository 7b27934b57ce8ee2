/** Spellings of registries and references: those that work, and what a mistyped one shows. */
import { useEmulator } from "../support/emulator";
import { PulumiProject } from "../support/engine";
import { imageProgram } from "./programs";

const emulator = useEmulator();

test("the default port in source and registry neither replaces nor imports, with or without it in the state", async () => {
  // https://github.com/Azure/acr/issues/287
  const { control, env } = emulator;
  const { digest } = await control.moveTag("docker.io/library/spelled:1");
  const targetTags = ["spelled:1"];
  const withPort = { registry: "myregistry.azurecr.io:443", source: "docker.io:443/library/spelled:1", targetTags };
  const without = { registry: "myregistry.azurecr.io", source: "docker://docker.io/library/spelled:1", targetTags };
  const project = await PulumiProject.create({ env, program: imageProgram(withPort) });
  expect((await project.up()).changes).toEqual({ create: 1 });
  expect(await control.digest("myregistry.azurecr.io/spelled:1")).toBe(digest);
  expect((await project.up()).changes).toEqual({ same: 1 });
  await project.write(imageProgram(without));
  expect((await project.up()).changes).toEqual({ update: 1 });
  expect((await project.up()).changes).toEqual({ same: 1 });
  expect(await control.imports()).toHaveLength(1);
});

const password = "hunter2-secret";
const image = "registry.example.com/app:1";

test.each<[string, unknown, string]>([
  [
    "a line break behind a password", // https://github.com/docker/cli/issues/1569
    { image, credentials: { username: "me", password: `${password}\n` } },
    "source.credentials.password: must not begin or end with white space [INVALID_ARGUMENT]",
  ],
  ["credentials in a reference", `me:${password}@${image}`, "source: must not contain credentials [INVALID_ARGUMENT]"],
  [
    "the plus sign of a chart version", // https://github.com/helm/helm/issues/10250
    "oci://registry.example.com/chart:1.2.3+4",
    "source: must have a tag without a plus sign [INVALID_ARGUMENT]",
  ],
  [
    "a source registry outside Azure", // https://github.com/Azure/terraform-provider-azapi/issues/1066
    { image: "node:22", registry: "dhi.io" },
    "source.registry: must be an Azure Container Registry [INVALID_ARGUMENT]",
  ],
])("%s fails the preview with its cause and a hint", async (_, source, message) => {
  const project = await PulumiProject.create({
    env: emulator.env,
    program: imageProgram({ registry: "myregistry", source }),
  });
  const preview = await project.preview();
  expect(preview.exitCode).not.toBe(0);
  expect(preview.text).not.toContain(password);
  expect(preview.diagnostics("error")[0]).toMatch(/\n {2}Hint: [A-Z]/);
  expect(preview.diagnostics("error")[0]).toContain(message);
  await project.close();
});
