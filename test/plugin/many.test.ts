/** Requests, tokens, connections and rate limits of many resources in one run. */
import type { LogEntry } from "acr-emulator";
import { countByHost, startTestEmulator, type TestEmulator } from "../support/emulator";
import { subscriptionId } from "../support/fixtures";
import { until } from "../support/until";
import { type Declaration, publish, Stack, targetDigest } from "./stack";

const CONNECTIONS = 32;
const ARM = "management.azure.com";
const throttled = (seconds?: number) => ({
  status: 429,
  ...(seconds !== undefined && { headers: { "retry-after": String(seconds) } }),
});

/** A program with so many images of Docker Hub, each in a repository of its own. */
function programOf(emulator: TestEmulator, count: number): Record<string, Declaration> {
  const names = Array.from({ length: count }, (_, index) => `app-${index}`);
  for (const name of names) publish(emulator, `team/${name}:1`);
  return Object.fromEntries(names.map((name) => [name, { source: `docker.io/team/${name}:1` }]));
}

/** The requests of the client, by method, part of the path and status. */
async function counter({ control }: TestEmulator): Promise<(method: string, path: string, status?: number) => number> {
  const requests = await control.requests({ from: "client" });
  const matches = (one: LogEntry, method: string, path: string, status: number | undefined) =>
    one.method === method &&
    one.path.includes(path) &&
    (status === undefined ? one.status !== 429 : one.status === status);
  return (method, path, status) => requests.filter((one) => matches(one, method, path, status)).length;
}

/** The messages about the whole run. */
async function messages(stack: Stack): Promise<string[]> {
  const { logs } = await stack.plugin();
  return logs.filter(({ urn, ephemeral }) => urn === "" && !ephemeral).map(({ message }) => message);
}

test("fifty concurrent creates share look-ups, tokens and connections, and wait out throttling (Azure/azure-cli#24886)", async () => {
  const emulator = await startTestEmulator();
  const stack = new Stack(emulator);
  const program = Object.fromEntries(
    Object.entries(programOf(emulator, 50)).map(([name, image]) => [
      name,
      { ...image, targetTags: [`team/${name}:1`, `team/${name}:stable`] },
    ]),
  );
  await emulator.control.faults(
    { host: ARM, method: "POST", times: 10, ...throttled(1) },
    { host: "myregistry.azurecr.io", method: "HEAD", times: 10, ...throttled(1) },
  );
  await emulator.control.clearRequests();
  const { errors } = await stack.up(program);
  expect(errors).toEqual({});
  expect(new Set(Object.keys(program).map((name) => stack.resource(name).outputs.verifiedBy))).toEqual(
    new Set(["digest"]),
  );
  expect(await messages(stack)).toEqual([
    "target: myregistry.azurecr.io is rate limiting (429/503); retrying for up to 10 minutes",
    "Azure: management.azure.com is rate limiting (429 Too Many Requests); waiting as long as it asks",
  ]);

  const requests = (await emulator.control.requests({ from: "client" })).filter(({ status }) => status !== 429);
  const count = await counter(emulator);
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
  const ofTarget = requests.filter(({ host }) => host === "myregistry.azurecr.io");
  expect(mostAtOnce(ofTarget)).toBeLessThanOrEqual(CONNECTIONS);

  await emulator.control.clearRequests();
  const again = await stack.up(program);
  expect(new Set(Object.values(again.steps))).toEqual(new Set(["same"]));
  expect(await emulator.control.requests()).toEqual([]);
});

