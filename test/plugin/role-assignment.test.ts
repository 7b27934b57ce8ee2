/** A role assignment that the program creates before the image, and that takes effect later. */
import { useEmulator } from "../support/emulator";
import { DATA_IMPORTER, registryId, servicePrincipals, variablesOf } from "../support/fixtures";
import type { Properties } from "../support/plugin";
import { until } from "../support/until";
import { publish, Stack, targetDigest } from "./stack";

const target = registryId("myregistry");
const { objectId: principalId } = servicePrincipals.withoutRights;

const running = useEmulator();
let stack: Stack;
let number = 0;

beforeEach(async () => {
  await running.control.clearRequests();
  stack = new Stack(running, { env: variablesOf(servicePrincipals.withoutRights) });
});
afterEach(async () => {
  await running.control.call("DELETE", "/roles", { principalId });
  await stack.stopPlugin();
});

function grant(role: string): void {
  running.server.state.roleAssignments.push({ principalId, role, scope: target });
}

const denied = () => running.control.requests({ from: "client", status: 403 });

/** A search by name is not denied: it finds nothing. */
const searched = () => running.control.requests({ path: "/Microsoft.ResourceGraph/" });

const untilDenied = () => until(async () => (await denied()).length + (await searched()).length > 0);

function newImage(program: object, registry: string = target): { news: Properties; tag: string } {
  const name = `role/app-${++number}`;
  publish(running, `${name}:1`);
  const inputs = stack.inputs("image", { registry, source: `docker.io/${name}:1`, targetTags: [`${name}:1`] });
  return { news: { ...inputs, __program: { ...Object(inputs.__program), ...program } }, tag: `${name}:1` };
}

const needsRole = { needsRole: true };
const waiting = expect.objectContaining({ message: expect.stringMatching(/^waiting .* for the role assignment/) });

test.each([
  ["resource ID", target],
  ["login server", "myregistry.azurecr.io"],
  ["name", "myregistry"],
])("check waits until the registry can be looked up by its %s", async (_, registry) => {
  const plugin = await stack.plugin();
  const { news, tag } = newImage(needsRole, registry);
  const check = plugin.check(news);
  await untilDenied();
  grant(DATA_IMPORTER);
  const { inputs, failures } = await check;
  expect([failures, plugin.logs]).toEqual([[], expect.arrayContaining([waiting])]);
  await plugin.create(inputs);
  expect(targetDigest(running, tag)).toBeDefined();
});

test("create waits for the permission to import", async () => {
  grant("Reader");
  const plugin = await stack.plugin();
  const { news, tag } = newImage(needsRole);
  const { inputs } = await plugin.check(news);
  const create = plugin.create(inputs);
  await untilDenied();
  grant(DATA_IMPORTER);
  await create;
  expect([targetDigest(running, tag), plugin.logs]).toEqual([expect.any(String), expect.arrayContaining([waiting])]);
});

test("create waits for the permission to read a registry that uses ABAC", async () => {
  await running.control.call(
    "PATCH",
    "/registries/myregistry",
    {},
    { roleAssignmentMode: "AbacRepositoryPermissions" },
  );
  grant("Contributor");
  const plugin = await stack.plugin();
  const { news, tag } = newImage(needsRole);
  const { inputs } = await plugin.check(news);
  const create = plugin.create(inputs);
  const rejected = () => running.control.requests({ host: "myregistry.azurecr.io", status: 401 });
  await until(async () => (await rejected()).length > 0);
  grant("Container Registry Repository Reader");
  await create;
  expect(targetDigest(running, tag)).toBeDefined();
  await running.control.call(
    "PATCH",
    "/registries/myregistry",
    {},
    { roleAssignmentMode: "LegacyRegistryPermissions" },
  );
});

test.each<[string, object]>([
  ["a resource that depends on no role assignment", {}],
  ["a preview", { ...needsRole, preview: true }],
])("%s does not wait", async (_, program) => {
  const plugin = await stack.plugin();
  const { inputs, failures } = await plugin.check(newImage(program).news);
  expect(await denied()).toHaveLength(1);
  if ("preview" in program) expect(failures).toEqual([]);
  else expect(failures).toMatchObject([{ reason: expect.stringContaining("[AZURE_PERMISSION_DENIED]") }]);
  expect(JSON.stringify(inputs)).not.toContain("needsRole");
});

test("an update does not wait", async () => {
  grant(DATA_IMPORTER);
  const plugin = await stack.plugin();
  const { news, tag } = newImage(needsRole);
  const created = await plugin.check(news);
  const { id, outs } = await plugin.create(created.inputs);
  await running.control.call("DELETE", "/roles", { principalId });
  const changed = await plugin.check({ ...news, targetTags: [tag, `${tag}.1`] }, created.inputs);
  await expect(plugin.update(id, outs, changed.inputs)).rejects.toThrow("_DENIED]");
});
