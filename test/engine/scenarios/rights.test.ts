/** S12: identities without the rights that an operation needs. */
import { useEmulator } from "../../support/emulator";
import { DATA_IMPORTER, registryId } from "../../support/fixtures";
import { imageProgram } from "../programs";
import { asIdentity, expectRefused, imageDigest, Scenario } from "./scenario";

const emulator = useEmulator();

test("S12 missing rights: each error names the least role, its scope and the identity, and that role is enough (Azure/acr#281)", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const target = registryId("myregistry");
  const source = registryId("mysourceregistry");
  const hello = await imageDigest(scenario, "docker.io/library/hello-world:latest");
  const aci = await imageDigest(scenario, "mysourceregistry.azurecr.io/aci-helloworld:latest");
  const identity = "12345678-0000-4000-8000-00000000000f";
  const env = await asIdentity(scenario, identity);
  const who = String(env.ARM_CLIENT_ID);
  const never = [String(env.ARM_CLIENT_SECRET)];
  const fromHub = { registry: target, source: `docker.io/library/hello-world@${hello}`, targetTags: ["s12:hub"] };
  // Azure hides a registry from an identity without a role on it, so that it may or may not exist.
  const invisible = (side: "source" | "target", name: string) => ({
    code: "REGISTRY_NOT_FOUND",
    message: [
      `${side}: registry ${name} is not visible to service principal ${who}`,
      "Check the name. If the registry exists",
      `role ${DATA_IMPORTER} on it or on its resource group`,
    ],
    never,
    env,
  });
  const denied = (side: "source" | "target", scope: string) => ({
    code: "AZURE_PERMISSION_DENIED",
    message: [`${side}: `, who, scope, `role ${DATA_IMPORTER} on ${scope}`],
    never,
    env,
  });

  await scenario.refuses("no role on the target", fromHub, denied("target", target));
  for (const name of ["myregistry", "myregistry.azurecr.io"]) {
    const way = `no role on the target, which is called ${name}`;
    await scenario.refuses(way, { ...fromHub, registry: name }, invisible("target", name));
  }
  await scenario.grant(identity, "Reader", target);
  await scenario.refuses("a role that reads the target and does not import", fromHub, denied("target", target));
  await control.call("DELETE", "/roles", { principalId: identity, role: "Reader" });
  await scenario.grant(identity, DATA_IMPORTER, target);
  await scenario.works(fromHub, hello, { env });

  // The same role on the source resolves the tag here, and lets Azure read the image.
  const byTag = {
    registry: target,
    source: "mysourceregistry.azurecr.io/aci-helloworld:latest",
    targetTags: ["s12:acr"],
  };
  await scenario.refuses(
    "no role on the source, by login server and tag",
    byTag,
    invisible("source", "mysourceregistry.azurecr.io"),
  );
  await scenario.refuses(
    "no role on the source, by login server and digest",
    { ...byTag, source: `mysourceregistry.azurecr.io/aci-helloworld@${aci}` },
    invisible("source", "mysourceregistry.azurecr.io"),
  );
  for (const registry of ["mysourceregistry", "mysourceregistry.azurecr.io"]) {
    await scenario.refuses(
      `no role on the source, which is called ${registry}`,
      { ...byTag, source: { image: "aci-helloworld:latest", registry } },
      invisible("source", registry),
    );
  }
  await scenario.refuses(
    "no role on the source, by resource ID and digest",
    { ...byTag, source: { image: `aci-helloworld@${aci}`, registry: source } },
    denied("source", source),
  );
  await scenario.refuses(
    "no role on the source, by resource ID and tag",
    { ...byTag, source: { image: "aci-helloworld:latest", registry: source } },
    denied("source", source),
  );
  await scenario.grant(identity, DATA_IMPORTER, source);
  await scenario.works(byTag, aci, { env });
  await scenario.works({ ...byTag, source: { image: "aci-helloworld:latest", registry: source } }, aci, { env });

  // Deleting needs another role.
  await project.write(imageProgram({ ...byTag, onDelete: "delete" }));
  expect((await project.up({ env })).exitCode).toBe(0);
  expectRefused("no role to delete", await project.destroy({ env }), {
    code: "TARGET_ACCESS_DENIED",
    message: [
      `target: service principal ${who}`,
      "is not allowed to untag myregistry.azurecr.io/s12",
      "AcrDelete",
      "Container Registry Repository Contributor",
    ],
    never,
  });
  expect(await imageDigest(scenario, "myregistry.azurecr.io/s12:acr")).toBe(aci);
  await scenario.grant(identity, "AcrDelete", target);
  expect((await project.destroy({ env })).exitCode).toBe(0);
  expect(await control.digest("myregistry.azurecr.io/s12:acr")).toBeUndefined();
});
