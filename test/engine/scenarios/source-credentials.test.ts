/** S8 and S9: Azure registries with source credentials. */
import { useEmulator } from "../../support/emulator";
import { credentialsOf, registryId, servicePrincipals } from "../../support/fixtures";
import { declareImages } from "../programs";
import { imageDigest, Scenario } from "./scenario";

const reader = credentialsOf(servicePrincipals.sourceReader);
const unprivileged = credentialsOf(servicePrincipals.withoutRights);
const otherTenantReader = credentialsOf(servicePrincipals.otherTenantReader);
const scopedToken = { username: "importer", password: "importer-token-password" };

const into = (tag: string, source: object) => ({ registry: "myregistry", source, targetTags: [tag] });

const emulator = useEmulator();

test("S8 an Azure registry with service principal credentials, which are never dropped", async () => {
  const scenario = await Scenario.begin(emulator);
  const reference = "mysourceregistry.azurecr.io/aci-helloworld:latest";
  const digest = await imageDigest(scenario, reference);
  const wrong = { ...reader, password: "not-the-secret" };
  const rejected = {
    code: "SOURCE_CREDENTIALS_REJECTED",
    message: ["source: mysourceregistry", "Check the user name in source.credentials"],
  };

  await scenario.refuses("a wrong secret", into("s8:refused", { image: reference, credentials: wrong }), rejected);
  // `az acr import --registry` drops the credentials and uses the rights of the caller, which would be enough here.
  await scenario.refuses(
    "a wrong secret beside source.registry",
    into("s8:refused", {
      image: "aci-helloworld:latest",
      registry: registryId("mysourceregistry"),
      credentials: wrong,
    }),
    rejected,
  );
  await scenario.refuses(
    "a wrong secret beside source.registry, the image by digest, so that only Azure reads it",
    into("s8:refused", { image: `aci-helloworld@${digest}`, registry: "mysourceregistry", credentials: wrong }),
    // The service does not tell a wrong secret from a missing role.
    {
      code: "SOURCE_ACCESS_DENIED",
      message: ["source: the identity in source.credentials is not allowed to pull mysourceregistry", "AcrPull"],
    },
  );
  await scenario.refuses(
    "a service principal without a role on the source",
    into("s8:refused", { image: reference, credentials: unprivileged }),
    {
      code: "SOURCE_ACCESS_DENIED",
      message: [`source: user "${unprivileged.username}" is not allowed to pull mysourceregistry`, "AcrPull"],
    },
  );
  await scenario.refuses(
    "a user name without password",
    into("s8:refused", { image: reference, credentials: { username: reader.username } }),
    { code: "INVALID_ARGUMENT", message: ["source.credentials.password: is required when username is set"] },
  );

  await emulator.control.clearRequests();
  await scenario.project.write(
    declareImages({
      byHost: into("s8:host", { image: reference, credentials: reader }),
      byId: into("s8:id", {
        image: "aci-helloworld:latest",
        registry: registryId("mysourceregistry"),
        credentials: reader,
      }),
      byName: into("s8:name", { image: "aci-helloworld:latest", registry: "mysourceregistry", credentials: reader }),
    }),
  );
  const up = await scenario.project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 3 }]);
  for (const tag of ["host", "id", "name"])
    expect(await imageDigest(scenario, `myregistry.azurecr.io/s8:${tag}`)).toBe(digest);
  // The source got no token of the identity of the run.
  expect(await emulator.control.requests({ host: "mysourceregistry.azurecr.io", path: "/oauth2/exchange" })).toEqual(
    [],
  );
});

