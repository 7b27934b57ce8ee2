/** The look-up of registries, against the emulator. */
import { type Fault, newRegistry, type Registry, registryId } from "acr-emulator";
import type { Azure } from "../../../provider/azure/azure";
import { type Code, failureOf, formatFailure, type Side } from "../../../provider/failure/failure";
import { parseRegistryName } from "../../../provider/reference/registry-name";
import {
  DATA_IMPORTER,
  secondSubscriptionId,
  servicePrincipals,
  subscriptionId,
  tenantId,
  variablesOf,
} from "../../support/fixtures";
import { shortenWaits } from "../../support/short-waits";
import { type InProcessEmulator, startInProcessEmulator } from "./in-process-emulator";

const ARM = "management.azure.com";
const READER = variablesOf(servicePrincipals.sourceReader);
const WITHOUT_RIGHTS = variablesOf(servicePrincipals.withoutRights);

/** Resource Manager does not list the registries of a subscription without a role on it. */
const LISTING_FORBIDDEN: Fault = {
  host: ARM,
  method: "GET",
  path: "/Microsoft.ContainerRegistry/registries[?]",
  status: 403,
  body: {
    error: { code: "AuthorizationFailed", message: "The client does not have authorization to perform action." },
  },
};

let emulator: InProcessEmulator;
beforeAll(async () => {
  emulator = await startInProcessEmulator();
});
beforeEach(() => {
  shortenWaits();
  return emulator.control.clearRequests();
});
afterEach(() => emulator.control.faults());

/** The requests to Resource Manager, such as `GET registries` or `POST resources`. */
async function sentRequests(): Promise<string[]> {
  const requests = await emulator.control.requests({ host: ARM });
  return requests.map(({ method, path }) => `${method} ${path.split("?")[0]?.split("/").at(-1)}`);
}

function add(given: Parameters<typeof newRegistry>[0]): Registry {
  const registry = newRegistry(given);
  emulator.server.state.registries.push(registry);
  return registry;
}

function idOf(name: string): string {
  const registry = emulator.server.state.registries.find((candidate) => candidate.name === name);
  if (!registry) throw new Error(`the state has no ${name}`);
  return registryId(registry);
}

async function refusal(azure: Azure, name: string, side: Side = "target"): Promise<{ code: Code; text: string }> {
  const failure = await azure.findRegistry(parseRegistryName(name), side).then(() => undefined, failureOf);
  if (!failure) throw new Error("it was found, or something else was thrown");
  return { code: failure.code, text: formatFailure(failure) };
}

