/** S18: sovereign clouds, and regional and DNL login servers. */
import { useEmulator } from "../../support/emulator";
import { declareImages } from "../programs";
import { imageDigest, Scenario } from "./scenario";

const emulator = useEmulator();

const CLOUDS = [
  {
    cloud: "AzureUSGovernment",
    environment: "usgovernment",
    suffix: "azurecr.us",
    resourceManager: "management.usgovcloudapi.net",
    logins: ["login.microsoftonline.us"],
    digit: "7",
  },
  {
    cloud: "AzureChinaCloud",
    environment: "china",
    suffix: "azurecr.cn",
    resourceManager: "management.chinacloudapi.cn",
    // @azure/identity prefers the second name.
    logins: ["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
    digit: "8",
  },
] as const;

/** Adds a tenant of a sovereign cloud with a target, a source and an identity that can use both. */
async function settle(scenario: Scenario, { cloud, suffix, digit }: (typeof CLOUDS)[number]) {
  const id = (last: string) => `${digit.repeat(8)}-${digit.repeat(4)}-4000-8000-${last.padStart(12, "0")}`;
  const [tenantId, subscriptionId, clientId, objectId] = [id("1"), id("2"), id("3"), id("4")];
  const secret = `${cloud}~secret`;
  const scopedTokens = [
    { name: "exporter", passwords: ["exporter-password"], repositories: { app: ["content/read", "metadata/read"] } },
  ];
  await scenario.control.call(
    "PUT",
    "/state",
    {},
    {
      tenants: [{ id: tenantId, cloud, domain: `${cloud.toLowerCase()}.example` }],
      subscriptions: [{ id: subscriptionId, tenantId, name: cloud }],
      identities: [{ tenantId, clientId, objectId, name: cloud, secrets: [secret] }],
      roleAssignments: [{ principalId: objectId, role: "Contributor", scope: `/subscriptions/${subscriptionId}` }],
      registries: [
        { name: `target${digit}`, subscriptionId, loginServer: `target${digit}.${suffix}` },
        { name: `source${digit}`, subscriptionId, loginServer: `source${digit}.${suffix}`, scopedTokens },
      ],
    },
  );
  const source = `source${digit}.${suffix}/app:1`;
  const { digest } = await scenario.control.moveTag(source);
  const env = {
    ARM_TENANT_ID: tenantId,
    ARM_SUBSCRIPTION_ID: subscriptionId,
    ARM_CLIENT_ID: clientId,
    ARM_CLIENT_SECRET: secret,
  };
  return { source, digest, env, target: `target${digit}.${suffix}` };
}

test("S18 sovereign clouds, and regional and DNL login servers, as source and as target", async () => {
  const scenario = await Scenario.begin(emulator);
  const { control, project } = scenario;
  const hello = await imageDigest(scenario, "docker.io/library/hello-world:latest");

  for (const one of CLOUDS) {
    const { source, digest, env, target } = await settle(scenario, one);
    const { project: inCloud } = await Scenario.begin(emulator);
    const cloud = { ...env, ARM_ENVIRONMENT: one.environment };
    await control.clearRequests();
    await inCloud.write(
      declareImages({
        hub: { registry: target, source: "docker.io/library/hello-world:latest" },
        near: { registry: target.split(".")[0], source },
        byName: {
          registry: target,
          source: { image: "app:1", registry: source.split(".")[0] },
          targetTags: ["named:1"],
        },
      }),
    );
    const up = await inCloud.up({ env: cloud });
    expect([one.cloud, up.exitCode, up.diagnostics("error")]).toEqual([one.cloud, 0, []]);
    expect(await control.digest(`${target}/library/hello-world:latest`)).toBe(hello);
    expect(await control.digest(`${target}/app:1`)).toBe(digest);
    expect(await control.digest(`${target}/named:1`)).toBe(digest);
    const hosts = new Set((await control.requests({ from: "client" })).map(({ host }) => host));
    expect(hosts).toContain(one.resourceManager);
    expect(one.logins.some((login) => hosts.has(login))).toBe(true);
    expect(hosts).not.toContain("management.azure.com");
    expect(hosts).not.toContain("login.microsoftonline.com");

    // A registry of that cloud gets no Entra token from the public cloud; its own credentials work.
    await control.clearRequests();
    const args = (credentials?: object) => ({
      registry: "myregistry",
      source: { image: source, ...(credentials && { credentials }) },
      targetTags: [`s18/${one.environment}:1`],
    });
    await scenario.refuses(`${one.cloud}: a registry of that cloud from the public one, without credentials`, args(), {
      code: "SOURCE_ACCESS_DENIED",
      message: [`source: an anonymous client is not allowed to pull ${source.split("/")[0]}`, "source.credentials"],
    });
    expect(await control.requests({ path: "/oauth2/exchange" })).toEqual([]);
    await scenario.works(args({ username: "exporter", password: "exporter-password" }), digest);

    if (one.environment === "china") {
      await scenario.refuses(
        "a tenant of one cloud in the other",
        { registry: target, source: "docker.io/library/hello-world:latest" },
        {
          code: "AZURE_CREDENTIAL_REJECTED",
          message: ["AADSTS90002", "ARM_ENVIRONMENT", String(env.ARM_CLIENT_ID)],
          never: [env.ARM_CLIENT_SECRET],
          env: { ...env, ARM_ENVIRONMENT: "usgovernment" },
        },
      );
      await scenario.refuses(
        "a cloud that nobody knows",
        { registry: target, source: "docker.io/library/hello-world:latest" },
        {
          code: "AZURE_CONFIGURATION_INVALID",
          message: ["ARM_ENVIRONMENT is not a known Azure cloud: mars", "public, usgovernment or china"],
          env: { ...env, ARM_ENVIRONMENT: "mars" },
        },
      );
    }
  }

  // Other login servers of registries in the public cloud.
  const dnl = { loginServer: "labelled-c2f1hash.azurecr.io", replicas: ["eastus"] };
  await control.call("PUT", "/registries/labelled", {}, dnl);
  const { digest } = await control.moveTag("labelled-c2f1hash.azurecr.io/app:1");
  const aci = await imageDigest(scenario, "mysourceregistry.azurecr.io/aci-helloworld:latest");
  await project.write(
    declareImages({
      fromRegion: {
        registry: "myregistry.westus.geo.azurecr.io",
        source: "mysourceregistry.westus.geo.azurecr.io/aci-helloworld:latest",
        targetTags: ["s18/region:1"],
      },
      fromDnl: { registry: "myregistry", source: "labelled-c2f1hash.azurecr.io/app:1", targetTags: ["s18/dnl:1"] },
      fromDnlRegion: {
        registry: "myregistry",
        source: "labelled-c2f1hash.eastus.geo.azurecr.io/app:1",
        targetTags: ["s18/dnl-region:1"],
      },
      fromDnlName: {
        registry: "myregistry",
        source: { image: "app:1", registry: "labelled" },
        targetTags: ["s18/dnl-name:1"],
      },
      intoDnl: {
        registry: "labelled-c2f1hash.azurecr.io",
        source: "docker.io/library/hello-world",
        targetTags: ["a:1"],
      },
      intoDnlName: { registry: "labelled", source: "docker.io/library/hello-world", targetTags: ["b:1"] },
      intoDnlRegion: {
        registry: "labelled-c2f1hash.eastus.geo.azurecr.io",
        source: "docker.io/library/hello-world",
        targetTags: ["c:1"],
      },
    }),
  );
  const up = await project.up();
  expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
  expect(await imageDigest(scenario, "myregistry.azurecr.io/s18/region:1")).toBe(aci);
  for (const tag of ["dnl", "dnl-region", "dnl-name"]) {
    expect(await imageDigest(scenario, `myregistry.azurecr.io/s18/${tag}:1`)).toBe(digest);
  }
  const state = await project.state();
  for (const [name, tag] of Object.entries({ intoDnl: "a", intoDnlName: "b", intoDnlRegion: "c" })) {
    expect(await imageDigest(scenario, `labelled-c2f1hash.azurecr.io/${tag}:1`)).toBe(hello);
    expect(state.resource(name).outputs?.loginServer).toBe("labelled-c2f1hash.azurecr.io");
  }
  expect((await project.up()).changes).toEqual({ same: 7 });
});
