/** Tests of Resource Manager and Resource Graph. */
import { randomUUID } from "node:crypto";
import { defaultIdentity } from "../../emulator/default-state";
import { useEmulator } from "../support/emulator";
import { armError, Caller, Client, type HttpResponse, registryId, secondSubscription, subscription } from "./client";

const otherSubscription = "/subscriptions/55555555-5555-4555-8555-555555555555";
const withoutRights = "dddddddd-0000-4000-8000-000000000001";
const providers = "/providers/Microsoft.ContainerRegistry/registries";

const running = useEmulator();
const client = new Client(running);
const caller = Caller.as(client);

const names = (response: HttpResponse) => response.json<{ value: { name: string }[] }>().value.map(({ name }) => name);

test("lists the subscriptions in which the identity has a role", async () => {
  const { value } = (await caller.get("/subscriptions")).json<{ value: { id: string }[] }>();
  expect(value.map(({ id }) => id)).toEqual([subscription, secondSubscription]);
});

test("returns a registry as clients expect it", async () => {
  const response = await caller.get(registryId("privatesource"));
  expect(response.json()).toMatchObject({
    id: registryId("privatesource"),
    name: "privatesource",
    type: "Microsoft.ContainerRegistry/registries",
    location: "westus",
    sku: { name: "Premium", tier: "Premium" },
    properties: {
      loginServer: "privatesource.azurecr.io",
      provisioningState: "Succeeded",
      publicNetworkAccess: "Disabled",
      networkRuleBypassOptions: "AzureServices",
    },
  });
  expect(response.headers["x-ms-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(response.headers["x-ms-correlation-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(response.headers["x-ms-ratelimit-remaining-subscription-global-reads"]).toBe("16499");
});

test("paths are case-insensitive", async () => {
  const shouted = registryId("MyRegistry").replace("resourceGroups", "resourcegroups");
  expect((await caller.get(shouted)).json()).toMatchObject({ name: "myregistry" });
});

test("lists registries by subscription, by resource group, and among resources", async () => {
  const all = ["myregistry", "mysourceregistry", "privatesource"];
  expect(names(await caller.get(`${subscription}${providers}`))).toEqual(all);
  expect(names(await caller.get(`${subscription}/resourceGroups/IMAGES${providers}`))).toEqual(all);
  expect(names(await caller.get(`${secondSubscription}${providers}`))).toEqual(["othersubsource"]);
  const filter = (text: string) => caller.get(`${subscription}/resources?$filter=${encodeURIComponent(text)}`);
  expect(names(await filter("resourceType eq 'Microsoft.ContainerRegistry/registries'"))).toEqual(all);
  expect(
    names(await filter("resourceType eq 'microsoft.containerregistry/registries' and name eq 'myregistry'")),
  ).toEqual(["myregistry"]);
  expect(names(await filter("resourceType eq 'Microsoft.Storage/storageAccounts'"))).toEqual([]);
});

test.each<[string, () => Promise<HttpResponse>, number, string, RegExp]>([
  [
    "no token",
    () => client.request(`https://management.azure.com${registryId("myregistry")}?api-version=1`),
    401,
    "AuthenticationFailed",
    /header is missing/,
  ],
  [
    "a token that was not issued",
    () => new Caller(client, "e30.e30.x").get(subscription),
    401,
    "InvalidAuthenticationToken",
    /invalid/,
  ],
  [
    "a subscription of another tenant",
    () => caller.get(`${otherSubscription}${providers}`),
    401,
    "InvalidAuthenticationTokenTenant",
    /must match the tenant .*44444444/,
  ],
  [
    "an unknown subscription",
    () => caller.get(`/subscriptions/${randomUUID()}`),
    404,
    "SubscriptionNotFound",
    /could not be found/,
  ],
  [
    "an unknown registry",
    () => caller.get(registryId("nothere")),
    404,
    "ResourceNotFound",
    /registries\/nothere' under resource group 'images'/,
  ],
  [
    "an unknown resource group",
    () => caller.get(registryId("myregistry").replace("images", "nogroup")),
    404,
    "ResourceGroupNotFound",
    /'nogroup'/,
  ],
  [
    "no api-version",
    () =>
      client.request(`https://management.azure.com${subscription}`, {
        headers: { authorization: `Bearer ${caller.token}` },
      }),
    400,
    "MissingApiVersionParameter",
    /api-version/,
  ],
])("rejects %s", async (_case, request, status, code, message) => {
  const response = await request();
  expect([response.status, armError(response).code]).toEqual([status, code]);
  expect(armError(response).message).toMatch(message);
  expect(response.headers["www-authenticate"] !== undefined).toBe(status === 401);
});

test("a missing permission is a 403 with identity, action and scope, which does not reveal what exists", async () => {
  const unprivileged = Caller.as(client, withoutRights);
  for (const name of ["myregistry", "nothere"]) {
    const response = await unprivileged.get(registryId(name));
    expect(response.status).toBe(403);
    expect(armError(response)).toMatchObject({ code: "AuthorizationFailed" });
    expect(armError(response).message).toContain(
      `The client '${withoutRights}' with object id 'dddddddd-0000-4000-8000-00000000000f' does not have authorization to perform action 'Microsoft.ContainerRegistry/registries/read' over scope '${registryId(name)}'`,
    );
  }
  expect(names(await unprivileged.get("/subscriptions"))).toEqual([]);
});

test("rejects a token with another audience", async () => {
  const { token } = running.server.tokens.issue(defaultIdentity, "https://containerregistry.azure.net");
  expect(armError(await new Caller(client, token).get(subscription)).code).toBe("InvalidAuthenticationTokenAudience");
});

test("creates, changes and deletes a registry together with its data plane", async () => {
  const id = registryId("newregistry");
  const body = { location: "West Europe", sku: { name: "Standard" }, properties: { adminUserEnabled: true } };
  expect((await caller.send("PUT", id, body)).status).toBe(201);
  expect((await client.request("https://newregistry.azurecr.io/v2/")).status).toBe(401);
  const changed = await caller.send("PUT", id, { properties: { publicNetworkAccess: "Disabled" } });
  expect(changed.status).toBe(200);
  expect(changed.json()).toMatchObject({
    location: "westeurope",
    sku: { name: "Standard" },
    properties: { adminUserEnabled: true, publicNetworkAccess: "Disabled" },
  });
  expect((await caller.send("POST", `${id}/listCredentials`)).json()).toMatchObject({ username: "newregistry" });
  const elsewhere = await caller.send("PUT", registryId("newregistry", secondSubscription), body);
  expect(armError(elsewhere).code).toBe("AlreadyInUse");
  expect((await caller.send("DELETE", id)).status).toBe(200);
  expect((await caller.send("DELETE", id)).status).toBe(204);
  await expect(new Client(running).request("https://newregistry.azurecr.io/v2/")).rejects.toThrow("403");
});

test("other clouds have their own Resource Manager, login host and registry suffix", async () => {
  const tenantId = randomUUID();
  const subscriptionId = randomUUID();
  const identity = { tenantId, clientId: randomUUID(), objectId: randomUUID(), name: "gov", secrets: ["s"] };
  const scope = `/subscriptions/${subscriptionId}`;
  await running.control.call(
    "PUT",
    "/state",
    {},
    {
      tenants: [{ id: tenantId, cloud: "AzureUSGovernment", domain: "gov.onmicrosoft.us" }],
      subscriptions: [{ id: subscriptionId, tenantId, name: "Gov" }],
      resourceGroups: [{ subscriptionId, name: "images" }],
      identities: [identity],
      roleAssignments: [{ principalId: identity.objectId, role: "Contributor", scope }],
    },
  );
  const signIn = await client.form(`https://login.microsoftonline.us/${tenantId}/oauth2/v2.0/token`, {
    grant_type: "client_credentials",
    client_id: identity.clientId,
    client_secret: "s",
    scope: "https://management.usgovcloudapi.net//.default",
  });
  const { access_token } = signIn.json<{ access_token: string }>();
  const official = new Caller(client, access_token, "management.usgovcloudapi.net");
  const created = await official.send("PUT", registryId("govregistry", scope), { location: "usgovvirginia" });
  expect(created.json()).toMatchObject({ properties: { loginServer: "govregistry.azurecr.us" } });
  expect((await client.request("https://govregistry.azurecr.us/v2/")).status).toBe(401);
  expect((await new Caller(client, access_token).get(scope)).status).toBe(401);
  expect((await caller.get(scope)).status).toBe(404);
  const metadata = await client.request(
    "https://management.usgovcloudapi.net/metadata/endpoints?api-version=2022-09-01",
  );
  expect(metadata.json()).toMatchObject({ suffixes: { acrLoginServer: "azurecr.us" } });
});

describe("Resource Graph", () => {
  interface Page {
    totalRecords: number;
    data: { name: string }[];
    $skipToken?: string;
  }

  const all = 'resources | where type =~ "microsoft.containerregistry/registries"';
  const search = async (query: string, more: object = {}, by = caller) =>
    by.send("POST", "/providers/Microsoft.ResourceGraph/resources", { query, ...more });
  const names = async (query: string) => (await search(query)).json<Page>().data.map(({ name }) => name);

  test("finds every registry that the identity may read, by their IDs", async () => {
    const found = ["myregistry", "mysourceregistry", "privatesource", "othersubsource"];
    expect(await names(all)).toEqual(found);
    expect(await names(`${all} | order by id asc`)).toEqual(found);
    expect(await names("Resources\n| where type =~ 'Microsoft.ContainerRegistry/registries'\n")).toEqual(found);
  });

  test("returns the projected columns only", async () => {
    const { data } = (await search(`${all} | project id, name, location | order by id asc`)).json<Page>();
    expect(data[0]).toEqual({ id: registryId("myregistry"), name: "myregistry", location: "westus" });
  });

  test("chains pages by $skipToken", async () => {
    await running.control.call("PUT", "/settings", {}, { resourceGraphPageSize: 3 });
    const first = (await search(all)).json<Page>();
    const second = (await search(all, { options: { $skipToken: first.$skipToken } })).json<Page>();
    expect([first.totalRecords, first.data.length, second.data.length, second.$skipToken]).toEqual([
      4,
      3,
      1,
      undefined,
    ]);
    await running.control.call("PUT", "/settings", {}, { resourceGraphPageSize: 1000 });
  });

  test("finds nothing for an identity without a role, and only what is in the given subscriptions", async () => {
    const unprivileged = Caller.as(client, withoutRights);
    expect((await search(all, {}, unprivileged)).json()).toMatchObject({ totalRecords: 0, data: [] });
    const subscriptions = ["33333333-3333-4333-8333-333333333333"];
    expect((await search(all, { subscriptions })).json()).toMatchObject({ data: [{ name: "othersubsource" }] });
  });

  test.each([
    "resources",
    "resources | summarize count()",
    `${all} and name == 'myregistry'`,
    `${all} | order by name desc`,
    `${all} | project id | take 1`,
    'resources | where type =~ "microsoft.storage/storageaccounts"',
  ])("rejects any other query, as Azure rejects one that it cannot parse: %s", async (query) => {
    const response = await search(query);
    expect([response.status, armError(response)]).toMatchObject([
      400,
      { code: "BadRequest", details: [{ code: "InvalidQuery" }, {}] },
    ]);
  });
});
