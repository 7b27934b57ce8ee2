/** The settings shared with azure-native. */
import {
  auxiliaryTenants,
  azureSettings,
  defaultSubscription,
  isOn,
  type SettingName,
} from "../../../provider/azure/settings";

const none = () => undefined;

/** Each supported key of azure-native and its variable. */
const PAIRS: readonly (readonly [SettingName, string])[] = [
  ["subscriptionId", "ARM_SUBSCRIPTION_ID"],
  ["tenantId", "ARM_TENANT_ID"],
  ["auxiliaryTenantIds", "ARM_AUXILIARY_TENANT_IDS"],
  ["clientId", "ARM_CLIENT_ID"],
  ["clientSecret", "ARM_CLIENT_SECRET"],
  ["clientCertificatePath", "ARM_CLIENT_CERTIFICATE_PATH"],
  ["clientCertificatePassword", "ARM_CLIENT_CERTIFICATE_PASSWORD"],
  ["useOidc", "ARM_USE_OIDC"],
  ["oidcAudience", "ARM_OIDC_AUDIENCE"],
  ["oidcToken", "ARM_OIDC_TOKEN"],
  ["oidcTokenFilePath", "ARM_OIDC_TOKEN_FILE_PATH"],
  ["oidcRequestToken", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
  ["oidcRequestUrl", "ACTIONS_ID_TOKEN_REQUEST_URL"],
  ["useMsi", "ARM_USE_MSI"],
  ["useDefaultAzureCredential", "ARM_USE_DEFAULT_AZURE_CREDENTIAL"],
  ["disableInstanceDiscovery", "ARM_DISABLE_INSTANCE_DISCOVERY"],
  ["environment", "ARM_ENVIRONMENT"],
  ["environment", "AZURE_ENVIRONMENT"],
  ["metadataHost", "ARM_METADATA_HOSTNAME"],
  ["resourceManagerEndpoint", "ARM_RESOURCE_MANAGER_ENDPOINT"],
  ["resourceManagerAudience", "ARM_RESOURCE_MANAGER_AUDIENCE"],
  ["activeDirectoryAuthorityHost", "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"],
];

describe("a setting", () => {
  test.each(PAIRS)("%s is read from %s when the stack does not configure it", (name, variable) => {
    expect(azureSettings(none, { [variable]: "theirs" })).toEqual({ [name]: { value: "theirs", from: variable } });
  });

  test.each(PAIRS)("%s of the stack takes precedence over %s", (name, variable) => {
    const config = (key: string) => (key === name ? "ours" : undefined);
    expect(azureSettings(config, { [variable]: "theirs" })).toEqual({
      [name]: { value: "ours", from: `azure-native:${name}` },
    });
  });

  test("that is empty in the stack hides the variable, as in azure-native", () => {
    const config = (key: string) => (key === "clientSecret" ? "" : undefined);
    expect(azureSettings(config, { ARM_CLIENT_SECRET: "theirs" })).toEqual({});
  });

  test("in an empty variable is absent", () => {
    expect(azureSettings(none, { ARM_CLIENT_ID: "", ARM_ENVIRONMENT: "", AZURE_ENVIRONMENT: "china" })).toEqual({
      environment: { value: "china", from: "AZURE_ENVIRONMENT" },
    });
  });

  test("ARM_ENVIRONMENT comes before AZURE_ENVIRONMENT", () => {
    const { environment } = azureSettings(none, { AZURE_ENVIRONMENT: "china", ARM_ENVIRONMENT: "usgovernment" });
    expect(environment?.value).toBe("usgovernment");
  });

  test("of another tool is ignored", () => {
    expect(azureSettings(none, { AZURE_CLIENT_ID: "a", AZURE_CLIENT_SECRET: "b", AZURE_TENANT_ID: "c" })).toEqual({});
  });
});

test.each([
  ["true", true],
  ["false", false],
  ["1", false],
  ["True", false],
  ["yes", false],
])("the switch %p is on: %p", (value, on) => {
  expect(isOn({ value, from: "ARM_USE_MSI" })).toBe(on);
});

test.each([
  ["22222222-2222-4222-8222-222222222222", "22222222-2222-4222-8222-222222222222"],
  ["/subscriptions/22222222-2222-4222-8222-222222222222", "22222222-2222-4222-8222-222222222222"],
  ["/Subscriptions/22222222-2222-4222-8222-222222222222/", "22222222-2222-4222-8222-222222222222"],
])("the subscription can be written as %s", (value, id) => {
  expect(defaultSubscription({ subscriptionId: { value, from: "ARM_SUBSCRIPTION_ID" } })).toBe(id);
});

describe("auxiliary tenants", () => {
  const read = (value: string) => auxiliaryTenants({ auxiliaryTenantIds: { value, from: "ARM_AUXILIARY_TENANT_IDS" } });

  test("are a JSON list", () => expect(read('["one","two"]')).toEqual(["one", "two"]));

  test.each(["one,two", '{"tenant":"one"}', "[1]"])("%s is rejected with the name of the setting", (value) => {
    expect(() => read(value)).toThrow(
      expect.objectContaining({
        code: "AZURE_CONFIGURATION_INVALID",
        message: expect.stringContaining("ARM_AUXILIARY_TENANT_IDS must be a JSON list of tenant IDs"),
      }),
    );
  });
});
