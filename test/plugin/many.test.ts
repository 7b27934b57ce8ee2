/** Requests, tokens and connections of many resources in one run. */
import { countByHost, startTestEmulator } from "../support/emulator";
import { publish, Stack } from "./stack";

test("fifty concurrent creates share look-ups, tokens and connections, and wait out throttling (Azure/azure-cli#24886)", async () => {
  const emulator = await startTestEmulator();
  const stack = new Stack(emulator);
  const names = Array.from({ length: 50 }, (_, index) => `app-${index}`);
  const program = Object.fromEntries(
    names.map((name) => {
      publish(emulator, `team/${name}:1`);
      return [name, { source: `docker.io/team/${name}:1`, targetTags: [`team/${name}:1`, `team/${name}:stable`] }];
    }),
  );
  await emulator.control.faults(
    { host: "management.azure.com", method: "POST", times: 10, status: 429, headers: { "retry-after": "1" } },
    { host: "myregistry.azurecr.io", method: "HEAD", times: 10, status: 429, headers: { "retry-after": "1" } },
  );
  await emulator.control.clearRequests();
  const { errors } = await stack.up(program);
  expect(errors).toEqual({});
  expect(new Set(names.map((name) => stack.resource(name).outputs.verifiedBy))).toEqual(new Set(["digest"]));

  const requests = (await emulator.control.requests({ from: "client" })).filter(({ status }) => status !== 429);
  const count = (method: string, path: string, status?: number) =>
    requests.filter(
      (one) => one.method === method && one.path.includes(path) && (status === undefined || one.status === status),
    ).length;
  // One token for Resource Manager and one for the registries; the registry is looked up once.
  expect(countByHost(requests)["login.microsoftonline.com"]).toBeLessThanOrEqual(2);
  expect(count("GET", "/Microsoft.ContainerRegistry/registries?")).toBe(1);
  expect(count("POST", "/importImage")).toBe(50);
  expect(count("POST", "/oauth2/exchange")).toBe(1);
  // A token covers one repository, so there is exactly one for each.
  expect(count("POST", "/oauth2/token")).toBe(50);
  // Before the import each tag is read by HEAD; afterwards the first one by GET, which also tells the media type.
  expect(count("HEAD", "/manifests/", 404)).toBe(100);
  for (const method of ["HEAD", "GET"]) {
    expect(count(method, "/manifests/", 200)).toBeGreaterThanOrEqual(50);
    // Twice where the import ends just while its targets are read.
    expect(count(method, "/manifests/", 200)).toBeLessThanOrEqual(100);
  }
  const tunnels = new Set(requests.filter(({ host }) => host === "myregistry.azurecr.io").map(({ tunnel }) => tunnel));
  expect(tunnels.size).toBeLessThanOrEqual(16);

  await emulator.control.clearRequests();
  const again = await stack.up(program);
  expect(new Set(Object.values(again.steps))).toEqual(new Set(["same"]));
  expect(await emulator.control.requests()).toEqual([]);
});
