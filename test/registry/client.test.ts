import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { failureOf } from "../../provider/failure/failure";
import { parseDigest } from "../../provider/reference/digest";
import { RegistryClient, type RegistryCredential } from "../../provider/registry/client";
import { type Internet, json, type Site, startInternet } from "./internet";

const TYPE = "application/vnd.oci.image.manifest.v1+json";
const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: TYPE, layers: [] });
const DIGEST = parseDigest(`sha256:${createHash("sha256").update(MANIFEST).digest("hex")}`);
const OTHER = parseDigest(`sha256:${"0".repeat(64)}`);
const SECRET = "s3cret-p4ss";

const anonymous: RegistryCredential = { kind: "anonymous" };
const user = { kind: "password", username: "reader", password: SECRET } as const;

let internet: Internet;
let host: string;
let count = 0;
beforeAll(async () => {
  internet = await startInternet();
});
afterAll(() => internet.close());
afterEach(() => jest.restoreAllMocks());
beforeEach(() => {
  internet.reset();
  // what a host says about authentication is remembered, so that every test has its own
  host = `registry.r${count++}.example.com`;
});

const client = (
  credential: RegistryCredential = anonymous,
  options: { budgetMs?: number; isAzure?: boolean; side?: "source" | "target" } = {},
) => new RegistryClient({ host, side: "source", credential, timeoutMs: 3_000, ...options });

const failure = async (work: Promise<unknown>) => {
  const found = await work.then(
    (value) => `no failure: ${JSON.stringify(value)}`,
    (error) => failureOf(error) ?? `another error: ${error}`,
  );
  expect(JSON.stringify(found)).not.toContain(SECRET);
  expect(JSON.stringify(found)).not.toContain(Buffer.from(`reader:${SECRET}`).toString("base64"));
  return found;
};

const manifest = (response: ServerResponse, headers: Record<string, string> = {}, body: string = MANIFEST) =>
  response
    .writeHead(200, {
      "content-type": TYPE,
      "docker-content-digest": DIGEST,
      "content-length": body.length,
      ...headers,
    })
    .end(body);

const challenge = (response: ServerResponse, ...values: string[]) =>
  json(
    response,
    401,
    { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] },
    { "www-authenticate": values },
  );

/** A registry that wants a token of `realm` and takes only this one. */
const guarded =
  (realm: string, then: Site = (_request, response) => manifest(response), token = "good"): Site =>
  (request, response) =>
    request.headers.authorization === `Bearer ${token}`
      ? then(request, response)
      : challenge(response, `Bearer realm="${realm}",service="reg, istry",scope="repository:placeholder:pull"`);

/** One host with its tokens under `/token`. */
const withTokens =
  (tokens: Site, site: Site): Site =>
  (request, response) =>
    request.url?.startsWith("/token") ? tokens(request, response) : site(request, response);

const grants =
  (body: object = { token: "good" }): Site =>
  (_request, response) =>
    json(response, 200, body);

