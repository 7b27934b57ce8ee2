/**
 * Hosts that redirect every request to the registry that stores the images: https://github.com/external-secrets/external-secrets/issues/5611
 */
import {
  anonymous,
  challenge,
  DIGEST,
  failure,
  type Handler,
  json,
  sendManifest,
  tokenRegistry,
  tokenService,
  useFakeRegistry,
  user,
} from "./fake-registry";

const fake = useFakeRegistry();
const STORE = "store.example.net";
const REALM = "https://auth.example.net/token";

const redirect =
  (status: number, to: (path: string) => string = (path) => `https://${STORE}${path}`): Handler =>
  (request, response) =>
    response.writeHead(status, { location: to(request.url ?? "") }).end();

/** Names the repository in its challenge, and accepts the token for that only. */
const store: Handler = (request, response) => {
  const repository = /^\/v2\/(.+)\/manifests\//.exec(request.url ?? "")?.[1];
  const scope = `repository:${repository}:pull`;
  if (repository && request.headers.authorization === `Bearer ${scope}`) return sendManifest(response);
  return challenge(response, `Bearer realm="${REALM}",service="store"${repository ? `,scope="${scope}"` : ""}`);
};
const scopeAsToken: Handler = (request, response) =>
  json(response, 200, { token: new URL(request.url ?? "", "https://x").searchParams.get("scope") });

describe.each([301, 302, 303, 307, 308])("with status %s", (status) => {
  test("an anonymous client follows, and gets the token that the other registry asks for", async () => {
    fake.handlers[fake.host] = redirect(status);
    fake.handlers[STORE] = store;
    fake.handlers["auth.example.net"] = scopeAsToken;
    const one = fake.client();
    expect((await one.head("app", "1"))?.digest).toBe(DIGEST);
    expect((await one.manifest("app", "2"))?.descriptor.digest).toBe(DIGEST);
    expect(fake.requests).toEqual([
      `GET ${fake.host}/v2/`,
      `GET ${STORE}/v2/`,
      `HEAD ${fake.host}/v2/app/manifests/1`,
      `HEAD ${STORE}/v2/app/manifests/1`,
      "GET auth.example.net/token?service=store&scope=repository%3Aapp%3Apull",
      `HEAD ${STORE}/v2/app/manifests/1`,
      `GET ${fake.host}/v2/app/manifests/2`,
      `GET ${STORE}/v2/app/manifests/2`,
      `GET ${STORE}/v2/app/manifests/2`,
    ]);
    expect(fake.authorizations.filter((value) => value !== "-")).toEqual(Array(2).fill("Bearer repository:app:pull"));
  });

  test("a client with credentials sends them nowhere, and names the other registry", async () => {
    fake.handlers[fake.host] = redirect(status);
    fake.handlers[STORE] = store;
    fake.handlers["auth.example.net"] = scopeAsToken;
    expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({
      code: "SOURCE_ACCESS_DENIED",
      object: fake.host,
      reason: `redirects to ${STORE}, which does not allow an anonymous client to pull ${STORE}/app:1`,
      hints: [expect.stringContaining(`Use ${STORE}/app:1 instead`)],
    });
    expect(new Set(fake.authorizations)).toEqual(new Set(["-"]));
    expect(fake.requests.filter((request) => request.includes("auth."))).toEqual([]);
  });
});

test("follows to another repository, with the scope that the other registry names", async () => {
  fake.handlers[fake.host] = redirect(301, (path) => `https://${STORE}${path.replace("/v2/app", "/v2/owner/app")}`);
  fake.handlers[STORE] = store;
  fake.handlers["auth.example.net"] = scopeAsToken;
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
});

test("follows where only the manifests are redirected", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.url === "/v2/" ? json(response, 200, {}) : redirect(307)(request, response);
  fake.handlers[STORE] = tokenRegistry(REALM);
  fake.handlers["auth.example.net"] = tokenService();
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
});

test("follows where only GET of the other registry asks for a token", async () => {
  fake.handlers[fake.host] = redirect(301);
  fake.handlers[STORE] = (request, response) =>
    request.method === "HEAD" ? json(response, 403, {}) : tokenRegistry(REALM)(request, response);
  fake.handlers["auth.example.net"] = tokenService();
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
});

test("follows several redirects, and replaces a token of the other registry that has ended", async () => {
  let good = "first";
  fake.handlers[fake.host] = redirect(301, (path) => `https://between.example.net${path}`);
  fake.handlers["between.example.net"] = redirect(302);
  fake.handlers[STORE] = (request, response) => tokenRegistry(REALM, undefined, good)(request, response);
  fake.handlers["auth.example.net"] = (_request, response) => json(response, 200, { token: good, expires_in: 3600 });
  const one = fake.client();
  expect((await one.head("app", "1"))?.digest).toBe(DIGEST);
  good = "second";
  expect((await one.head("app", "2"))?.digest).toBe(DIGEST);
});

test("names the other registry where that refuses an anonymous client, too", async () => {
  fake.handlers[fake.host] = redirect(301);
  fake.handlers[STORE] = (request, response) =>
    request.headers.authorization
      ? json(response, 403, { errors: [{ code: "DENIED", message: "not yours" }] })
      : store(request, response);
  fake.handlers["auth.example.net"] = scopeAsToken;
  expect(await failure(fake.client().head("app", DIGEST))).toMatchObject({
    code: "SOURCE_ACCESS_DENIED",
    reason: `redirects to ${STORE}, which does not allow an anonymous client to pull ${STORE}/app@${DIGEST}`,
    detail: "HTTP 403: DENIED: not yours",
  });
});

describe("a host that a redirect leads to gets no", () => {
  beforeEach(() => {
    fake.handlers[fake.host] = redirect(307);
    fake.handlers["auth.example.net"] = tokenService();
  });

  test.each<[string, string]>([
    ["answer by plain HTTP", 'Bearer realm="http://auth.example.net/"'],
    ["Basic", 'Basic realm="x"'],
    ["token without a realm", "Bearer"],
  ])("%s", async (_what, value) => {
    fake.handlers[STORE] = (_request, response) => challenge(response, value);
    expect(await failure(fake.client(anonymous).head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
    expect(new Set(fake.authorizations)).toEqual(new Set(["-"]));
    expect(fake.requests.filter((request) => request.startsWith("PLAIN"))).toEqual([]);
  });

  test("Entra token", async () => {
    fake.handlers[STORE] = tokenRegistry(REALM);
    fake.handlers[fake.host] = (request, response) =>
      request.url?.startsWith("/oauth2/")
        ? json(response, 200, { refresh_token: "refresh", access_token: "access" })
        : redirect(307)(request, response);
    const entra = { kind: "entra", token: async () => "a.e30.c" } as const;
    expect(await failure(fake.client(entra, { isAzure: true }).head("app", "1"))).toMatchObject({
      code: "SOURCE_ACCESS_DENIED",
    });
    expect(fake.requests.filter((request) => request.includes("auth."))).toEqual([]);
  });

  test("token of the registry that redirects", async () => {
    fake.handlers[fake.host] = (request, response) =>
      request.headers.authorization === "Bearer good"
        ? redirect(307)(request, response)
        : challenge(response, `Bearer realm="${REALM}"`);
    fake.handlers[STORE] = (request, response) => {
      expect(request.headers.authorization).toBeUndefined();
      sendManifest(response);
    };
    expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
  });

  test("endless requests", async () => {
    fake.handlers[STORE] = (_request, response) => challenge(response, `Bearer realm="${REALM}"`);
    expect(await failure(fake.client().head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
    expect(fake.requests.length).toBeLessThan(16);
  });
});