describe("a registry is found", () => {
  test("by its resource ID in any case, with one request for all callers", async () => {
    const azure = emulator.azure();
    const id = idOf("myregistry");
    const found = await Promise.all(
      [id, id.toUpperCase(), id].map((name) => azure.findRegistry(parseRegistryName(name), "target")),
    );
    expect(found[0]).toEqual({
      id,
      name: "myregistry",
      subscriptionId,
      resourceGroup: "images",
      loginServer: "myregistry.azurecr.io",
      location: "westus",
      isOpen: true,
      trustsAzure: true,
    });
    expect(new Set(found).size).toBe(1);
    expect(await sentRequests()).toEqual(["GET myregistry"]);
  });

  test.each(["myregistry", "MyRegistry", "myregistry.azurecr.io", "myregistry.westus.geo.azurecr.io"])(
    "by the name %s in the default subscription, with one request",
    async (name) => {
      expect((await emulator.azure().findRegistry(parseRegistryName(name), "target")).id).toBe(idOf("myregistry"));
      expect(await sentRequests()).toEqual(["GET registries"]);
    },
  );

  test("in any subscription by name or login server, with one search for all", async () => {
    const azure = emulator.azure();
    const names = ["othersubsource.azurecr.io", "othersubsource", "mysourceregistry", "myregistry"];
    const found = await Promise.all(names.map((name) => azure.findRegistry(parseRegistryName(name), "source")));
    expect(found.map(({ name, subscriptionId }) => [name, subscriptionId])).toEqual([
      ["othersubsource", secondSubscriptionId],
      ["othersubsource", secondSubscriptionId],
      ["mysourceregistry", subscriptionId],
      ["myregistry", subscriptionId],
    ]);
    expect((await sentRequests()).sort()).toEqual(["GET registries", "POST resources"]);
  });

  test("without any subscription configured", async () => {
    const azure = emulator.azure({ ARM_SUBSCRIPTION_ID: "" });
    expect((await azure.findRegistry(parseRegistryName("myregistry"), "target")).subscriptionId).toBe(subscriptionId);
    expect(await sentRequests()).toEqual(["POST resources"]);
  });

  test("with the subscription written as Pulumi ESC writes it", async () => {
    const azure = emulator.azure({ ARM_SUBSCRIPTION_ID: `/subscriptions/${subscriptionId}` });
    expect((await azure.findRegistry(parseRegistryName("myregistry"), "target")).subscriptionId).toBe(subscriptionId);
    expect(await sentRequests()).toEqual(["GET registries"]);
  });

  test("by a login server with a domain name label, which cannot be derived from its name", async () => {
    add({ name: "labelled", loginServer: "labelled-abc123.azurecr.io" });
    const azure = emulator.azure();
    for (const name of ["labelled-abc123.azurecr.io", "labelled-abc123.westus.geo.azurecr.io", "labelled"]) {
      expect((await azure.findRegistry(parseRegistryName(name), "target")).loginServer).toBe(
        "labelled-abc123.azurecr.io",
      );
    }
    expect((await refusal(azure, "labelled.azurecr.io")).code).toBe("REGISTRY_NOT_FOUND");
  });

  test("by an identity with permissions on the registry alone", async () => {
    const { state } = emulator.server;
    const principalId = servicePrincipals.sourceReader.objectId;
    state.roleAssignments.push({ principalId, role: DATA_IMPORTER, scope: idOf("mysourceregistry") });
    await emulator.control.faults(LISTING_FORBIDDEN);
    expect(
      (await emulator.azure(READER).findRegistry(parseRegistryName("mysourceregistry.azurecr.io"), "source")).name,
    ).toBe("mysourceregistry");
  });

  test("even if it was created after the others were listed", async () => {
    const azure = emulator.azure();
    await azure.findRegistry(parseRegistryName("othersubsource"), "source");
    add({ name: "latecomer" });
    expect((await azure.findRegistry(parseRegistryName("latecomer"), "target")).name).toBe("latecomer");
  });

  test("on a later page of the list", async () => {
    for (let i = 0; i < 1_005; i++) add({ name: `many${i}x`, subscriptionId: secondSubscriptionId });
    add({ name: "zzzlast", subscriptionId: secondSubscriptionId });
    try {
      expect((await emulator.azure().findRegistry(parseRegistryName("zzzlast"), "target")).name).toBe("zzzlast");
      expect(await sentRequests()).toEqual(["GET registries", "POST resources", "POST resources"]);
    } finally {
      const { registries } = emulator.server.state;
      registries.splice(0, registries.length, ...registries.filter(({ name }) => !/^many|^zzz/.test(name)));
    }
  });

  test("with its network rules", async () => {
    add({ name: "closed", publicNetworkAccess: "Disabled", networkRuleBypassOptions: "None" });
    add({ name: "filtered", defaultAction: "Deny" });
    const azure = emulator.azure();
    expect(await azure.findRegistry(parseRegistryName("closed"), "source")).toMatchObject({
      isOpen: false,
      trustsAzure: false,
    });
    expect(await azure.findRegistry(parseRegistryName("filtered"), "source")).toMatchObject({
      isOpen: false,
      trustsAzure: true,
    });
  });

  test("after throttling and transient errors", async () => {
    await emulator.control.faults(
      { host: ARM, status: 429, headers: { "retry-after": "1" }, times: 2 },
      { host: ARM, status: 503, after: 2, times: 1 },
    );
    expect((await emulator.azure().findRegistry(parseRegistryName("myregistry"), "target")).name).toBe("myregistry");
    expect(await sentRequests()).toEqual(Array(4).fill("GET registries"));
  });
});

