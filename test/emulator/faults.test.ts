/** Tests of the faults: which requests they match, and what they do. */
import { useEmulator } from "../support/emulator";
import { armError, Caller, Client, registryId, until } from "./client";

const host = "mcr.microsoft.com";
const path = "/v2/windows/servercore/manifests/ltsc2019";
const accept = { accept: "application/vnd.docker.distribution.manifest.list.v2+json" };

const running = useEmulator();
const client = new Client(running);

beforeEach(() => running.control.clearRequests());

afterEach(async () => {
  client.close();
  await running.control.call("DELETE", "/faults");
});

const request = (method = "GET") => client.request(`https://${host}${path}`, { method, headers: accept });

test("latency delays the request, and the log names the fault", async () => {
  await running.control.faults({ host, latency: 80 });
  const started = performance.now();
  expect((await request()).status).toBe(200);
  expect(performance.now() - started).toBeGreaterThan(75);
  const [fault] = await running.control.call<{ id: number; matched: number }[]>("GET", "/faults");
  const [entry] = await running.control.requests();
  expect(entry?.faults).toEqual([fault?.id]);
  expect(entry?.ms).toBeGreaterThan(75);
  expect(fault?.matched).toBe(1);
});

test("status, headers and body replace the service's response", async () => {
  const body = { errors: [{ code: "TOOMANYREQUESTS" }] };
  await running.control.faults({ host, status: 429, headers: { "Retry-After": "7", "X-Two": ["a", "b"] }, body });
  const response = await request();
  expect(response.status).toBe(429);
  expect(response.headers["retry-after"]).toBe("7");
  expect(response.rawHeaders.filter((name) => name === "X-Two")).toHaveLength(2);
  expect(response.json()).toEqual(body);
  expect((await request("HEAD")).text).toBe("");
});

test("matches by host pattern, method, path and side, and counts", async () => {
  await running.control.faults({
    host: "*.microsoft.com",
    method: "HEAD",
    path: "manifests/l",
    from: "client",
    after: 1,
    times: 2,
    status: 503,
  });
  const statuses = [];
  for (const method of ["GET", "HEAD", "HEAD", "GET", "HEAD", "HEAD"]) statuses.push((await request(method)).status);
  expect(statuses).toEqual([200, 200, 503, 200, 503, 200]);
  await running.control.faults(
    { host: "microsoft.com", status: 500 },
    { from: "azure", status: 500 },
    { path: "^/v3/", status: 500 },
  );
  expect((await request()).status).toBe(200);
});

test.each(["docker.io", "index.docker.io", "Registry.Hub.Docker.com", "registry-1.docker.io", "index.*"])(
  "a fault for %s matches every alias of Docker Hub",
  async (host) => {
    await running.control.clearRequests();
    await running.control.faults({ host, status: 418 });
    const statuses = [];
    for (const name of ["registry-1.docker.io", "index.docker.io", "auth.docker.io", "mcr.microsoft.com"]) {
      statuses.push((await client.request(`https://${name}/v2/`)).status);
    }
    expect(statuses).toEqual([418, 418, 400, 200]);
    if (host.includes("*")) return;
    expect((await running.control.requests({ host })).map((entry) => entry.host)).toEqual([
      "registry-1.docker.io",
      "index.docker.io",
    ]);
  },
);

test("reset breaks the connection of a request and of a tunnel", async () => {
  await running.control.faults({ host, times: 1, reset: true });
  await expect(request()).rejects.toMatchObject({ code: "ECONNRESET" });
  await running.control.faults({ host, method: "CONNECT", times: 1, reset: true });
  await expect(request()).rejects.toThrow(/ECONNRESET|hang up/);
  await running.control.faults({ host, method: "CONNECT", times: 1, status: 502 });
  await expect(request()).rejects.toThrow("502");
  expect((await request()).status).toBe(200);
});

test("hang never responds", async () => {
  await running.control.faults({ host, hang: true });
  const response = request().catch(() => "closed");
  await until(async () => (await running.control.requests()).length > 0);
  const winner = await Promise.race([response, new Promise((resolve) => setTimeout(() => resolve("waiting"), 100))]);
  expect(winner).toBe("waiting");
  const [entry] = await running.control.requests();
  expect(entry).not.toHaveProperty("status");
  client.close();
});

