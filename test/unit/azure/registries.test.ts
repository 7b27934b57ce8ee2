/** Finding a registry by resource ID, login server or name. */
import { newRegistry } from "../../../emulator/default-world";
import type { Fault } from "../../../emulator/faults";
import { type Registry, registryId } from "../../../emulator/world";
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

let inside: InProcessEmulator;
beforeAll(async () => {
  inside = await startInProcessEmulator();
});
beforeEach(() => {
  shortenWaits();
  return inside.control.clearRequests();
});
afterEach(() => inside.control.faults());

/** The requests to Resource Manager, such as `GET registries` or `POST resources`. */
async function asked(): Promise<string[]> {
  const requests = await inside.control.requests({ host: ARM });
  return requests.map(({ method, path }) => `${method} ${path.split("?")[0]?.split("/").at(-1)}`);
}

function add(given: Parameters<typeof newRegistry>[0]): Registry {
  const registry = newRegistry(given);
  inside.emulator.world.registries.push(registry);
  return registry;
}

function idOf(name: string): string {
  const registry = inside.emulator.world.registries.find((candidate) => candidate.name === name);
  if (!registry) throw new Error(`the world has no ${name}`);
  return registryId(registry);
}

async function refusal(azure: Azure, name: string, side: Side = "target"): Promise<{ code: Code; text: string }> {
  const failure = await azure.findRegistry(parseRegistryName(name), side).then(() => undefined, failureOf);
  if (!failure) throw new Error("it was found, or something else was thrown");
  return { code: failure.code, text: formatFailure(failure) };
}

describe("a registry is found", () => {
  test("by its resource ID in any case, with one request however many ask", async () => {
    const azure = inside.azure();
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
    expect(await asked()).toEqual(["GET myregistry"]);
  });

  test.each(["myregistry", "MyRegistry", "myregistry.azurecr.io", "myregistry.westus.geo.azurecr.io"])(
    "by the name %s in the default subscription, with one request",
    async (name) => {
      expect((await inside.azure().findRegistry(parseRegistryName(name), "target")).id).toBe(idOf("myregistry"));
      expect(await asked()).toEqual(["GET registries"]);
    },
  );

  test("in any subscription by name or login server: one search for all of them", async () => {
    const azure = inside.azure();
    const names = ["othersubsource.azurecr.io", "othersubsource", "mysourceregistry", "myregistry"];
    const found = await Promise.all(names.map((name) => azure.findRegistry(parseRegistryName(name), "source")));
    expect(found.map(({ name, subscriptionId }) => [name, subscriptionId])).toEqual([
      ["othersubsource", secondSubscriptionId],
      ["othersubsource", secondSubscriptionId],
      ["mysourceregistry", subscriptionId],
      ["myregistry", subscriptionId],
    ]);
    expect((await asked()).sort()).toEqual(["GET registries", "POST resources"]);
  });

  test("without any subscription configured", async () => {
    const azure = inside.azure({ ARM_SUBSCRIPTION_ID: "" });
    expect((await azure.findRegistry(parseRegistryName("myregistry"), "target")).subscriptionId).toBe(subscriptionId);
    expect(await asked()).toEqual(["POST resources"]);
  });

  test("with the subscription written as Pulumi ESC writes it", async () => {
    const azure = inside.azure({ ARM_SUBSCRIPTION_ID: `/subscriptions/${subscriptionId}` });
    expect((await azure.findRegistry(parseRegistryName("myregistry"), "target")).subscriptionId).toBe(subscriptionId);
    expect(await asked()).toEqual(["GET registries"]);
  });

  test("by a login server with a domain name label, which its name does not tell", async () => {
    add({ name: "labelled", loginServer: "labelled-abc123.azurecr.io" });
    const azure = inside.azure();
    for (const name of ["labelled-abc123.azurecr.io", "labelled-abc123.westus.geo.azurecr.io", "labelled"]) {
      expect((await azure.findRegistry(parseRegistryName(name), "target")).loginServer).toBe(
        "labelled-abc123.azurecr.io",
      );
    }
    expect((await refusal(azure, "labelled.azurecr.io")).code).toBe("REGISTRY_NOT_FOUND");
  });

  test("by an identity with rights on nothing but the registry", async () => {
    const { world } = inside.emulator;
    const principalId = servicePrincipals.sourceReader.objectId;
    world.roleAssignments.push({ principalId, role: DATA_IMPORTER, scope: idOf("mysourceregistry") });
    await inside.control.faults(LISTING_FORBIDDEN);
    expect(
      (await inside.azure(READER).findRegistry(parseRegistryName("mysourceregistry.azurecr.io"), "source")).name,
    ).toBe("mysourceregistry");
  });

  test("though it was made after the others were listed", async () => {
    const azure = inside.azure();
    await azure.findRegistry(parseRegistryName("othersubsource"), "source");
    add({ name: "latecomer" });
    expect((await azure.findRegistry(parseRegistryName("latecomer"), "target")).name).toBe("latecomer");
  });

  test("among more than a page of them", async () => {
    for (let i = 0; i < 1_005; i++) add({ name: `many${i}x`, subscriptionId: secondSubscriptionId });
    add({ name: "zzzlast", subscriptionId: secondSubscriptionId });
    try {
      expect((await inside.azure().findRegistry(parseRegistryName("zzzlast"), "target")).name).toBe("zzzlast");
      expect(await asked()).toEqual(["GET registries", "POST resources", "POST resources"]);
    } finally {
      const { registries } = inside.emulator.world;
      registries.splice(0, registries.length, ...registries.filter(({ name }) => !/^many|^zzz/.test(name)));
    }
  });

  test("with the state of its network", async () => {
    add({ name: "closed", publicNetworkAccess: "Disabled", networkRuleBypassOptions: "None" });
    add({ name: "filtered", defaultAction: "Deny" });
    const azure = inside.azure();
    expect(await azure.findRegistry(parseRegistryName("closed"), "source")).toMatchObject({
      isOpen: false,
      trustsAzure: false,
    });
    expect(await azure.findRegistry(parseRegistryName("filtered"), "source")).toMatchObject({
      isOpen: false,
      trustsAzure: true,
    });
  });

  test("after throttling and faults that pass", async () => {
    await inside.control.faults(
      { host: ARM, status: 429, headers: { "retry-after": "1" }, times: 2 },
      { host: ARM, status: 503, after: 2, times: 1 },
    );
    expect((await inside.azure().findRegistry(parseRegistryName("myregistry"), "target")).name).toBe("myregistry");
    expect(await asked()).toEqual(Array(4).fill("GET registries"));
  });
});

