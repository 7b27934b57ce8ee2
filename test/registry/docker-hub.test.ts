/** Docker Hub, which has three names and a token service that is known. */
import { RegistryClient, type RegistryCredential } from "../../provider/registry/client";
import {
  anonymous,
  challenge,
  DIGEST,
  sendManifest,
  tokenRegistry,
  tokenService,
  useFakeRegistry,
  user,
} from "./fake-registry";

const fake = useFakeRegistry();

describe("Docker Hub", () => {
  const hub = (credential: RegistryCredential = anonymous) =>
    new RegistryClient({ host: "docker.io", side: "source", credential, timeoutMs: 3_000 });
  const requests = () => fake.requests.map((request) => request.split("?")[0]);

  test("is contacted at registry-1.docker.io, without a ping, and accepts every manifest type", async () => {
    let accept: string | undefined;
    fake.handlers["registry-1.docker.io"] = tokenRegistry("https://auth.docker.io/token", (request, response) => {
      accept = request.headers.accept;
      sendManifest(response);
    });
    fake.handlers["auth.docker.io"] = tokenService();
    expect((await hub().head("library/node", "22"))?.digest).toBe(DIGEST);
    expect(requests()).toEqual(["GET auth.docker.io/token", "HEAD registry-1.docker.io/v2/library/node/manifests/22"]);
    expect(accept?.split(", ")).toHaveLength(5);
  });

  test("receives credentials only at the token service that it names itself", async () => {
    // this name is mapped to a mirror, which has nothing to do with auth.docker.io
    fake.handlers["registry-1.docker.io"] = (request, response) =>
      request.headers.authorization ? sendManifest(response) : challenge(response, 'Basic realm="mirror"');
    fake.handlers["auth.docker.io"] = tokenService();
    expect((await hub(user).head("library/node", "22"))?.digest).toBe(DIGEST);
    expect(requests()).toEqual([
      "GET registry-1.docker.io/v2/",
      "HEAD registry-1.docker.io/v2/library/node/manifests/22",
    ]);
  });

  test("may name another token service, which is used from then on", async () => {
    fake.handlers["registry-1.docker.io"] = tokenRegistry("https://login.docker.io/", undefined, "newer");
    fake.handlers["auth.docker.io"] = tokenService();
    fake.handlers["login.docker.io"] = tokenService({ token: "newer" });
    const one = hub();
    expect((await one.head("library/node", "22"))?.digest).toBe(DIGEST);
    expect((await one.head("library/deno", "2"))?.digest).toBe(DIGEST);
    expect(requests()).toEqual([
      "GET auth.docker.io/token",
      "HEAD registry-1.docker.io/v2/library/node/manifests/22",
      "GET login.docker.io/",
      "HEAD registry-1.docker.io/v2/library/node/manifests/22",
      "GET login.docker.io/",
      "HEAD registry-1.docker.io/v2/library/deno/manifests/2",
    ]);
  });

  test("falls back to GET /v2/ when auth.docker.io refuses", async () => {
    fake.handlers["registry-1.docker.io"] = (_request, response) => sendManifest(response);
    fake.handlers["auth.docker.io"] = (_request, response) => response.writeHead(403).end();
    const one = hub();
    expect((await one.head("library/node", "22"))?.digest).toBe(DIGEST);
    expect((await one.head("library/deno", "2"))?.digest).toBe(DIGEST);
    expect(requests().filter((request) => request?.includes("auth."))).toHaveLength(1);
  });

  describe("asked for 20 repositories at once", () => {
    /** Resolves them, and returns how often each host got a request: `{ "HEAD registry-1.docker.io": 20 }`. */
    const lookUp = async (): Promise<Record<string, number>> => {
      const one = hub();
      const found = await Promise.all(Array.from({ length: 20 }, (_, at) => one.head(`library/app${at}`, "1")));
      expect(found.map((image) => image?.digest)).toEqual(Array(20).fill(DIGEST));
      const counts: Record<string, number> = {};
      for (const [to = ""] of fake.requests.map((request) => request.split("/"))) counts[to] = (counts[to] ?? 0) + 1;
      return counts;
    };

    test("issues one token", async () => {
      fake.handlers["registry-1.docker.io"] = tokenRegistry("https://auth.docker.io/token");
      fake.handlers["auth.docker.io"] = tokenService();
      expect(await lookUp()).toEqual({ "GET auth.docker.io": 1, "HEAD registry-1.docker.io": 20 });
    });

    test("may be a mirror where a proxy blocks auth.docker.io", async () => {
      fake.handlers["registry-1.docker.io"] = (_request, response) => sendManifest(response);
      fake.handlers["auth.docker.io"] = (_request, response) => response.writeHead(403).end();
      expect(await lookUp()).toEqual({ "GET auth.docker.io": 21, "HEAD registry-1.docker.io": 20 });
    });

    test("may be a mirror with a token service of its own", async () => {
      fake.handlers["registry-1.docker.io"] = tokenRegistry("https://mirror.example.net/", undefined, "mirror");
      fake.handlers["auth.docker.io"] = tokenService({ token: "hub" });
      fake.handlers["mirror.example.net"] = tokenService({ token: "mirror" });
      const { "GET mirror.example.net": tokens = 0, ...others } = await lookUp();
      expect(others).toEqual({ "GET auth.docker.io": 1, "HEAD registry-1.docker.io": 40 });
      expect(tokens).toBeLessThanOrEqual(20);
    });
  });
});
