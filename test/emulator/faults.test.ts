import { useEmulator } from "../support/emulator";
import { armError, Caller, Client, registryId } from "./client";

const host = "mcr.microsoft.com";
const path = "/v2/windows/servercore/manifests/ltsc2019";
const accept = { accept: "application/vnd.docker.distribution.manifest.list.v2+json" };

const box = useEmulator();
const client = new Client(box);

beforeEach(() => box.control.clearRequests());

afterEach(async () => {
  client.close();
  await box.control.call("DELETE", "/faults");
});

const ask = (method = "GET") => client.request(`https://${host}${path}`, { method, headers: accept });

test("latency delays, and the log says which fault matched", async () => {
  await box.control.faults({ host, latency: 80 });
  const started = performance.now();
  expect((await ask()).status).toBe(200);
  expect(performance.now() - started).toBeGreaterThan(75);
  const [fault] = await box.control.call<{ id: number; matched: number }[]>("GET", "/faults");
  const [entry] = await box.control.requests();
  expect(entry?.faults).toEqual([fault?.id]);
  expect(entry?.ms).toBeGreaterThan(75);
  expect(fault?.matched).toBe(1);
});

test("a canned answer has its status, headers and body", async () => {
  const body = { errors: [{ code: "TOOMANYREQUESTS" }] };
  await box.control.faults({ host, status: 429, headers: { "Retry-After": "7", "X-Two": ["a", "b"] }, body });
  const answer = await ask();
  expect(answer.status).toBe(429);
  expect(answer.headers["retry-after"]).toBe("7");
  expect(answer.rawHeaders.filter((name) => name === "X-Two")).toHaveLength(2);
  expect(answer.json()).toEqual(body);
  expect((await ask("HEAD")).text).toBe("");
});

test("matching is by host pattern, method, path, side, and counted", async () => {
  await box.control.faults({
    host: "*.microsoft.com",
    method: "HEAD",
    path: "manifests/l",
    from: "client",
    after: 1,
    times: 2,
    status: 503,
  });
  const statuses = [];
  for (const method of ["GET", "HEAD", "HEAD", "GET", "HEAD", "HEAD"]) statuses.push((await ask(method)).status);
  expect(statuses).toEqual([200, 200, 503, 200, 503, 200]);
  await box.control.faults(
    { host: "microsoft.com", status: 500 },
    { from: "azure", status: 500 },
    { path: "^/v3/", status: 500 },
  );
  expect((await ask()).status).toBe(200);
});

test.each(["docker.io", "index.docker.io", "Registry.Hub.Docker.com", "registry-1.docker.io", "index.*"])(
  "Docker Hub's registry is one host by all its names: %s",
  async (host) => {
    await box.control.clearRequests();
    await box.control.faults({ host, status: 418 });
    const statuses = [];
    for (const name of ["registry-1.docker.io", "index.docker.io", "auth.docker.io", "mcr.microsoft.com"]) {
      statuses.push((await client.request(`https://${name}/v2/`)).status);
    }
    expect(statuses).toEqual([418, 418, 400, 200]);
    if (host.includes("*")) return;
    expect((await box.control.requests({ host })).map((entry) => entry.host)).toEqual([
      "registry-1.docker.io",
      "index.docker.io",
    ]);
  },
);

test("a reset breaks the connection, of a request or of a tunnel", async () => {
  await box.control.faults({ host, times: 1, reset: true });
  await expect(ask()).rejects.toMatchObject({ code: "ECONNRESET" });
  await box.control.faults({ host, method: "CONNECT", times: 1, reset: true });
  await expect(ask()).rejects.toThrow(/ECONNRESET|hang up/);
  await box.control.faults({ host, method: "CONNECT", times: 1, status: 502 });
  await expect(ask()).rejects.toThrow("502");
  expect((await ask()).status).toBe(200);
});

test("a hanging request is never answered", async () => {
  await box.control.faults({ host, hang: true });
  const answer = ask().catch(() => "closed");
  const winner = await Promise.race([answer, new Promise((resolve) => setTimeout(() => resolve("waiting"), 100))]);
  expect(winner).toBe("waiting");
  const [entry] = await box.control.requests();
  expect(entry).not.toHaveProperty("status");
  client.close();
});

test("headers are changed and dropped in the service's own answer", async () => {
  const digest = (await ask("HEAD")).headers["docker-content-digest"];
  await box.control.faults({ host, setHeaders: { "Docker-Content-Digest": "sha256:wrong" } });
  expect((await ask("HEAD")).headers["docker-content-digest"]).toBe("sha256:wrong");
  await box.control.faults({ host, dropHeaders: ["docker-content-digest"] });
  expect(digest).toMatch(/^sha256:/);
  expect((await ask("HEAD")).headers).not.toHaveProperty("docker-content-digest");
});

test.each([0, 5])("a body is cut off after %i bytes of the length announced", async (truncateBody) => {
  await box.control.faults({ host, truncateBody });
  await expect(ask()).rejects.toMatchObject({ code: "ECONNRESET" });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await box.control.requests()).toMatchObject([{ status: 200, responseBytes: truncateBody }]);
});

test("a response is lost after the work was done", async () => {
  const caller = Caller.as(client);
  await box.control.faults({ path: "/importImage", loseResponse: true });
  const source = { registryUri: host, sourceImage: "windows/servercore:ltsc2019" };
  const body = { source, targetTags: ["lost:v1"] };
  await expect(caller.send("POST", `${registryId("myregistry")}/importImage`, body)).rejects.toMatchObject({
    code: "ECONNRESET",
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await box.control.image("myregistry.azurecr.io/lost:v1")).platforms).toEqual(["windows/amd64"]);
  expect(await box.control.call("GET", "/operations")).toMatchObject([{ label: "lost:v1", status: "succeeded" }]);
});

test("202 without Location", async () => {
  const caller = Caller.as(client);
  await box.control.faults({ path: "/importImage", dropHeaders: ["location"] });
  const source = { registryUri: host, sourceImage: "windows/servercore:ltsc2019" };
  const answer = await caller.send("POST", `${registryId("myregistry")}/importImage`, { source, targetTags: ["x:1"] });
  expect([answer.status, answer.headers.location]).toEqual([202, undefined]);
});

test("a token expires on the way", async () => {
  const caller = Caller.as(client);
  await box.control.faults({ host: "management.azure.com", times: 1, expireToken: true });
  const answer = await caller.get("/subscriptions");
  expect([answer.status, armError(answer).code]).toEqual([401, "ExpiredAuthenticationToken"]);
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
  await box.control.faults({ host: "registry-1.docker.io", times: 1, expireToken: true });
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
])("a fault that would never strike is refused: %j", async (fault, message) => {
  await expect(box.control.call("PUT", "/faults", {}, [fault])).rejects.toThrow(message);
});

test("a single fault is a list of one; none at all is refused", async () => {
  const list = await box.control.call("PUT", "/faults", {}, { host, status: 503 });
  expect(list).toMatchObject([{ host, status: 503, matched: 0 }]);
  expect((await ask()).status).toBe(503);
  await expect(box.control.call("PUT", "/faults")).rejects.toThrow(/400.*no effect/);
});
