/** Azure clouds and their endpoints. */
import { type Cloud, findCloud, isRegistryOf } from "../../../provider/azure/cloud";
import { azureSettings } from "../../../provider/azure/settings";

const find = (env: Record<string, string>) => findCloud(azureSettings(() => undefined, env));

describe("the cloud", () => {
  test.each([
    ["", "https://management.azure.com", "https://login.microsoftonline.com", ".azurecr.io"],
    ["public", "https://management.azure.com", "https://login.microsoftonline.com", ".azurecr.io"],
    ["AzureCloud", "https://management.azure.com", "https://login.microsoftonline.com", ".azurecr.io"],
    ["usgovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us", ".azurecr.us"],
    ["usgov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us", ".azurecr.us"],
    ["AzureUSGovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us", ".azurecr.us"],
    ["usgovernmentl4", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us", ".azurecr.us"],
    ["china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn", ".azurecr.cn"],
    ["AzureChinaCloud", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn", ".azurecr.cn"],
  ])("%p is known", async (name, resourceManager, authority, registrySuffix) => {
    expect(await find({ ARM_ENVIRONMENT: name })).toMatchObject({ resourceManager, authority, registrySuffix });
  });

  test("asks for tokens that registries accept which take none for Resource Manager", async () => {
    expect((await find({})).registryAudience).toBe("https://containerregistry.azure.net");
  });

  test("may be given by its three URLs", async () => {
    expect(
      await find({
        ARM_ENVIRONMENT: "public",
        ARM_RESOURCE_MANAGER_ENDPOINT: "https://management.stack.example/",
        ARM_RESOURCE_MANAGER_AUDIENCE: "https://audience.stack.example/",
        ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST: "https://login.stack.example/",
      }),
    ).toEqual({
      resourceManager: "https://management.stack.example",
      resourceManagerAudience: "https://audience.stack.example",
      authority: "https://login.stack.example",
      registrySuffix: "",
      registryAudience: "https://management.stack.example",
    });
  });

  test("of an unknown name is an error that lists the names, not the public cloud", async () => {
    await expect(find({ ARM_ENVIRONMENT: "germany" })).rejects.toThrow(
      /ARM_ENVIRONMENT names no Azure cloud: germany \[AZURE_CONFIGURATION_INVALID\]\n.*usgovernment.*ARM_METADATA_HOSTNAME/,
    );
  });

  test("is not asked for without TLS", async () => {
    await expect(find({ ARM_METADATA_HOSTNAME: "http://management.azure.com" })).rejects.toThrow(
      /ARM_METADATA_HOSTNAME is not an https address/,
    );
  });
});

describe("an Azure host", () => {
  const clouds: Record<string, Promise<Cloud>> = { public: find({}), us: find({ ARM_ENVIRONMENT: "usgovernment" }) };

  test.each([
    ["public", "myregistry.azurecr.io", true],
    ["public", "MyRegistry.AzureCR.io", true],
    ["public", "myregistry-hash123.azurecr.io", true],
    ["public", "myregistry.westus.geo.azurecr.io", true],
    ["public", "myregistry-hash123.westus2.geo.azurecr.io", true],
    ["us", "myregistry.azurecr.us", true],
    ["us", "myregistry.azurecr.io", false],
    ["public", "myregistry.azurecr.us", false],
    ["public", "azurecr.io", false],
    ["public", ".azurecr.io", false],
    ["public", "myregistry.azurecr.io.evil.com", false],
    ["public", "evilazurecr.io", false],
    ["public", "myregistry.azurecr.io:5000", false],
    ["public", "evil.com/.azurecr.io", false],
    ["public", "evil.com#.azurecr.io", false],
    ["public", "user@evil.azurecr.io", false],
    ["public", "a.b.azurecr.io", false],
    ["public", "myregistry.westus.data.azurecr.io", false],
    ["public", "myregistry..geo.azurecr.io", false],
    ["public", "myregistry.westus.notgeo.azurecr.io", false],
    ["public", "docker.io", false],
  ])("in the %s cloud, %s: %p", async (cloud, host, expected) => {
    expect(isRegistryOf((await clouds[cloud]) as Cloud, host)).toBe(expected);
  });

  test("does not exist where the cloud's suffix is not known", async () => {
    const cloud = { ...(await find({})), registrySuffix: "" };
    expect(isRegistryOf(cloud, "myregistry")).toBe(false);
  });
});