describe("in another cloud", () => {
  const government = "77777777-7777-4777-8777-777777777777";
  const governmentSubscription = "88888888-8888-4888-8888-888888888888";

  test.each([
    ["by name", { ARM_ENVIRONMENT: "usgovernment" }],
    ["by metadata host", { ARM_METADATA_HOSTNAME: "management.usgovcloudapi.net" }],
  ])("%s, its registries are found and its hosts belong to Azure", async (_, env) => {
    const { state } = emulator.server;
    if (!state.tenants.some(({ id }) => id === government)) {
      const [deployer] = state.identities;
      if (!deployer) throw new Error("the state has no identity");
      state.tenants.push({ id: government, cloud: "AzureUSGovernment", domain: "gov.onmicrosoft.us" });
      state.subscriptions.push({ id: governmentSubscription, tenantId: government, name: "Government" });
      state.identities.push({ ...deployer, tenantId: government, objectId: "gov" });
      state.roleAssignments.push({
        principalId: "gov",
        role: "Contributor",
        scope: `/subscriptions/${governmentSubscription}`,
      });
      add({ name: "govregistry", subscriptionId: governmentSubscription, loginServer: "govregistry.azurecr.us" });
    }
    const azure = emulator.azure({ ...env, ARM_TENANT_ID: government, ARM_SUBSCRIPTION_ID: governmentSubscription });
    expect((await azure.findRegistry(parseRegistryName("govregistry.azurecr.us"), "target")).name).toBe("govregistry");
    expect(await azure.isAzureHost("govregistry.azurecr.us")).toBe(true);
    expect(await azure.isAzureHost("myregistry.azurecr.io")).toBe(false);
    expect(await sentRequests()).toEqual([]);
  });

  test("an invalid metadata host is reported", async () => {
    await expect(emulator.azure({ ARM_METADATA_HOSTNAME: "mcr.microsoft.com" }).isAzureHost("x")).rejects.toThrow(
      /ARM_METADATA_HOSTNAME is not the metadata host of an Azure cloud: .* returned HTTP 404/,
    );
  });
});

