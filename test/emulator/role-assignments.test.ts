/** Tests of role assignments, resource groups and the resources beside a registry in Resource Manager. */
import { randomUUID } from "node:crypto";
import { useEmulator } from "../support/emulator";
import { armError, Caller, Client, registryId, subscription } from "./client";

const importer = "577a9874-89fd-4f24-9dbd-b5034d0ad23a";
const acrPull = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const withoutRights = "dddddddd-0000-4000-8000-000000000001";
const principalId = "dddddddd-0000-4000-8000-00000000000f";

const running = useEmulator();
const client = new Client(running);
const caller = Caller.as(client);
const unprivileged = Caller.as(client, withoutRights);

function assignmentId(scope: string, name: string = randomUUID()): string {
  return `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
}

function assignment(role: string): object {
  const roleDefinitionId = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
  return { properties: { principalId, roleDefinitionId } };
}

async function settings(changes: object): Promise<void> {
  await running.control.call("PUT", "/settings", {}, changes);
}

test("a role assignment grants the role at its scope, until it is deleted", async () => {
  const id = assignmentId(registryId("myregistry"));
  expect((await unprivileged.get(registryId("myregistry"))).status).toBe(403);
  expect((await caller.get(id)).status).toBe(404);
  const created = await caller.send("PUT", id, assignment(importer));
  expect([created.status, created.json()]).toEqual([
    201,
    expect.objectContaining({ id, properties: expect.objectContaining(Object(assignment(importer)).properties) }),
  ]);
  expect((await caller.send("PUT", id, assignment(importer))).status).toBe(200);
  expect((await caller.get(id)).json()).toEqual(created.json());
  expect((await unprivileged.get(registryId("myregistry"))).status).toBe(200);
  expect((await unprivileged.get(registryId("mysourceregistry"))).status).toBe(403);
  expect((await caller.send("DELETE", id)).status).toBe(200);
  expect((await caller.send("DELETE", id)).status).toBe(204);
  expect((await unprivileged.get(registryId("myregistry"))).status).toBe(403);
});

test("a new role assignment takes effect after the delay", async () => {
  await settings({ roleAssignmentDelayMs: 3_600_000 });
  const id = assignmentId(registryId("myregistry"));
  expect((await caller.send("PUT", id, assignment(importer))).status).toBe(201);
  expect((await caller.get(id)).status).toBe(200);
  expect((await unprivileged.get(registryId("myregistry"))).status).toBe(403);
  await settings({ roleAssignmentDelayMs: 0 });
  expect((await unprivileged.get(registryId("myregistry"))).status).toBe(200);
  await caller.send("DELETE", id);
});

test.each<[string, number, string, () => Parameters<Caller["send"]>]>([
  ["a name that is no GUID", 400, "InvalidRoleAssignmentId", () => ["PUT", assignmentId(subscription, "reader"), {}]],
  [
    "an unknown role",
    400,
    "RoleDefinitionDoesNotExist",
    () => ["PUT", assignmentId(subscription), assignment(randomUUID())],
  ],
  [
    "an unknown principal",
    400,
    "PrincipalNotFound",
    () => ["PUT", assignmentId(subscription), { properties: { principalId: "x", roleDefinitionId: importer } }],
  ],
  [
    "a registry that does not exist",
    404,
    "ResourceNotFound",
    () => ["PUT", assignmentId(registryId("nothere")), assignment(importer)],
  ],
  [
    "a role that the principal has already",
    409,
    "RoleAssignmentExists",
    () => [
      "PUT",
      assignmentId(registryId("mysourceregistry")),
      {
        properties: {
          principalId: "cccccccc-0000-4000-8000-00000000000f",
          roleDefinitionId: acrPull,
        },
      },
    ],
  ],
])("rejects %s", async (_case, status, code, request) => {
  const response = await caller.send(...request());
  expect([response.status, armError(response).code]).toEqual([status, code]);
});

test("a Contributor may not assign roles", async () => {
  await running.control.call("DELETE", "/roles", { role: "Role Based Access Control Administrator" });
  const response = await caller.send("PUT", assignmentId(subscription), assignment(importer));
  expect([response.status, armError(response).code]).toEqual([403, "AuthorizationFailed"]);
  const roleAssignments = [
    {
      principalId: "aaaaaaaa-0000-4000-8000-00000000000f",
      role: "Role Based Access Control Administrator",
      scope: subscription,
    },
  ];
  await running.control.call("PUT", "/state", {}, { roleAssignments });
});

test("deleting a resource group deletes its registries and their role assignments", async () => {
  const group = `${subscription}/resourceGroups/short-lived`;
  const registry = `${group}/providers/Microsoft.ContainerRegistry/registries/shortlived`;
  const before = Date.now();
  expect((await caller.send("PUT", group, { location: "eastus", tags: { team: "a" } })).status).toBe(201);
  expect((await caller.send("PUT", group, { location: "eastus", tags: { team: "b" } })).status).toBe(200);
  expect((await caller.get(group)).json()).toMatchObject({ location: "eastus", tags: { team: "b" } });
  expect((await caller.send("PUT", registry, { location: "eastus", tags: { team: "b" } })).status).toBe(201);
  const { tags, properties } = (await caller.get(registry)).json<{
    tags: object;
    properties: Record<string, string>;
  }>();
  expect(tags).toEqual({ team: "b" });
  expect(Date.parse(`${properties.creationDate}`)).toBeGreaterThanOrEqual(before);
  const id = assignmentId(registry);
  expect((await caller.send("PUT", id, assignment(importer))).status).toBe(201);
  expect((await caller.send("DELETE", group)).status).toBe(200);
  expect((await caller.send("DELETE", group)).status).toBe(404);
  expect((await caller.get(registry)).status).toBe(404);
  await expect(new Client(running).request("https://shortlived.azurecr.io/v2/")).rejects.toThrow("403");
  await caller.send("PUT", group, { location: "eastus" });
  await caller.send("PUT", registry, { location: "eastus" });
  expect((await caller.get(id)).status).toBe(404);
});

test("a container app needs an image that its identity may pull", async () => {
  const group = `${subscription}/resourceGroups/images`;
  const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app`;
  const created = (await caller.send("PUT", identity, { location: "westus" })).json<{
    properties: Record<string, string>;
  }>();
  const app = `${group}/providers/Microsoft.App/containerApps/app`;
  const deploy = async (image: string) => {
    const registries = [{ server: "mysourceregistry.azurecr.io", identity }];
    const properties = { configuration: { registries }, template: { containers: [{ name: "app", image }] } };
    return caller.send("PUT", app, { location: "westus", properties });
  };
  const there = "mysourceregistry.azurecr.io/aci-helloworld:latest";
  expect(armError(await deploy(there)).message).toContain("UNAUTHORIZED");
  const body = { properties: { principalId: created.properties.principalId, roleDefinitionId: acrPull } };
  await caller.send("PUT", assignmentId(registryId("mysourceregistry")), body);
  expect(armError(await deploy("mysourceregistry.azurecr.io/nothere:1")).message).toContain("MANIFEST_UNKNOWN");
  expect((await deploy(there)).status).toBe(201);
  expect((await caller.get(app)).json()).toMatchObject({ properties: { provisioningState: "Succeeded" } });
  expect((await caller.send("DELETE", app)).status).toBe(200);
  expect((await caller.get(app)).status).toBe(404);
});