describe("requests", () => {
  test("an open registry: one greeting per host, one HEAD per look-up", async () => {
    internet.sites[host] = (_request, response) => manifest(response);
    const one = client();
    expect(await one.head("app", "1")).toEqual({ digest: DIGEST, mediaType: TYPE, size: MANIFEST.length });
    await one.head("app", "2");
    await client(user).head("app", "3");
    expect(internet.requests).toEqual([
      `GET ${host}/v2/`,
      ...["1", "2", "3"].map((tag) => `HEAD ${host}/v2/app/manifests/${tag}`),
    ]);
  });

  test("a token registry: one token per repository, shared by look-ups at the same time", async () => {
    internet.sites[host] = withTokens(grants(), guarded(`https://${host}/token?x=1`));
    const one = client();
    await Promise.all(["1", "2", "3"].flatMap((tag) => [one.head("a/b", tag), one.head("c", tag)]));
    expect([...internet.requests].sort()).toEqual(
      [
        `GET ${host}/v2/`,
        `GET ${host}/token?x=1&service=reg%2C+istry&scope=repository%3Aa%2Fb%3Apull`,
        `GET ${host}/token?x=1&service=reg%2C+istry&scope=repository%3Ac%3Apull`,
        ...["1", "2", "3"].flatMap((tag) => [
          `HEAD ${host}/v2/a/b/manifests/${tag}`,
          `HEAD ${host}/v2/c/manifests/${tag}`,
        ]),
      ].sort(),
    );
  });

  describe("Docker Hub", () => {
    const hub = (credential: RegistryCredential = anonymous) =>
      new RegistryClient({ host: "docker.io", side: "source", credential, timeoutMs: 3_000 });
    const asked = () => internet.requests.map((request) => request.split("?")[0]);

    test("is asked at registry-1.docker.io, with every type of manifest; its token service needs no greeting", async () => {
      let accept: string | undefined;
      internet.sites["registry-1.docker.io"] = guarded("https://auth.docker.io/token", (request, response) => {
        accept = request.headers.accept;
        manifest(response);
      });
      internet.sites["auth.docker.io"] = grants();
      expect((await hub().head("library/node", "22"))?.digest).toBe(DIGEST);
      expect(asked()).toEqual(["GET auth.docker.io/token", "HEAD registry-1.docker.io/v2/library/node/manifests/22"]);
      expect(accept?.split(", ")).toHaveLength(5);
    });

    test("gets credentials only where it says itself", async () => {
      // this name is mapped to a mirror, which has nothing to do with auth.docker.io
      internet.sites["registry-1.docker.io"] = (request, response) =>
        request.headers.authorization ? manifest(response) : challenge(response, 'Basic realm="mirror"');
      internet.sites["auth.docker.io"] = grants();
      expect((await hub(user).head("library/node", "22"))?.digest).toBe(DIGEST);
      expect(asked()).toEqual([
        "GET registry-1.docker.io/v2/",
        "HEAD registry-1.docker.io/v2/library/node/manifests/22",
      ]);
    });

    test("that names another token service is believed, and asked there from then on", async () => {
      internet.sites["registry-1.docker.io"] = guarded("https://login.docker.io/", undefined, "newer");
      internet.sites["auth.docker.io"] = grants();
      internet.sites["login.docker.io"] = grants({ token: "newer" });
      const one = hub();
      expect((await one.head("library/node", "22"))?.digest).toBe(DIGEST);
      expect((await one.head("library/deno", "2"))?.digest).toBe(DIGEST);
      expect(asked()).toEqual([
        "GET auth.docker.io/token",
        "HEAD registry-1.docker.io/v2/library/node/manifests/22",
        "GET login.docker.io/",
        "HEAD registry-1.docker.io/v2/library/node/manifests/22",
        "GET login.docker.io/",
        "HEAD registry-1.docker.io/v2/library/deno/manifests/2",
      ]);
    });

    test("may be an open mirror, where auth.docker.io cannot be reached", async () => {
      internet.sites["registry-1.docker.io"] = (_request, response) => manifest(response);
      internet.sites["auth.docker.io"] = (_request, response) => response.writeHead(403).end();
      const one = hub();
      expect((await one.head("library/node", "22"))?.digest).toBe(DIGEST);
      expect((await one.head("library/deno", "2"))?.digest).toBe(DIGEST);
      expect(asked().filter((request) => request?.includes("auth."))).toHaveLength(1);
    });
  });

  describe("platforms", () => {
    const config = JSON.stringify({ os: "linux", architecture: "arm64", variant: "v8" });
    const configDigest = `sha256:${createHash("sha256").update(config).digest("hex")}`;
    const image = JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: configDigest, size: config.length },
    });
    const imageDigest = `sha256:${createHash("sha256").update(image).digest("hex")}`;
    const serving =
      (answer: (response: ServerResponse) => void): Site =>
      (request, response) =>
        request.url?.includes("/blobs/")
          ? answer(response)
          : manifest(response, { "docker-content-digest": imageDigest }, image);
    const platforms = async () => {
      const found = await client().manifest("app", "1");
      return found && client().platforms("app", found);
    };

    test("of a single image: what its configuration says, also from the storage that the registry redirects to", async () => {
      internet.sites[host] = serving((response) => response.end(config));
      expect(await platforms()).toEqual(["linux/arm64/v8"]);
      internet.sites[host] = serving((response) =>
        response.writeHead(307, { location: "https://storage.example.net/blob?signature=1" }).end(),
      );
      internet.sites["storage.example.net"] = (_request, response) => response.end(config);
      expect(await platforms()).toEqual(["linux/arm64/v8"]);
      expect(internet.requests.at(-1)).toBe("GET storage.example.net/blob?signature=1");
      expect(internet.authorizations.at(-1)).toBe("-");
    });

    test("a configuration that is another one is not believed; without one there is no platform", async () => {
      internet.sites[host] = serving((response) => response.end("{}"));
      expect(await failure(platforms())).toMatchObject({ code: "SOURCE_INVALID_RESPONSE" });
      internet.sites[host] = (_request, response) => manifest(response);
      expect(await platforms()).toEqual([]);
    });
  });

  test("16 connections at most, kept alive through the proxy", async () => {
    let running = 0;
    let most = 0;
    internet.sites[host] = async (_request, response) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      manifest(response);
    };
    const one = client();
    await Promise.all(Array.from({ length: 100 }, (_, at) => one.head("app", `${at}`)));
    expect(internet.requests).toHaveLength(101);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(16);
    expect(internet.tunnels).toBeLessThanOrEqual(16);
  });
});