test("S9 a registry of another tenant: repository-scoped token, service principal, or Entra token alone", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control } = scenario;
  const reference = "othertenantsource.azurecr.io/aci-helloworld:latest";
  const digest = await imageDigest(scenario, reference);
  const foreignId = registryId("othertenantsource", "55555555-5555-4555-8555-555555555555");
  const entraToken = async (clientId: string) =>
    (
      await control.call<{ token: string }>(
        "POST",
        "/token",
        {},
        { clientId, audience: "https://containerregistry.azure.net" },
      )
    ).token;

  await scenario.refuses("no credentials", into("s9:refused", { image: reference }), {
    code: "REGISTRY_NOT_FOUND",
    message: [
      "source: registry othertenantsource.azurecr.io is not visible to service principal",
      "use its login server and pass source.credentials",
    ],
  });
  await scenario.refuses(
    "no credentials, the image by digest, so that only Azure reads it",
    into("s9:refused", { image: reference.replace(":latest", `@${digest}`) }),
    {
      code: "REGISTRY_NOT_FOUND",
      message: [
        "source: registry othertenantsource.azurecr.io is not visible to service principal",
        "use its login server and pass source.credentials",
      ],
    },
  );
  for (const [way, image, credentials] of [
    ["the resource ID of another tenant", "aci-helloworld:latest", undefined],
    ["the resource ID of another tenant, with credentials", "aci-helloworld:latest", scopedToken],
    ["the resource ID of another tenant, the image by digest", `aci-helloworld@${digest}`, undefined],
  ] as const) {
    await scenario.refuses(
      way,
      into("s9:refused", { image, registry: foreignId, ...(credentials && { credentials }) }),
      {
        code: "AZURE_PERMISSION_DENIED",
        message: [
          "source: ",
          "othertenantsource belongs to another tenant",
          "Use its login server and pass source.credentials",
        ],
      },
    );
  }
  await scenario.refuses(
    "a token whose scope map lacks the repository",
    into("s9:refused", { image: "othertenantsource.azurecr.io/secret-app:1", credentials: scopedToken }),
    {
      code: "SOURCE_ACCESS_DENIED",
      message: [
        'source: user "importer" is not allowed to pull othertenantsource.azurecr.io/secret-app',
        "source.credentials",
      ],
    },
  );
  await scenario.refuses(
    "a wrong token password",
    into("s9:refused", { image: reference, credentials: { ...scopedToken, password: "wrong-token-password" } }),
    {
      code: "SOURCE_CREDENTIALS_REJECTED",
      message: ["source: othertenantsource.azurecr.io", "Check the user name in source.credentials"],
    },
  );
  await scenario.refuses(
    "an Entra token of the wrong tenant",
    into("s9:refused", { image: reference, credentials: { password: await entraToken(reader.username) } }),
    {
      code: "SOURCE_CREDENTIALS_REJECTED",
      message: ["source: othertenantsource.azurecr.io", "Check the user name in source.credentials"],
    },
  );
  const expired = await entraToken(otherTenantReader.username);
  await control.call("POST", "/token/expire");
  await scenario.refuses(
    "an Entra token that has expired",
    into("s9:refused", { image: reference, credentials: { password: expired } }),
    { code: "SOURCE_CREDENTIALS_REJECTED", message: ["source: othertenantsource.azurecr.io", "has not expired"] },
  );

  const password = await entraToken(otherTenantReader.username);
  await scenario.project.write(
    declareImages({
      scoped: into("s9:scoped", { image: reference, credentials: scopedToken }),
      principal: into("s9:principal", { image: reference, credentials: otherTenantReader }),
      token: into("s9:token", { image: reference, credentials: { password } }),
      digest: into("s9:digest", { image: reference.replace(":latest", `@${digest}`), credentials: { password } }),
      byRegistry: into("s9:registry", {
        image: "aci-helloworld:latest",
        registry: "othertenantsource.azurecr.io",
        credentials: scopedToken,
      }),
    }),
  );
  const up = await scenario.project.up();
  expect([up.exitCode, up.changes]).toEqual([0, { create: 5 }]);
  for (const tag of ["scoped", "principal", "token", "digest", "registry"]) {
    expect(await imageDigest(scenario, `myregistry.azurecr.io/s9:${tag}`)).toBe(digest);
  }
  expect(scenario.project.backend().includes(password)).toBe(false);
});