describe("sixty creates while Resource Manager is rate limiting", () => {
  test("wait together: those that have not asked yet do not ask", async () => {
    const emulator = await startTestEmulator();
    const stack = new Stack(emulator);
    const program = programOf(emulator, 60);
    await emulator.control.faults({ host: ARM, method: "POST", ...throttled(60) });
    const up = stack.up(program);
    await until(async () => {
      const count = await counter(emulator);
      return count("HEAD", "/manifests/", 404) === 60 && count("POST", "/importImage", 429) > 0;
    });
    await emulator.control.faults();
    expect((await up).errors).toEqual({});
    const count = await counter(emulator);
    // Only those that were in flight together with the first one.
    expect(count("POST", "/importImage", 429)).toBeLessThanOrEqual(CONNECTIONS);
    expect(count("POST", "/importImage", 202)).toBe(60);
    expect(await messages(stack)).toEqual([expect.stringMatching(/^Azure: management\.azure\.com is rate limiting/)]);
  });

  test.each<[string, object]>([
    ["with Retry-After", throttled(2)],
    ["without Retry-After", throttled()],
  ])("in bursts %s, on look-ups, starts and polls: nothing fails, and nothing is imported twice", async (_, busy) => {
    const emulator = await startTestEmulator();
    const stack = new Stack(emulator);
    const program = programOf(emulator, 60);
    emulator.server.state.settings.importDurationMs = 200;
    await emulator.control.faults(
      { host: ARM, method: "GET", path: "/registries[?]", times: 2, ...busy },
      { host: ARM, method: "POST", path: "/importImage", times: 8, ...busy },
      { host: ARM, method: "POST", path: "/importImage", after: 40, times: 8, ...busy },
      { host: ARM, method: "GET", path: "/operationResults/", times: 8, ...busy },
      // Without the target, which may show an image before its import is polled.
      { host: "myregistry.azurecr.io", method: "GET", path: "/manifests/", times: 200, status: 404 },
    );
    expect((await stack.up(program)).errors).toEqual({});
    expect(emulator.server.faults.list().map(({ matched }) => matched)).toEqual([2, 8, 8, 8, 200]);
    for (const name of Object.keys(program)) expect(targetDigest(emulator, `team/${name}:1`)).toBeDefined();
    const operations = emulator.server.operations.list();
    expect(operations.map(({ status }) => status.kind)).toEqual(Array(60).fill("succeeded"));
    expect(await messages(stack)).toHaveLength(1);
  });
});

test("creates whose source is rate limiting Azure import again, one after the other", async () => {
  const emulator = await startTestEmulator();
  const stack = new Stack(emulator);
  const program = programOf(emulator, 40);
  await emulator.control.faults({ host: "registry-1.docker.io", from: "azure", after: 20, times: 30, ...throttled() });
  expect((await stack.up(program)).errors).toEqual({});
  const kinds = emulator.server.operations.list().map(({ status }) => status.kind);
  expect(kinds.filter((kind) => kind === "succeeded")).toHaveLength(40);
  // One import may meet the limit twice, with its manifest and with a layer.
  const failed = kinds.filter((kind) => kind === "failed").length;
  expect(failed).toBeGreaterThan(0);
  expect(failed).toBeLessThanOrEqual(30);
  expect(await messages(stack)).toEqual([
    "source: docker.io is rate limiting the Azure import service (429); retrying for up to 10 minutes. The limit is higher with source.credentials",
  ]);
});

test("one repository in three registries of two subscriptions: each registry is looked up once and issues one token", async () => {
  const emulator = await startTestEmulator();
  const stack = new Stack(emulator);
  const sources = Object.entries(programOf(emulator, 20));
  const registries = {
    a: `/subscriptions/${subscriptionId}/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/myregistry`,
    b: "mysourceregistry",
    c: "othersubsource.azurecr.io",
  };
  const program = Object.fromEntries(
    Object.entries(registries).flatMap(([key, registry]) =>
      sources.map(([name, image]) => [`${key}-${name}`, { ...image, registry, targetTags: [`mirror:${name}`] }]),
    ),
  );
  await emulator.control.clearRequests();
  expect((await stack.up(program)).errors).toEqual({});
  const count = await counter(emulator);
  const lookUps = [
    count("GET", "/registries/myregistry?"),
    count("GET", "/Microsoft.ContainerRegistry/registries?"),
    count("POST", "/Microsoft.ResourceGraph/resources"),
  ];
  expect(lookUps).toEqual([1, 1, 1]);
  expect(count("POST", "/oauth2/exchange")).toBe(3);
  expect(count("POST", "/oauth2/token")).toBe(3);
  expect(count("POST", "/importImage", 202)).toBe(60);
  const operations = emulator.server.operations.list();
  expect(new Set(operations.map(({ subscriptionId }) => subscriptionId)).size).toBe(2);
});

/** The most requests that were in flight at one time. Connections are more: those that were idle for long are replaced. */
function mostAtOnce(requests: readonly { readonly at: number; readonly ms?: number }[]): number {
  const counts = requests.map(
    ({ at }) => requests.filter((other) => other.at <= at && at < other.at + (other.ms ?? 0)).length,
  );
  return Math.max(0, ...counts);
}