describe("in another cloud", () => {
  const government = "77777777-7777-4777-8777-777777777777";
  const governmentSubscription = "88888888-8888-4888-8888-888888888888";

  test.each([
    ["by name", { ARM_ENVIRONMENT: "usgovernment" }],
    ["by metadata host", { ARM_METADATA_HOSTNAME: "management.usgovcloudapi.net" }],
  ])("%s, its registries are found and its hosts are Azure's", async (_, env) => {
    const { world } = inside.emulator;
    if (!world.tenants.some(({ id }) => id === government)) {
      const [deployer] = world.identities;
      if (!deployer) throw new Error("the world has no identity");
      world.tenants.push({ id: government, cloud: "AzureUSGovernment", domain: "gov.onmicrosoft.us" });
      world.subscriptions.push({ id: governmentSubscription, tenantId: government, name: "Government" });
      world.identities.push({ ...deployer, tenantId: government, objectId: "gov" });
      world.roleAssignments.push({
        principalId: "gov",
        role: "Contributor",
        scope: `/subscriptions/${governmentSubscription}`,
      });
      add({ name: "govregistry", subscriptionId: governmentSubscription, loginServer: "govregistry.azurecr.us" });
    }
    const azure = inside.azure({ ...env, ARM_TENANT_ID: government, ARM_SUBSCRIPTION_ID: governmentSubscription });
    expect((await azure.findRegistry(parseRegistryName("govregistry.azurecr.us"), "target")).name).toBe("govregistry");
    expect(await azure.isAzureHost("govregistry.azurecr.us")).toBe(true);
    expect(await azure.isAzureHost("myregistry.azurecr.io")).toBe(false);
    expect(await asked()).toEqual([]);
  });

  test("a metadata host that is none says so", async () => {
    await expect(inside.azure({ ARM_METADATA_HOSTNAME: "mcr.microsoft.com" }).isAzureHost("x")).rejects.toThrow(
      /ARM_METADATA_HOSTNAME is not the metadata host of an Azure cloud: .* answers 404/,
    );
  });
});