test("setHeaders and dropHeaders change the service's response", async () => {
  const digest = (await request("HEAD")).headers["docker-content-digest"];
  await running.control.faults({ host, setHeaders: { "Docker-Content-Digest": "sha256:wrong" } });
  expect((await request("HEAD")).headers["docker-content-digest"]).toBe("sha256:wrong");
  await running.control.faults({ host, dropHeaders: ["docker-content-digest"] });
  expect(digest).toMatch(/^sha256:/);
  expect((await request("HEAD")).headers).not.toHaveProperty("docker-content-digest");
});

test.each([0, 5])("truncateBody breaks the connection after %i bytes of the body", async (truncateBody) => {
  await running.control.faults({ host, truncateBody });
  await expect(request()).rejects.toMatchObject({ code: "ECONNRESET" });
  await until(async () => (await running.control.requests({ status: 200 })).length > 0);
  expect(await running.control.requests()).toMatchObject([{ status: 200, responseBytes: truncateBody }]);
});

test("loseResponse breaks the connection after the import has run", async () => {
  const caller = Caller.as(client);
  await running.control.faults({ path: "/importImage", loseResponse: true });
  const source = { registryUri: host, sourceImage: "windows/servercore:ltsc2019" };
  const body = { source, targetTags: ["lost:v1"] };
  await expect(caller.send("POST", `${registryId("myregistry")}/importImage`, body)).rejects.toMatchObject({
    code: "ECONNRESET",
  });
  await until(() => running.server.operations.list().every(({ status }) => status.kind !== "pending"));
  expect((await running.control.image("myregistry.azurecr.io/lost:v1")).platforms).toEqual(["windows/amd64"]);
  expect(await running.control.call("GET", "/operations")).toMatchObject([{ label: "lost:v1", status: "succeeded" }]);
});

test("dropHeaders makes a 202 without Location", async () => {
  const caller = Caller.as(client);
  await running.control.faults({ path: "/importImage", dropHeaders: ["location"] });
  const source = { registryUri: host, sourceImage: "windows/servercore:ltsc2019" };
  const response = await caller.send("POST", `${registryId("myregistry")}/importImage`, {
    source,
    targetTags: ["x:1"],
  });
  expect([response.status, response.headers.location]).toEqual([202, undefined]);
});

test("expireToken makes the request's token invalid", async () => {
  const caller = Caller.as(client);
  await running.control.faults({ host: "management.azure.com", times: 1, expireToken: true });
  const response = await caller.get("/subscriptions");
  expect([response.status, armError(response).code]).toEqual([401, "ExpiredAuthenticationToken"]);
  expect((await caller.get("/subscriptions")).status).toBe(401);
  expect((await Caller.as(client).get("/subscriptions")).status).toBe(200);

  const scope = "repository:library/hello-world:pull";
  const { token } = (
    await client.request(`https://auth.docker.io/token?service=registry.docker.io&scope=${scope}`)
  ).json<{
    token: string;
  }>();
  const headers = { authorization: `Bearer ${token}`, accept: "application/vnd.oci.image.index.v1+json" };
  const manifest = () =>
    client.request("https://registry-1.docker.io/v2/library/hello-world/manifests/latest", { headers });
  await running.control.faults({ host: "registry-1.docker.io", times: 1, expireToken: true });
  expect([(await manifest()).status, (await manifest()).status]).toEqual([401, 200]);
});

test.each([
  [{ hosts: "x" }, /faults\[0\]\.hosts is unknown; expected one of host, method/],
  [{ status: "503" }, /faults\[0\]\.status has an invalid value/],
  [{ path: "(" }, /faults\[0\]\.path/],
  ["reset", /faults\[0\] must be an object/],
  [{ host: "docker.io", times: 1 }, /faults\[0\] has no effect; expected one of latency, status, .*import/],
  [{ headers: { "retry-after": "1" }, body: "x" }, /no effect/],
  [{ method: "CONNECT", loseResponse: true }, /no effect on a tunnel; expected one of latency, status, reset, hang"/],
  [{ import: {} }, /faults\[0\]\.import has an invalid value/],
  [{ import: { failwith: "x" } }, /faults\[0\]\.import has an invalid value/],
])("rejects a fault that would never apply: %j", async (fault, message) => {
  await expect(running.control.call("PUT", "/faults", {}, [fault])).rejects.toThrow(message);
});

test("accepts a single fault, and rejects an empty one", async () => {
  const list = await running.control.call("PUT", "/faults", {}, { host, status: 503 });
  expect(list).toMatchObject([{ host, status: 503, matched: 0 }]);
  expect((await request()).status).toBe(503);
  await expect(running.control.call("PUT", "/faults")).rejects.toThrow(/400.*no effect/);
});
