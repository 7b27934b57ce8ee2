/** Tests of the control API and of the default state. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ImageDescription } from "../../emulator/registry/make-image";
import { startTestEmulator, useEmulator } from "../support/emulator";
import { Client } from "./client";

const running = useEmulator();
const client = new Client(running);

describe("the default state", () => {
  const images: [reference: string, platforms: string[]][] = [
    ["docker.io/library/hello-world:latest", ["linux/amd64", "linux/arm/v7", "linux/arm64/v8", "windows/amd64"]],
    ["hello-world", ["linux/amd64", "linux/arm/v7", "linux/arm64/v8", "windows/amd64"]],
    ["docker.io/tensorflow/tensorflow:latest-gpu", ["linux/amd64"]],
    ["mcr.microsoft.com/windows/servercore:ltsc2019", ["windows/amd64"]],
    ["mysourceregistry.azurecr.io/aci-helloworld:latest", ["linux/amd64", "linux/arm64/v8"]],
    ["privatesource.azurecr.io/aci-helloworld:latest", ["linux/amd64", "linux/arm64/v8"]],
    ["othersubsource.azurecr.io/aci-helloworld:latest", ["linux/amd64", "linux/arm64/v8"]],
    ["othertenantsource.azurecr.io/aci-helloworld:latest", ["linux/amd64", "linux/arm64/v8"]],
    ["docker.io/emulator/private:latest", ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"]],
  ];

  test.each(images)("holds %s", async (reference, platforms) => {
    const image = await running.control.image(reference);
    expect(image).toMatchObject({ digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), platforms });
  });

  test("has the same images at every start, with different digests; PUT creates a new one", async () => {
    const [first, second] = await Promise.all([startTestEmulator(), startTestEmulator()]);
    const digests = ({ control }: typeof first) =>
      Promise.all(images.map(async ([reference]) => (await control.image(reference)).digest));
    const before = await digests(first);
    expect(await digests(second)).toEqual(before);
    // hello-world is in the list under two references.
    expect(new Set(before).size).toBe(images.length - 1);
    const moved = await Promise.all(
      [first, second].map(
        async ({ control }) => (await control.moveTag("mcr.microsoft.com/windows/servercore:ltsc2019")).digest,
      ),
    );
    expect(new Set([...before, ...moved]).size).toBe(images.length + 1);
  });

  test("has every variable that a client needs", () => {
    expect(running.env).toMatchObject({
      HTTPS_PROXY: running.server.proxy,
      no_proxy: "127.0.0.1,localhost",
      NODE_EXTRA_CA_CERTS: running.server.ca,
      SSL_CERT_FILE: running.server.ca,
      REQUESTS_CA_BUNDLE: running.server.ca,
      ARM_TENANT_ID: "11111111-1111-4111-8111-111111111111",
      ARM_SUBSCRIPTION_ID: "22222222-2222-4222-8222-222222222222",
      EMULATOR_CONTROL: running.server.control,
      PULUMI_BACKEND_URL: expect.stringMatching(/^file:\/\//),
    });
    expect(Object.keys(running.env)).not.toEqual(expect.arrayContaining(["https_proxy"]));
  });
});

describe("images", () => {
  const reference = "docker.io/library/hello-world:latest";

  test("PUT moves the tag to a new image, whose platforms stay unless others are given", async () => {
    const before = await running.control.image(reference);
    const moved = await running.control.moveTag(reference);
    expect(moved.digest).not.toBe(before.digest);
    expect(moved.platforms).toEqual(before.platforms);
    expect(await running.control.image(reference)).toEqual(moved);
    expect(await running.control.image(`docker.io/library/hello-world@${before.digest}`)).toEqual(before);
    const platforms = { reference, platforms: "linux/amd64,linux/s390x" };
    const other = await running.control.call<ImageDescription>("PUT", "/image", platforms);
    expect(other.platforms).toEqual(["linux/amd64", "linux/s390x"]);
  });

  test("DELETE removes a tag; an unknown one is a 404", async () => {
    const made = await running.control.moveTag("docker.io/library/other:1");
    await running.control.removeTag("docker.io/library/other:1");
    await expect(running.control.image("docker.io/library/other:1")).rejects.toThrow("404");
    expect(await running.control.image(`docker.io/library/other@${made.digest}`)).toEqual(made);
    await expect(running.control.image("quay.io/x:1")).rejects.toThrow(/404.*no registry quay\.io/);
    await expect(running.control.call("GET", "/image")).rejects.toThrow(/400.*reference/);
  });
});

test("filters and clears the log", async () => {
  await client.request("https://mcr.microsoft.com/v2/");
  await client.request("https://auth.docker.io/token?service=x");
  expect(await running.control.requests({ host: "mcr.microsoft.com", method: "GET", status: 200 })).toHaveLength(1);
  expect(await running.control.requests({ path: "/token" })).toHaveLength(1);
  expect(await running.control.requests({ from: "azure" })).toEqual([]);
  await running.control.clearRequests();
  expect(await running.control.requests()).toEqual([]);
});

test("HEAD has no body, in the log neither", async () => {
  await running.control.clearRequests();
  const url = "https://mcr.microsoft.com/v2/windows/servercore/manifests/ltsc2019";
  const { headers } = await client.request(url, { method: "HEAD" });
  const { text } = await client.request(url);
  expect(Number(headers["content-length"])).toBe(text.length);
  const logged = (await running.control.requests()).map(({ responseBytes }) => responseBytes);
  expect(logged).toEqual([0, text.length]);
});

test("settings change how Docker Hub's token service responds to several scopes", async () => {
  const path = ["library/hello-world", "tensorflow/tensorflow"]
    .map((name) => `scope=repository:${name}:pull`)
    .join("&");
  const granted = async () => {
    const response = await client.request(`https://auth.docker.io/token?service=registry.docker.io&${path}`);
    if (response.status !== 200) return response.status;
    const [, claims] = String(response.json().token).split(".");
    return claims && JSON.parse(Buffer.from(claims, "base64url").toString()).access.length;
  };
  expect(await granted()).toBe(2);
  await running.control.call("PUT", "/settings", {}, { severalScopes: "first" });
  expect(await granted()).toBe(1);
  await running.control.call("PUT", "/settings", {}, { severalScopes: "rejected" });
  expect(await granted()).toBe(400);
  await running.control.call("PUT", "/settings", {}, { severalScopes: "all", opaqueTokens: true });
  expect(await granted()).toBeUndefined();
  await running.control.call("PUT", "/settings", {}, { opaqueTokens: false });
});

test.each<[string, string, unknown, RegExp]>([
  ["PUT", "/settings", { retryafter: 1 }, /unknown setting retryafter/],
  ["PUT", "/settings", { severalScopes: "some" }, /severalScopes must be one of all, first/],
  ["PUT", "/settings", { opaqueTokens: "yes" }, /opaqueTokens must be one of true, false/],
  ["PATCH", "/registries/myregistry", { public: true }, /unknown registry property public/],
  ["PATCH", "/registries/nothere", {}, /404.*registry nothere/],
  ["PUT", "/registries/myregistry", {}, /409/],
  ["PUT", "/state", { roleAssignments: [{ principalId: "x", role: "Emperor", scope: "/" }] }, /unknown role Emperor/],
  ["PUT", "/hosts", { "a.example": "http://example.com" }, /127\.0\.0\.1/],
  ["GET", "/nothing", undefined, /404.*expected one of GET \/requests/],
])("%s %s with %j is refused with a message", async (method, path, body, message) => {
  await expect(running.control.call(method, path, {}, body)).rejects.toThrow(message);
});

describe("servers mapped to public names", () => {
  let server: Server;
  let seen: IncomingMessage[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request);
      if (request.method === "PUT") return void request.pipe(response);
      const challenges = ['Bearer realm="https://auth.example.com/token"', 'Basic realm="x"'];
      response.setHeader("WWW-Authenticate", challenges);
      response.writeHead(401, { "content-length": 0 }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await running.control.hosts({ "registry.example.com": url, "registry.example.com:5000": url });
  });

  beforeEach(() => {
    seen = [];
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test("get the public name and scheme, and keep their header lines", async () => {
    const response = await client.request("https://registry.example.com/v2/?a=b%2Fc", {
      headers: { "X-Case": "Kept" },
    });
    expect(response.status).toBe(401);
    expect(response.rawHeaders.filter((name) => name === "WWW-Authenticate")).toHaveLength(2);
    const [request] = seen;
    expect(request?.url).toBe("/v2/?a=b%2Fc");
    expect(request?.headers).toMatchObject({ host: "registry.example.com", "x-forwarded-proto": "https" });
    expect(request?.rawHeaders).toContain("X-Case");
    await client.request("https://registry.example.com:5000/v2/");
    expect(seen[1]?.headers.host).toBe("registry.example.com:5000");
  });

  test("stream bodies in both directions over idle connections, and are logged", async () => {
    await running.control.clearRequests();
    const body = "x".repeat(5_000_000);
    const response = await client.request("https://registry.example.com/upload", { method: "PUT", body });
    expect(response.text).toHaveLength(body.length);
    await client.request("https://registry.example.com/again");
    expect(seen[0]?.socket).toBe(seen[1]?.socket);
    const entries = await running.control.requests({ host: "registry.example.com" });
    expect(entries[0]).toMatchObject({ requestBytes: body.length, responseBytes: body.length });
  });

  test("are subject to faults", async () => {
    await running.control.faults(
      { host: "registry.example.com", status: 503, times: 1 },
      { host: "registry.example.com", dropHeaders: ["www-authenticate"] },
    );
    expect((await client.request("https://registry.example.com/v2/")).status).toBe(503);
    const response = await client.request("https://registry.example.com/v2/");
    expect([response.status, response.headers["www-authenticate"]]).toEqual([401, undefined]);
    await running.control.faults();
  });

  test("get the requests to every alias of Docker Hub", async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await running.control.hosts({ "docker.io": url });
    expect((await client.request("https://registry-1.docker.io/v2/")).headers["www-authenticate"]).toContain(
      "example.com",
    );
    await running.control.hosts({ "index.docker.io": null });
    await client.request("https://registry-1.docker.io/v2/");
    expect(seen).toHaveLength(1);
  });

  test("are a 502 when they are down, and a 403 when the mapping is removed", async () => {
    await running.control.hosts({ "gone.example.com": "http://127.0.0.1:1", "registry.example.com": null });
    expect((await client.request("https://gone.example.com/")).status).toBe(502);
    const fresh = new Client(running);
    await expect(fresh.request("https://registry.example.com/v2/")).rejects.toThrow("403");
    await running.control.call("DELETE", "/hosts");
    await expect(fresh.request("https://gone.example.com/")).rejects.toThrow("403");
    fresh.close();
  });
});