describe("tokens", () => {
  test("access_token counts as token does, and what has expired is renewed", async () => {
    internet.sites[host] = guarded("https://auth.example.net/");
    internet.sites["auth.example.net"] = grants({ access_token: "good", expires_in: 60 });
    const one = client();
    await one.head("app", "1");
    await one.head("app", "2");
    expect(internet.requests).toHaveLength(4);
    const later = Date.now() + 60_000;
    jest.spyOn(Date, "now").mockImplementation(() => later);
    await one.head("app", "3");
    expect(internet.requests.slice(4)).toEqual([
      "GET auth.example.net/?service=reg%2C+istry&scope=repository%3Aapp%3Apull",
      `HEAD ${host}/v2/app/manifests/3`,
    ]);
  });

  test("a token that the registry no longer takes is replaced once", async () => {
    let good = "first";
    internet.sites[host] = (request, response) =>
      request.headers.authorization === `Bearer ${good}`
        ? manifest(response)
        : challenge(response, 'Bearer realm="https://auth.example.net/"');
    internet.sites["auth.example.net"] = (_request, response) => json(response, 200, { token: good, expires_in: 3600 });
    const one = client();
    await one.head("app", "1");
    good = "second";
    expect((await one.head("app", "2"))?.digest).toBe(DIGEST);
    expect(internet.requests.filter((request) => request.includes("auth."))).toHaveLength(2);
  });

  test("a host that greets everybody and asks for a token later is followed, once", async () => {
    internet.sites[host] = (request, response) =>
      request.url === "/v2/" ? json(response, 200, {}) : guarded("https://auth.example.net/")(request, response);
    internet.sites["auth.example.net"] = grants();
    const one = client();
    expect((await one.head("app", "1"))?.digest).toBe(DIGEST);
    await one.head("app", "2");
    expect(internet.requests.filter((request) => request.startsWith("HEAD"))).toHaveLength(3);
  });

  test("a wider scope that the registry asks for is asked of the token service", async () => {
    internet.sites[host] = (request, response) =>
      request.headers.authorization === "Bearer pull,special"
        ? manifest(response)
        : challenge(response, 'Bearer realm="https://auth.example.net/",scope="repository:app:pull,special"');
    internet.sites["auth.example.net"] = (request, response) => {
      const scope = new URL(request.url ?? "", "https://x").searchParams.get("scope") ?? "";
      json(response, 200, { token: scope.split(":")[2] });
    };
    expect((await client().head("app", "1"))?.digest).toBe(DIGEST);
  });

  test("401 after a token is no access, asked once", async () => {
    internet.sites[host] = (_request, response) => challenge(response, 'Bearer realm="https://auth.example.net/"');
    internet.sites["auth.example.net"] = grants();
    expect(await failure(client().head("app", "1"))).toMatchObject({
      code: "SOURCE_ACCESS_DENIED",
      object: "an anonymous client",
      reason: `is not allowed to pull ${host}/app:1`,
    });
    expect(internet.requests).toHaveLength(3);
  });

  test("401 of the token service are wrong credentials, shown once only", async () => {
    internet.sites[host] = guarded(`https://auth.${host}/`);
    internet.sites[`auth.${host}`] = (_request, response) =>
      json(response, 401, { details: `incorrect username or password: reader / ${SECRET}` });
    const one = client(user);
    expect(await failure(one.head("app", "1"))).toMatchObject({
      code: "SOURCE_CREDENTIALS_REJECTED",
      detail: "HTTP 401: incorrect username or password: reader / ***",
    });
    expect(await failure(one.head("other", "1"))).toMatchObject({ code: "SOURCE_CREDENTIALS_REJECTED" });
    expect(internet.requests).toHaveLength(2);
  });

  test("credentials that one repository takes are not wrong because another one refuses them", async () => {
    internet.sites[host] = guarded(`https://auth.${host}/`);
    internet.sites[`auth.${host}`] = (request, response) =>
      request.url?.includes("other") ? json(response, 401, {}) : json(response, 200, { token: "good" });
    const one = client(user);
    await one.head("app", "1");
    expect(await failure(one.head("other", "1"))).toMatchObject({ code: "SOURCE_CREDENTIALS_REJECTED" });
    expect((await one.head("app", "2"))?.digest).toBe(DIGEST);
  });

  test("credentials that nobody asked for are not the wrong ones", async () => {
    internet.sites[host] = (request, response) => json(response, request.url === "/v2/" ? 200 : 401, {});
    expect(await failure(client(user).head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
  });

  test("403 after a token names the user", async () => {
    const registry = guarded(`https://${host}/token`, (_request, response) =>
      json(response, 403, { errors: [{ code: "DENIED", message: "requested access to the resource is denied" }] }),
    );
    internet.sites[host] = withTokens(grants(), registry);
    expect(await failure(client(user).head("app", "1"))).toMatchObject({
      code: "SOURCE_ACCESS_DENIED",
      object: 'user "reader"',
      reason: `is not allowed to pull ${host}/app:1`,
      detail: "HTTP 403: DENIED: requested access to the resource is denied",
    });
  });

  test("a firewall is told from missing rights", async () => {
    internet.sites[host] = (request, response) =>
      request.url === "/v2/"
        ? json(response, 200, {})
        : json(response, 403, {
            errors: [
              {
                code: "DENIED",
                message: "client with IP '192.0.2.1' is not allowed access. Refer https://aka.ms/acr/firewall",
              },
            ],
          });
    expect(await failure(client().head("app", "1"))).toMatchObject({ code: "SOURCE_NETWORK_BLOCKED" });
  });

  test("Basic: the registry itself gets the credentials", async () => {
    const basic = `Basic ${Buffer.from(`reader:${SECRET}`).toString("base64")}`;
    internet.sites[host] = (request, response) =>
      request.headers.authorization === basic ? manifest(response) : challenge(response, 'Basic realm="a, b"');
    expect((await client(user).head("app", "1"))?.digest).toBe(DIGEST);
    expect(internet.authorizations).toEqual(["-", basic]);
    expect(await failure(client({ ...user, username: "other" }).head("app", "1"))).toMatchObject({
      code: "SOURCE_CREDENTIALS_REJECTED",
    });
    expect(await failure(client().head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
  });

  test("Bearer goes before Basic, whatever their order and number of headers", async () => {
    internet.sites[host] = (request, response) =>
      request.headers.authorization === "Bearer good"
        ? manifest(response)
        : challenge(response, 'Basic realm="x"', `Bearer realm="https://auth.${host}/",service="s"`);
    internet.sites[`auth.${host}`] = grants();
    expect((await client(user).head("app", "1"))?.digest).toBe(DIGEST);
  });

  test("a token alone is the bearer token", async () => {
    internet.sites[host] = guarded("https://auth.example.net/");
    expect((await client({ kind: "password", password: "good" }).head("app", "1"))?.digest).toBe(DIGEST);
    expect(internet.authorizations).toEqual(["Bearer good"]);
    expect(await failure(client({ kind: "password", password: SECRET }).head("app", "1"))).toMatchObject({
      code: "SOURCE_CREDENTIALS_REJECTED",
    });
    expect(await failure(client({ kind: "password", password: `${SECRET}\n` }).head("app", "1"))).toMatchObject({
      code: "SOURCE_CREDENTIALS_REJECTED",
    });
    expect(internet.requests).toHaveLength(2);
  });

  test.each([
    ["no JSON", "<html>", "its token is not JSON"],
    ["no token", "{}", "it grants no token"],
    ["an empty token", '{"token":""}', "it grants no token"],
    ["a token that breaks the header", '{"token":"a\\r\\nx: y"}', "it grants no token"],
  ])("a token service that sends %s", async (_what, body, reason) => {
    internet.sites[host] = guarded(`https://auth.${host}/`);
    internet.sites[`auth.${host}`] = (_request, response) => response.writeHead(200).end(body);
    expect(await failure(client(user).head("app", "1"))).toMatchObject({
      code: "SOURCE_INVALID_RESPONSE",
      reason: expect.stringContaining(reason),
    });
  });
});

describe("credentials stay where they belong", () => {
  const expectRefused = async (realm: string, shown: string) => {
    internet.sites[host] = guarded(realm);
    expect(await failure(client(user).head("app", "1"))).toMatchObject({
      code: "SOURCE_TOKEN_SERVER_UNTRUSTED",
      reason: expect.stringContaining(shown),
    });
    expect(internet.requests).toEqual([`GET ${host}/v2/`]);
    expect(internet.authorizations).toEqual(["-"]);
  };

  test("not to a realm of strangers", () =>
    expectRefused("https://evil.example.net/token", "https://evil.example.net"));
  test("not to a host that begins alike", () => expectRefused(`https://${host}.evil.net/token`, ".evil.net"));
  test("not to a host that ends alike", () =>
    expectRefused(`https://evil${host.replace("registry.", "")}/token`, "https://evilr"));
  test("not without TLS", () => expectRefused(`http://${host}/token`, "http://"));
  test("not to a host behind the registry's as user name", () =>
    expectRefused(`https://${host}@evil.net/`, "https://evil.net"));

  test("an anonymous client may ask strangers, but not without TLS", async () => {
    internet.sites[host] = guarded("https://auth.example.net/");
    internet.sites["auth.example.net"] = grants();
    expect((await client().head("app", "1"))?.digest).toBe(DIGEST);
    host = `plain.${host}`;
    internet.sites[host] = guarded("http://auth.example.net/");
    expect(await failure(client().head("app", "1"))).toMatchObject({ code: "SOURCE_TOKEN_SERVER_UNTRUSTED" });
    expect(internet.requests.filter((request) => request.startsWith("PLAIN"))).toEqual([]);
  });

  test("not across a redirect to another host, but to the same one", async () => {
    const registry = guarded(`https://${host}/token`, (request, response) => {
      if (request.url?.endsWith("/1")) response.writeHead(307, { location: "https://cdn.example.net/1" }).end();
      else if (request.url?.endsWith("/2")) response.writeHead(302, { location: "3" }).end();
      else manifest(response);
    });
    internet.sites[host] = withTokens(grants(), registry);
    internet.sites["cdn.example.net"] = (_request, response) => manifest(response);
    expect((await client(user).head("app", "1"))?.digest).toBe(DIGEST);
    expect(internet.authorizations).toEqual(["-", expect.stringMatching(/^Basic/), "Bearer good", "-"]);
    expect((await client(user).head("app", "2"))?.digest).toBe(DIGEST);
    expect(internet.authorizations.slice(-2)).toEqual(["Bearer good", "Bearer good"]);
  });

  test("a host that a redirect leads to cannot ask for them", async () => {
    internet.sites[host] = (request, response) => {
      if (request.url === "/v2/") json(response, 200, {});
      else response.writeHead(307, { location: "https://evil.example.net/x" }).end();
    };
    internet.sites["evil.example.net"] = (_request, response) =>
      challenge(response, 'Basic realm="x"', `Bearer realm="https://${host}/token"`);
    expect(await failure(client(user).head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
    expect(new Set(internet.authorizations)).toEqual(new Set(["-"]));
  });

  test("a greeting that a redirect leads to another host is none", async () => {
    internet.sites[host] = (request, response) => {
      if (request.url === "/v2/") response.writeHead(307, { location: "https://evil.example.net/" }).end();
      else manifest(response);
    };
    internet.sites["evil.example.net"] = (_request, response) => challenge(response, 'Basic realm="x"');
    expect((await client(user).head("app", "1"))?.digest).toBe(DIGEST);
    expect(new Set(internet.authorizations)).toEqual(new Set(["-"]));
  });

  test("the pages of a list stay on their host", async () => {
    internet.sites[host] = (request, response) =>
      request.url === "/v2/"
        ? json(response, 200, {})
        : json(response, 200, { tags: ["a"] }, { link: '<https://evil.example.net/v2/app/tags/list>; rel="next"' });
    internet.sites["evil.example.net"] = (_request, response) => json(response, 200, { tags: ["b"] });
    expect(await failure(client().tags("app"))).toMatchObject({ code: "SOURCE_INVALID_RESPONSE" });
    expect(internet.requests).toHaveLength(2);
  });

  test("an Entra token only where Azure vouches for the host", async () => {
    const token = jest.fn(async () => SECRET);
    expect(() => client({ kind: "entra", token })).toThrow(/TOKEN_SERVER_UNTRUSTED/);
    expect(token).not.toHaveBeenCalled();
  });
});

describe("Azure registries", () => {
  const entraToken = `e30.${Buffer.from('{"tid":"1"}').toString("base64url")}.c2ln`;
  const registryToken = `e30.${Buffer.from('{"grant_type":"refresh_token"}').toString("base64url")}.c2ln`;
  const bodies: string[] = [];
  const acr: Site = async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (body !== "") bodies.push(`${request.url} ${body}`);
    if (request.url === "/oauth2/exchange") json(response, 200, { refresh_token: "refresh" });
    else if (request.url?.startsWith("/oauth2/token")) json(response, 200, { access_token: "good" });
    else if (request.headers.authorization !== "Bearer good") {
      challenge(response, 'Bearer realm="https://evil.example.net/token",service="evil"');
    } else if (request.method === "HEAD") manifest(response);
    else if (request.url?.includes("locked"))
      json(response, 405, { errors: [{ code: "UNSUPPORTED", message: "disallowed" }] });
    else if (request.url?.includes("gone")) json(response, 404, { errors: [{ code: "TAG_UNKNOWN" }] });
    else if (request.url?.includes("digest=")) {
      json(response, 200, {
        tags: [
          { name: "1", digest: DIGEST },
          { name: "2", digest: OTHER },
        ],
      });
    } else json(response, 202, {});
  };
  beforeEach(() => {
    bodies.length = 0;
    internet.sites[host] = acr;
  });

  test("an Entra token is exchanged once, the realm of the challenge is not believed", async () => {
    const token = jest.fn(async () => entraToken);
    const one = client({ kind: "entra", token }, { isAzure: true });
    await Promise.all([one.head("a", "1"), one.head("b", "1")]);
    await one.head("a", "2");
    expect(token).toHaveBeenCalledTimes(1);
    expect([...internet.requests].sort()).toEqual(
      [
        `POST ${host}/oauth2/exchange`,
        `POST ${host}/oauth2/token`,
        `POST ${host}/oauth2/token`,
        `HEAD ${host}/v2/a/manifests/1`,
        `HEAD ${host}/v2/b/manifests/1`,
        `HEAD ${host}/v2/a/manifests/2`,
      ].sort(),
    );
    expect(bodies[0]).toBe(`/oauth2/exchange grant_type=access_token&service=${host}&access_token=${entraToken}`);
    expect(bodies[1]).toBe(
      `/oauth2/token grant_type=refresh_token&service=${host}&scope=repository%3Aa%3Apull&refresh_token=refresh`,
    );
  });

  test("a password alone: an Entra token is exchanged, anything else has the user name of tokens", async () => {
    await client({ kind: "password", password: entraToken }, { isAzure: true }).head("a", "1");
    expect(internet.requests[0]).toBe(`POST ${host}/oauth2/exchange`);
    for (const password of [SECRET, registryToken]) {
      internet.authorizations.length = 0;
      await client({ kind: "password", password }, { isAzure: true }).head("a", "1");
      const basic = Buffer.from(`00000000-0000-0000-0000-000000000000:${password}`).toString("base64");
      expect(internet.authorizations[0]).toBe(`Basic ${basic}`);
    }
  });

  test("user and password, and nobody, at the registry's own token service", async () => {
    await client(user, { isAzure: true }).head("a", "1");
    await client(anonymous, { isAzure: true }).head("a", "1");
    const asked = `GET ${host}/oauth2/token?service=${host}&scope=repository%3Aa%3Apull`;
    expect(internet.requests).toEqual([asked, `HEAD ${host}/v2/a/manifests/1`, asked, `HEAD ${host}/v2/a/manifests/1`]);
  });

  test("no realm is believed when a token is replaced either", async () => {
    let good = "first";
    internet.sites[host] = (request, response) => {
      if (request.url?.startsWith("/oauth2/token")) json(response, 200, { access_token: good, expires_in: 3600 });
      else if (request.headers.authorization === `Bearer ${good}`) manifest(response);
      else challenge(response, 'Bearer realm="https://auth.example.com/token",service="evil"');
    };
    const one = client(user, { isAzure: true });
    await one.head("a", "1");
    good = "second";
    expect((await one.head("a", "2"))?.digest).toBe(DIGEST);
    expect(internet.requests.every((request) => request.includes(` ${host}/`))).toBe(true);
  });

  test("a refresh token that has ended is replaced", async () => {
    let refresh = "first";
    internet.sites[host] = async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      if (request.url === "/oauth2/exchange") json(response, 200, { refresh_token: refresh });
      else if (request.url === "/oauth2/token")
        json(response, body.includes(refresh) ? 200 : 401, { access_token: "good" });
      else manifest(response);
    };
    const one = client({ kind: "entra", token: async () => entraToken }, { isAzure: true });
    await one.head("a", "1");
    refresh = "second";
    expect((await one.head("b", "1"))?.digest).toBe(DIGEST);
  });

  test("a refused exchange is a refused identity", async () => {
    internet.sites[host] = (_request, response) =>
      json(response, 401, { errors: [{ code: "UNAUTHORIZED", message: `bad ${entraToken}` }] });
    const found = await failure(
      client({ kind: "entra", token: async () => entraToken }, { isAzure: true, side: "target" }).head("a", "1"),
    );
    expect(found).toMatchObject({ code: "TARGET_CREDENTIALS_REJECTED", detail: "HTTP 401: UNAUTHORIZED: bad ***" });
  });

  test("untag, delete, tags of a digest, lock", async () => {
    const one = client(user, { isAzure: true, side: "target" });
    await one.untag("a", "1");
    await one.untag("a", "gone");
    await one.deleteManifest("a", DIGEST);
    expect(await one.tagsOf("a", DIGEST)).toEqual(["1"]);
    await one.lock("a", "1");
    await one.lock("a", "1", false);
    expect(internet.requests.filter((request) => !request.includes("oauth2"))).toEqual([
      `DELETE ${host}/acr/v1/a/_tags/1`,
      `DELETE ${host}/acr/v1/a/_tags/gone`,
      `DELETE ${host}/v2/a/manifests/${DIGEST}`,
      `GET ${host}/acr/v1/a/_tags?n=1000&digest=${encodeURIComponent(DIGEST)}`,
      `PATCH ${host}/acr/v1/a/_tags/1`,
      `PATCH ${host}/acr/v1/a/_tags/1`,
    ]);
    expect(bodies).toEqual([
      '/acr/v1/a/_tags/1 {"writeEnabled":false,"deleteEnabled":false}',
      '/acr/v1/a/_tags/1 {"writeEnabled":true,"deleteEnabled":true}',
    ]);
    expect(await failure(one.untag("a", "locked"))).toMatchObject({
      code: "TARGET_LOCKED",
      detail: "HTTP 405: UNSUPPORTED: disallowed",
    });
    expect(await failure(one.lock("a", "gone"))).toMatchObject({ code: "TARGET_NOT_FOUND" });
  });
});

describe("answers", () => {
  const answersTo = (method: string, site: Site): void => {
    internet.sites[host] = (request, response) => {
      if (request.url === "/v2/") return json(response, 200, {});
      return request.method === method || method === "*" ? site(request, response) : manifest(response);
    };
  };

  test("404 is no such image", async () => {
    answersTo("*", (_request, response) => json(response, 404, {}));
    expect(await client().head("app", "1")).toBeUndefined();
    expect(await client().manifest("app", "1")).toBeUndefined();
    expect(await client().tags("app")).toBeUndefined();
    expect(await client().referrers("app", DIGEST)).toEqual([]);
  });

  test("404 of a host that is no registry is none", async () => {
    internet.sites[host] = (_request, response) => response.writeHead(404).end("<html>");
    expect(await failure(client().head("app", "1"))).toMatchObject({
      code: "SOURCE_INVALID_RESPONSE",
      object: host,
      reason: "returned an unexpected response: GET /v2/ answers 404",
    });
  });

  test.each<[string, Site]>([
    ["without a digest", (_request, response) => response.writeHead(200, { "content-type": TYPE }).end()],
    ["with an empty digest", (_request, response) => manifest(response, { "docker-content-digest": "" })],
    ["with a digest that is none", (_request, response) => manifest(response, { "docker-content-digest": "sha256:1" })],
    ["without a media type", (_request, response) => response.writeHead(200, { "docker-content-digest": OTHER }).end()],
    ["of 405", (_request, response) => response.writeHead(405).end()],
    ["of 501", (_request, response) => response.writeHead(501).end()],
  ])("a HEAD %s: the manifest is read and digested", async (_what, site) => {
    answersTo("*", (request, response) =>
      request.method === "HEAD"
        ? site(request, response)
        : response.writeHead(200, { "content-type": TYPE }).end(MANIFEST),
    );
    expect(await client().head("app", "1")).toEqual({ digest: DIGEST, mediaType: TYPE, size: MANIFEST.length });
    expect(internet.requests).toEqual([
      `GET ${host}/v2/`,
      `HEAD ${host}/v2/app/manifests/1`,
      `GET ${host}/v2/app/manifests/1`,
    ]);
  });

  const invalid = (reason: string) => ({ code: "SOURCE_INVALID_RESPONSE", reason: expect.stringContaining(reason) });

  test("a page of HTML with 200 is no manifest", async () => {
    answersTo("*", (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"));
    expect(await failure(client().head("app", "1"))).toMatchObject(invalid("it sends text/html"));
  });

  test("bytes that do not have the digest that was promised", async () => {
    answersTo("*", (_request, response) => manifest(response, { "docker-content-digest": OTHER }));
    expect(await failure(client().manifest("app", "1"))).toMatchObject(
      invalid(`what it sends for ${OTHER} has the digest`),
    );
  });

  test("bytes and headers that do not have the digest that was asked for", async () => {
    answersTo("*", (_request, response) => manifest(response));
    expect(await failure(client().manifest("app", OTHER))).toMatchObject(invalid(`what it sends for ${OTHER}`));
    expect(await failure(client().head("app", OTHER))).toMatchObject(invalid(`asked for ${OTHER}`));
    expect((await client().manifest("app", DIGEST))?.descriptor.digest).toBe(DIGEST);
  });

  test("an endless body is cut off", async () => {
    let sent = 0;
    answersTo("GET", (_request, response) => {
      response.writeHead(200, { "content-type": TYPE });
      const chunk = Buffer.alloc(256 * 1024, " ");
      const more = (): void => {
        if (response.destroyed) return;
        sent += chunk.length;
        if (response.write(chunk)) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    });
    expect(await failure(client().manifest("app", "1"))).toMatchObject(
      invalid("its response is longer than 4194304 bytes"),
    );
    expect(sent).toBeLessThan(40 * 1024 * 1024);
  });

  test("a header without end", async () => {
    answersTo("*", (_request, response) => response.writeHead(200, { "x-long": "x".repeat(100_000) }).end());
    expect(await failure(client().head("app", "1"))).toMatchObject(invalid("HPE_HEADER_OVERFLOW"));
  });

  test("redirects in a circle, to http, to nowhere", async () => {
    answersTo("*", (request, response) => {
      const location = request.url?.endsWith("/http")
        ? `http://${host}/x`
        : request.url?.endsWith("/circle")
          ? "circle"
          : undefined;
      response.writeHead(307, location ? { location } : {}).end();
    });
    expect(await failure(client().head("app", "circle"))).toMatchObject(invalid("it redirects more than 5 times"));
    expect(internet.requests.filter((request) => request.includes("circle"))).toHaveLength(6);
    expect(await failure(client().head("app", "http"))).toMatchObject(invalid("an address without TLS"));
    expect(await failure(client().head("app", "nowhere"))).toMatchObject(invalid("without an address"));
    expect(internet.requests.filter((request) => request.startsWith("PLAIN"))).toEqual([]);
  });

  test("an authentication that nobody knows", async () => {
    internet.sites[host] = (_request, response) => challenge(response, "Negotiate");
    expect(await failure(client(user).head("app", "1"))).toMatchObject(invalid("authentication by negotiate"));
  });

  test("platforms and entries of an index", async () => {
    const index = JSON.stringify({
      schemaVersion: 2,
      manifests: [
        { mediaType: TYPE, digest: DIGEST, size: 1, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
      ],
    });
    answersTo("*", (_request, response) =>
      response.writeHead(200, { "content-type": "application/vnd.oci.image.index.v1+json" }).end(index),
    );
    expect(await client().manifest("app", "1")).toMatchObject({
      platforms: ["linux/arm64/v8"],
      entries: [{ digest: DIGEST, platform: "linux/arm64/v8" }],
    });
  });

  test("tags are read page after page", async () => {
    answersTo("*", (request, response) => {
      const last = new URL(request.url ?? "", "https://x").searchParams.get("last");
      if (last === null)
        json(response, 200, { tags: ["1", "2"] }, { link: '</v2/app/tags/list?n=2&last=2>; rel="next"' });
      else json(response, 200, { tags: ["3", 4, null] });
    });
    expect(await client().tags("app")).toEqual(["1", "2", "3"]);
  });

  test("a list of pages without end is left", async () => {
    answersTo("*", (_request, response) => json(response, 200, { tags: ["1"] }, { link: '<?n=1>; rel="next"' }));
    expect(await failure(client().tags("app"))).toMatchObject(invalid("its list does not end"));
  });

  test("referrers, by the API or by the tag that stands in for it", async () => {
    const referrers = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [
        { mediaType: TYPE, digest: DIGEST, size: 2, artifactType: "application/vnd.dev.cosign" },
        { mediaType: TYPE, digest: OTHER, size: 3, artifactType: "application/spdx+json" },
      ],
    };
    let hasApi = true;
    answersTo("*", (request, response) =>
      request.url === `/v2/app/${hasApi ? `referrers/${OTHER}` : `manifests/${OTHER.replace(":", "-")}`}`
        ? json(response, 200, referrers)
        : json(response, 404, {}),
    );
    for (hasApi of [true, false]) {
      expect(await client().referrers("app", OTHER)).toHaveLength(2);
      expect(await client().referrers("app", OTHER, ["application/spdx+json"])).toEqual([
        { mediaType: TYPE, digest: OTHER, size: 3, artifactType: "application/spdx+json" },
      ]);
    }
  });
});

describe("trouble", () => {
  const answers = (...statuses: [number, Record<string, string>?][]): void => {
    internet.sites[host] = (request, response) => {
      if (request.url === "/v2/") return json(response, 200, {});
      const [status, headers] = statuses.shift() ?? [200];
      return status === 200 ? manifest(response) : response.writeHead(status, headers).end();
    };
  };

  test("503, 500 and 429 are waited out", async () => {
    answers([503], [500], [429, { "retry-after": "1" }], [429, { "retry-after": "0" }]);
    const started = Date.now();
    expect((await client().head("app", "1"))?.digest).toBe(DIGEST);
    expect(Date.now() - started).toBeGreaterThan(1_000);
    expect(internet.requests).toHaveLength(6);
  });

  test("429 for longer than the budget", async () => {
    answers([429, { "retry-after": "60" }]);
    expect(await failure(client().head("app", "1"))).toMatchObject({
      code: "SOURCE_THROTTLED",
      object: host,
      reason: "is rate limiting (429 Too Many Requests); retry in 60 s",
    });
  });

  test("a server that stays out of order", async () => {
    answers([502], [502], [502], [502], [502]);
    expect(await failure(client().head("app", "1"))).toMatchObject({
      code: "SOURCE_UNAVAILABLE",
      reason: expect.stringContaining("HTTP 502"),
    });
    expect(internet.requests).toHaveLength(5);
  });

  test("a connection that breaks, before the answer and within it, is made anew", async () => {
    let broken = 0;
    internet.sites[host] = (request, response) => {
      if (request.url === "/v2/") return json(response, 200, {});
      if (broken++ === 0) return void request.socket.destroy();
      if (broken === 2) {
        response.writeHead(200, { "content-type": TYPE, "content-length": MANIFEST.length });
        return void response.write(MANIFEST.slice(0, 10), () => request.socket.destroy());
      }
      return manifest(response);
    };
    expect((await client().manifest("app", "1"))?.descriptor.digest).toBe(DIGEST);
    expect(broken).toBe(3);
  });

  test("a delete whose answer got lost is done", async () => {
    let deleted = false;
    internet.sites[host] = (request, response) => {
      if (request.url?.startsWith("/oauth2")) return json(response, 200, { access_token: "t" });
      if (deleted) return json(response, 404, {});
      deleted = true;
      return void request.socket.destroy();
    };
    await client(user, { isAzure: true, side: "target" }).untag("app", "1");
    expect(internet.requests.filter((request) => request.startsWith("DELETE"))).toHaveLength(2);
  });

  test("a proxy that does not let us through says so", async () => {
    expect(await failure(client().head("app", "1"))).toMatchObject({
      code: "SOURCE_UNREACHABLE",
      object: host,
      reason: `could not be reached: the proxy ${new URL(internet.proxy).host} does not connect, it answers 403`,
    });
  });

  test("a proxy that is not there: every look-up ends, also those that waited for a connection", async () => {
    // the greeting is learned while all is well, so that each look-up needs a connection of its own afterwards
    internet.sites[host] = (_request, response) => manifest(response);
    await client().head("app", "1");
    process.env.HTTPS_PROXY = "http://user:hidden@127.0.0.1:9";
    const found = await Promise.all(Array.from({ length: 40 }, (_, at) => failure(client().head("app", `${at}`))));
    process.env.HTTPS_PROXY = internet.proxy;
    expect(found).toHaveLength(40);
    expect(found[39]).toMatchObject({
      code: "SOURCE_UNREACHABLE",
      reason: expect.stringContaining("the proxy 127.0.0.1:9 does not connect, ECONNREFUSED"),
    });
    expect(JSON.stringify(found)).not.toContain("hidden");
  });

  test("what failed once is asked again", async () => {
    internet.sites[host] = (_request, response) => response.writeHead(501).end();
    internet.sites[`auth.${host}`] = grants();
    const one = client();
    expect(await failure(one.head("app", "1"))).toMatchObject({ code: "SOURCE_INVALID_RESPONSE" });
    internet.sites[host] = guarded(`https://auth.${host}/`);
    expect((await one.head("app", "1"))?.digest).toBe(DIGEST);
    internet.sites[`auth.${host}`] = (_request, response) => json(response, 200, {});
    expect(await failure(one.head("other", "1"))).toMatchObject({ code: "SOURCE_INVALID_RESPONSE" });
    internet.sites[`auth.${host}`] = grants();
    expect((await one.head("other", "1"))?.digest).toBe(DIGEST);
  });

  test("a look-up that is called off ends at once, others go on", async () => {
    internet.sites[host] = (request, response) => {
      if (request.url === "/v2/") return void setTimeout(() => json(response, 200, {}), 100);
      return request.url?.endsWith("/slow") ? undefined : manifest(response);
    };
    const one = client();
    const early = new AbortController();
    const late = new AbortController();
    const outcomes = Promise.allSettled([
      one.head("app", "1", early.signal),
      one.head("app", "slow", late.signal),
      one.head("app", "2"),
    ]);
    early.abort(new Error("never mind"));
    setTimeout(() => late.abort(new Error("too slow")), 300);
    const started = Date.now();
    expect(await outcomes).toMatchObject([
      { status: "rejected", reason: { message: "never mind" } },
      { status: "rejected", reason: { message: "too slow" } },
      { status: "fulfilled" },
    ]);
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  test("waiting for a server that asks for patience can be called off", async () => {
    answers([429, { "retry-after": "2" }]);
    const signal = AbortSignal.timeout(200);
    const error = await client()
      .head("app", "1", signal)
      .catch((reason: unknown) => reason);
    expect(error).toBe(signal.reason);
  });
});