describe("a registry that is not found", () => {
  test("by name: what was searched and what to pass, for the side that asks", async () => {
    const azure = inside.azure();
    const target = await refusal(azure, "nosuchregistry");
    expect(target.code).toBe("REGISTRY_NOT_FOUND");
    expect(target.text).toMatch(
      /^target: no registry nosuchregistry is visible to service principal aaaa.*: searched subscription 2222.* and every other that it can read \[/,
    );
    expect(target.text).toMatch(/check the name; .* pass its resource ID/);
    expect(target.text).not.toContain("source.credentials");
    const source = await refusal(azure, "nosuchregistry", "source");
    expect(source.text).toMatch(/^source: .*\n.*source\.credentials/);
    expect(await asked()).toEqual(["GET registries", "POST resources"]);
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
    const { code, text } = await refusal(inside.azure(), wrong(idOf("myregistry")));
    expect(code).toBe("REGISTRY_NOT_FOUND");
    expect(text).toContain("check the resource ID");
    expect(text).toContain(said);
  });

  test("because it is another tenant's: the login server and credentials are asked for", async () => {
    const { text } = await refusal(inside.azure(), idOf("othertenantsource"), "source");
    expect(text).toMatch(/login server and pass source\.credentials/);
    expect((await refusal(inside.azure(), "othertenantsource.azurecr.io", "source")).code).toBe("REGISTRY_NOT_FOUND");
  });

  test("because the identity may list nothing: it is told where it looked, not that listing is forbidden", async () => {
    await inside.control.faults(LISTING_FORBIDDEN);
    for (const name of ["myregistry", "myregistry.azurecr.io"]) {
      const { code, text } = await refusal(inside.azure(WITHOUT_RIGHTS), name);
      expect(code).toBe("REGISTRY_NOT_FOUND");
      expect(text).toContain(`no registry ${name} is visible to service principal ${WITHOUT_RIGHTS.ARM_CLIENT_ID}`);
      expect(text).toContain(`if the registry is there, grant this identity the role ${DATA_IMPORTER} on it (scope: `);
    }
  });

  test("because the default subscription does not exist", async () => {
    const azure = inside.azure({ ARM_SUBSCRIPTION_ID: "99999999-9999-4999-8999-999999999999" });
    expect(await refusal(azure, "nosuchregistry")).toMatchObject({
      code: "AZURE_CONFIGURATION_INVALID",
      text: expect.stringContaining("ARM_SUBSCRIPTION_ID"),
    });
    expect((await azure.findRegistry(parseRegistryName("myregistry"), "target")).name).toBe("myregistry");
  });

  test("because the name fits several: all IDs are listed", async () => {
    const labels = ["twin-one.azurecr.io", "twin-two.azurecr.io"];
    const twins = labels.map((loginServer, i) =>
      add({ name: "twinregistry", resourceGroup: `group${i}`, loginServer }),
    );
    const { code, text } = await refusal(inside.azure(), "twinregistry");
    expect(code).toBe("REGISTRY_AMBIGUOUS");
    for (const twin of twins) expect(text).toContain(registryId(twin));
    expect(text).toContain("pass the resource ID");
  });

  test("because its SKU cannot import", async () => {
    add({ name: "oldregistry", sku: "Classic" });
    for (const name of ["oldregistry", idOf("oldregistry")]) {
      const { code, text } = await refusal(inside.azure(), name);
      expect(code).toBe("REGISTRY_SKU_UNSUPPORTED");
      expect(text).toContain("az acr update --name oldregistry --sku Standard");
    }
  });
});

describe("a refusal", () => {
  test("for missing rights names the role, the scope and the identity", async () => {
    const id = idOf("myregistry");
    const { code, text } = await refusal(inside.azure(WITHOUT_RIGHTS), id);
    expect(code).toBe("AZURE_PERMISSION_DENIED");
    expect(text).toContain(
      `target: service principal ${WITHOUT_RIGHTS.ARM_CLIENT_ID} (client secret from ARM_CLIENT_SECRET), tenant ${tenantId} may not import into ${id}`,
    );
    expect(text).toContain(`${DATA_IMPORTER} on ${id}`);
    expect(text).toContain("AuthorizationFailed");
    expect(text).not.toContain(WITHOUT_RIGHTS.ARM_CLIENT_SECRET);
  });

  test("for an expired token says whose", async () => {
    await inside.control.faults({ host: ARM, expireToken: true });
    const { code, text } = await refusal(inside.azure(), "myregistry");
    expect(code).toBe("AZURE_CREDENTIAL_REJECTED");
    expect(text).toMatch(/^Azure: service principal aaaa.* was rejected: The access token expiry/);
  });

  test("by something that is not Azure names host and status", async () => {
    await inside.control.faults({ host: ARM, status: 403, body: "<html>blocked</html>" });
    expect(await refusal(inside.azure(), "myregistry")).toMatchObject({
      code: "AZURE_UNAVAILABLE",
      text: expect.stringContaining("target: management.azure.com answers 403, not in Azure's form"),
    });
  });

  test("by a service that stays out of order ends after a few attempts, and is remembered", async () => {
    await inside.control.faults({ host: ARM, status: 503, body: { error: { code: "ServerBusy", message: "Busy." } } });
    const azure = inside.azure({ ARM_SUBSCRIPTION_ID: "" });
    expect((await refusal(azure, "myregistry")).text).toContain("answers 503");
    expect(await asked()).toHaveLength(4);
    expect((await refusal(azure, "myregistry", "source")).text).toMatch(/^source: management\.azure\.com answers 503/);
    expect(await asked()).toHaveLength(4);
  });
});