describe("a registry that is not found", () => {
  test("by name: the message says what was searched and what to use, for each side", async () => {
    const azure = emulator.azure();
    const target = await refusal(azure, "nosuchregistry");
    expect(target.code).toBe("REGISTRY_NOT_FOUND");
    expect(target.text).toMatch(
      /^target: registry nosuchregistry is not visible to service principal aaaa.*; searched subscription 2222.* and every other that it can read \[/,
    );
    expect(target.text).toMatch(/Hint: Check the name\. .* use its resource ID/);
    expect(target.text).not.toContain("source.credentials");
    const source = await refusal(azure, "nosuchregistry", "source");
    expect(source.text).toMatch(/^source: .*\n.*\n.*source\.credentials/);
    expect(await sentRequests()).toEqual(["GET registries", "POST resources"]);
  });

  test.each([
    ["the name", (id: string) => id.replace("myregistry", "nosuchregistry"), "ResourceNotFound"],
    ["the resource group", (id: string) => id.replace("/images/", "/nosuchgroup/"), "ResourceGroupNotFound"],
    [
      "the subscription",
      (id: string) => id.replace(subscriptionId, "99999999-9999-4999-8999-999999999999"),
      "SubscriptionNotFound",
    ],
  ])("by a resource ID in which %s is wrong", async (_, wrong, said) => {
    const { code, text } = await refusal(emulator.azure(), wrong(idOf("myregistry")));
    expect(code).toBe("REGISTRY_NOT_FOUND");
    expect(text).toContain("Hint: Check the resource ID");
    expect(text).toContain(said);
  });

  test("in another tenant: the hint suggests the login server and credentials", async () => {
    const { text } = await refusal(emulator.azure(), idOf("othertenantsource"), "source");
    expect(text).toMatch(/login server and pass source\.credentials/);
    expect((await refusal(emulator.azure(), "othertenantsource.azurecr.io", "source")).code).toBe("REGISTRY_NOT_FOUND");
  });

  test("by an identity that cannot list: the message says what was searched, not that listing is forbidden", async () => {
    await emulator.control.faults(LISTING_FORBIDDEN);
    for (const name of ["myregistry", "myregistry.azurecr.io"]) {
      const { code, text } = await refusal(emulator.azure(WITHOUT_RIGHTS), name);
      expect(code).toBe("REGISTRY_NOT_FOUND");
      expect(text).toContain(`registry ${name} is not visible to service principal ${WITHOUT_RIGHTS.ARM_CLIENT_ID}`);
      expect(text).toContain(
        `If the registry exists, grant this identity the role ${DATA_IMPORTER} on it or on its resource group`,
      );
    }
  });

  test("in a default subscription that does not exist", async () => {
    const azure = emulator.azure({ ARM_SUBSCRIPTION_ID: "99999999-9999-4999-8999-999999999999" });
    expect(await refusal(azure, "nosuchregistry")).toMatchObject({
      code: "AZURE_CONFIGURATION_INVALID",
      text: expect.stringContaining("ARM_SUBSCRIPTION_ID"),
    });
    expect((await azure.findRegistry(parseRegistryName("myregistry"), "target")).name).toBe("myregistry");
  });

  test("because the name is ambiguous: all IDs are listed", async () => {
    const labels = ["twin-one.azurecr.io", "twin-two.azurecr.io"];
    const twins = labels.map((loginServer, i) =>
      add({ name: "twinregistry", resourceGroup: `group${i}`, loginServer }),
    );
    const { code, text } = await refusal(emulator.azure(), "twinregistry");
    expect(code).toBe("REGISTRY_AMBIGUOUS");
    for (const twin of twins) expect(text).toContain(registryId(twin));
    expect(text).toContain("Use the resource ID");
  });

  test("with a SKU that does not support import", async () => {
    add({ name: "oldregistry", sku: "Classic" });
    for (const name of ["oldregistry", idOf("oldregistry")]) {
      const { code, text } = await refusal(emulator.azure(), name);
      expect(code).toBe("REGISTRY_SKU_UNSUPPORTED");
      expect(text).toContain("az acr update --name oldregistry --sku Standard");
    }
  });
});

describe("an error response", () => {
  test("for missing permissions names the role, the scope and the identity", async () => {
    const id = idOf("myregistry");
    const { code, text } = await refusal(emulator.azure(WITHOUT_RIGHTS), id);
    expect(code).toBe("AZURE_PERMISSION_DENIED");
    expect(text).toContain(
      `target: service principal ${WITHOUT_RIGHTS.ARM_CLIENT_ID} of tenant ${tenantId} (client secret from ARM_CLIENT_SECRET) is not allowed to import into ${id}`,
    );
    expect(text).toContain(`${DATA_IMPORTER} on ${id}`);
    expect(text).toContain("AuthorizationFailed");
    expect(text).not.toContain(WITHOUT_RIGHTS.ARM_CLIENT_SECRET);
  });

  test("for an expired token names the identity", async () => {
    await emulator.control.faults({ host: ARM, expireToken: true });
    const { code, text } = await refusal(emulator.azure(), "myregistry");
    expect(code).toBe("AZURE_CREDENTIAL_REJECTED");
    expect(text).toMatch(/^Azure: service principal aaaa.* was rejected: The access token expiry/);
  });

  test("that is not from Azure is reported with host and status", async () => {
    await emulator.control.faults({ host: ARM, status: 403, body: "<html>blocked</html>" });
    expect(await refusal(emulator.azure(), "myregistry")).toMatchObject({
      code: "AZURE_UNAVAILABLE",
      text: expect.stringContaining("target: management.azure.com responded with HTTP 403 and no Azure error"),
    });
  });

  test("of a service that stays unavailable ends after a few attempts, and is cached", async () => {
    await emulator.control.faults({
      host: ARM,
      status: 503,
      body: { error: { code: "ServerBusy", message: "Busy." } },
    });
    const azure = emulator.azure({ ARM_SUBSCRIPTION_ID: "" });
    expect((await refusal(azure, "myregistry")).text).toContain("responded with HTTP 503");
    expect(await sentRequests()).toHaveLength(4);
    expect((await refusal(azure, "myregistry", "source")).text).toMatch(
      /^source: management\.azure\.com responded with HTTP 503/,
    );
    expect(await sentRequests()).toHaveLength(4);
  });
});
