/** Challenges as servers send them, the scheme that is chosen, and tokens that end. */
import {
  anonymous,
  challenge,
  DIGEST,
  failure,
  type Handler,
  json,
  openRegistry,
  sendManifest,
  tokenService,
  useFakeRegistry,
  user,
  withTokenService,
} from "./fake-registry";

const fake = useFakeRegistry();
const BASIC = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString("base64")}`;
const realm = () => `https://${fake.host}/token`;
/** A token service that issues tokens for the user only. */
const tokens: Handler = (request, response) =>
  request.headers.authorization === BASIC ? json(response, 200, { token: "good" }) : json(response, 401, {});
const accepts =
  (authorization: string, refuse: Handler): Handler =>
  (request, response) =>
    request.headers.authorization === authorization ? sendManifest(response) : refuse(request, response);
const refuse =
  (status: number, ...values: string[]): Handler =>
  (_request, response) =>
    json(response, status, {}, { "www-authenticate": values });

describe("the token service is used for", () => {
  test.each<[string, () => string[]]>([
    ["one challenge", () => [`Bearer realm="${realm()}"`]],
    ["Basic before it in the same header", () => [`Basic realm="x", Bearer realm="${realm()}",service="s"`]],
    ["Basic behind it in the same header", () => [`Bearer realm="${realm()}",service="s", Basic realm="x"`]],
    ["Basic in another header", () => ['Basic realm="x"', `Bearer realm="${realm()}"`]],
    ["schemes that nobody knows", () => ["Negotiate", 'Digest realm="x", nonce="y"', `Bearer realm="${realm()}"`]],
    ["Negotiate with a token", () => [`Negotiate YII==, Bearer realm="${realm()}"`]],
    ["another Bearer without a realm", () => ["Bearer", `Bearer realm="${realm()}"`]],
    ["another Bearer with an untrusted realm", () => [`Bearer realm="https://evil.net/", Bearer realm="${realm()}"`]],
    [
      "another Bearer with a realm without TLS",
      () => [`Bearer realm="http://${fake.host}/", Bearer realm="${realm()}"`],
    ],
    ["a realm that is a path", () => ['Bearer realm="/token",service="s"']],
    ["a realm without quotes", () => [`Bearer realm=${realm()}?a=b,service=s`]],
    ["parameters separated by semicolons", () => [`Bearer realm="${realm()}";service="s"`]],
    ["parameters separated by spaces", () => [`Bearer realm="${realm()}" service="s"`]],
    ["a scheme in upper case", () => [`BEARER REALM="${realm()}"`]],
    ["the service of another registry", () => [`Bearer realm="${realm()}",service="harbor.internal"`]],
    ["an error", () => [`Bearer realm="${realm()}",error="invalid_token",error_description="a, b"`]],
  ])("%s", async (_what, values) => {
    fake.handlers[fake.host] = withTokenService(tokens, accepts("Bearer good", refuse(401, ...values())));
    expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
    expect(fake.authorizations).toEqual(["-", BASIC, "Bearer good"]);
  });
});

describe("Basic is used for", () => {
  test.each<[string, () => string[]]>([
    ["a challenge without a realm", () => ["Basic"]],
    ["Bearer without a realm beside it", () => ["Bearer", "Basic"]],
    ["Bearer with a realm that is no address", () => ['Bearer realm="Artifactory Realm"', 'Basic realm="x"']],
    ["Bearer with an untrusted realm", () => ['Bearer realm="https://evil.net/", Basic realm="x"']],
    ["Bearer with a protocol-relative realm of another host", () => ['Bearer realm="//evil.net/", Basic realm="x"']],
    ["Bearer with a realm without TLS", () => [`Bearer realm="http://${fake.host}/token"`, 'Basic realm="x"']],
    ["a character set", () => ['Basic realm="x", charset="UTF-8"']],
  ])("%s", async (_what, values) => {
    fake.handlers[fake.host] = accepts(BASIC, refuse(401, ...values()));
    expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
    expect(fake.authorizations).toEqual(["-", BASIC]);
  });
});

describe("Basic is used instead of a token service that", () => {
  test.each<[string, Handler]>([
    ["does not exist", (_request, response) => json(response, 404, {})],
    ["fails", (_request, response) => json(response, 500, {})],
    ["responds with a web page", (_request, response) => response.end("<html>")],
    ["responds with nothing", (_request, response) => response.end()],
  ])("%s", async (_what, service) => {
    const challenges = ['Basic realm="x"', `Bearer realm="${realm()}"`];
    fake.handlers[fake.host] = withTokenService(service, accepts(BASIC, refuse(401, ...challenges)));
    const one = fake.client(user);
    expect((await one.head("app", "1"))?.digest).toBe(DIGEST);
    const requests = fake.requests.length;
    expect((await one.head("app", "2"))?.digest).toBe(DIGEST);
    expect(fake.requests).toHaveLength(requests + 1);
  });

  test("cannot be reached", async () => {
    const challenges = ['Basic realm="x"', `Bearer realm="https://closed.${fake.host}/"`];
    fake.handlers[fake.host] = accepts(BASIC, refuse(401, ...challenges));
    expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
  });
});

test("does not try Basic with credentials that the token service rejects", async () => {
  const wrong: Handler = (_request, response) => json(response, 401, {});
  fake.handlers[fake.host] = withTokenService(wrong, refuse(401, `Bearer realm="${realm()}"`, 'Basic realm="x"'));
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({ code: "SOURCE_CREDENTIALS_REJECTED" });
  expect(fake.authorizations).toEqual(["-", BASIC]);
});

test.each([401, 403, 404, 400, 405])("sends credentials when the ping asks for them with status %s", async (status) => {
  fake.handlers[fake.host] = accepts(BASIC, refuse(status, 'Basic realm="x"'));
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
});

test.each([401, 403, 404])("sends credentials when a request asks for them with status %s", async (status) => {
  fake.handlers[fake.host] = openRegistry(accepts(BASIC, refuse(status, 'Basic realm="x"')));
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
  expect(fake.authorizations).toEqual(["-", "-", BASIC]);
});

test("accepts an offer to sign in only with credentials", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.url === "/v2/"
      ? response.writeHead(200, { "www-authenticate": `Bearer realm="${realm()}"` }).end()
      : request.url?.startsWith("/token")
        ? tokens(request, response)
        : sendManifest(response);
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
  expect(fake.authorizations).toEqual(["-", "-"]);
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
  expect(fake.authorizations.slice(2)).toEqual([BASIC, "Bearer good"]);
});

test("follows the challenge of a request where the one of the ping has no realm", async () => {
  const registry: Handler = (request, response) =>
    request.headers.authorization === "Bearer good"
      ? sendManifest(response)
      : challenge(response, request.url === "/v2/" ? "Bearer" : `Bearer realm="${realm()}"`);
  fake.handlers[fake.host] = withTokenService(tokens, registry);
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
});

test("gives the reason where no challenge names a token service", async () => {
  fake.handlers[fake.host] = refuse(401, 'Bearer service="x"');
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({
    code: "SOURCE_INVALID_RESPONSE",
    reason: expect.stringContaining("its challenge names no token service"),
  });
  expect(new Set(fake.authorizations)).toEqual(new Set(["-"]));
});

test("requests the scope that the registry names, also that of another repository", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.headers.authorization === "Bearer repository:proxy/app:pull"
      ? sendManifest(response)
      : challenge(response, 'Bearer realm="https://auth.example.net/",scope="repository:proxy/app:pull"');
  fake.handlers["auth.example.net"] = (request, response) =>
    json(response, 200, { token: new URL(request.url ?? "", "https://x").searchParams.get("scope") });
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
});

// https://github.com/docker/hub-feedback/issues/2530
describe("a token that ends early is replaced once", () => {
  const ends = (refusal: Handler, body: object = {}) => {
    let issued = 0;
    fake.handlers[fake.host] = withTokenService(
      (_request, response) => json(response, 200, { token: `token-${++issued}`, expires_in: 3600, ...body }),
      (request, response) => {
        const isFirst = request.headers.authorization === undefined;
        if (isFirst) return challenge(response, `Bearer realm="${realm()}"`);
        const isEnded = request.headers.authorization !== `Bearer token-${issued}` || request.url?.includes("/ended");
        if (!isEnded) return sendManifest(response);
        return refusal(request, response);
      },
    );
    return { end: () => issued++, issued: () => issued };
  };

  test.each<[string, Handler]>([
    ["with the whole challenge", (request, response) => refuse(401, `Bearer realm="${realm()}"`)(request, response)],
    ["with a challenge without a realm", refuse(401, 'Bearer error="invalid_token"')],
    ["with a bare scheme", refuse(401, "Bearer")],
    ["without a challenge", (_request, response) => json(response, 401, {})],
    ["with 403 and a challenge", refuse(403, 'Bearer error="invalid_token"')],
  ])("when the registry refuses it %s", async (_what, refusal) => {
    const service = ends(refusal);
    const one = fake.client(user);
    await one.head("app", "1");
    service.end();
    expect((await one.head("app", "2"))?.digest).toBe(DIGEST);
    expect(fake.requests.filter((request) => request.includes("/token"))).toHaveLength(2);
  });

  test.each([0, -1, "0", "soon", null, Number.MAX_VALUE])("whatever its lifetime is called: %s", async (expires_in) => {
    const service = ends(refuse(401, "Bearer"), { expires_in });
    const one = fake.client(user);
    await Promise.all(["1", "2", "3"].map((tag) => one.head("app", tag)));
    service.end();
    expect((await one.head("app", "4"))?.digest).toBe(DIGEST);
    expect(fake.requests.filter((request) => request.includes("/token"))).toHaveLength(2);
  });

  test("and its lifetime may be a text", async () => {
    ends(refuse(401, "Bearer"), { expires_in: "3600" });
    const one = fake.client(user);
    await one.head("app", "1");
    const later = Date.now() + 3_000_000;
    jest.spyOn(Date, "now").mockImplementation(() => later);
    await one.head("app", "2");
    expect(fake.requests.filter((request) => request.includes("/token"))).toHaveLength(1);
  });

  test("but not again and again", async () => {
    ends(refuse(401, `Bearer realm="${realm()}"`));
    expect(await failure(fake.client(user).head("ended", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
    expect(fake.requests.filter((request) => request.includes("/token"))).toHaveLength(2);
  });
});

test.each<[string, object]>([
  ["token", { token: "good" }],
  ["access_token", { access_token: "good" }],
  ["both", { token: "good", access_token: "good" }],
  ["an empty access_token", { token: "good", access_token: "" }],
  ["null as access_token", { token: "good", access_token: null }],
])("reads a token response with %s", async (_what, body) => {
  fake.handlers[fake.host] = withTokenService(
    tokenService(body),
    accepts("Bearer good", (_request, response) => challenge(response, `Bearer realm="${realm()}"`)),
  );
  expect((await fake.client(anonymous).head("app", "1"))?.digest).toBe(DIGEST);
});

test("gives the token service's own reason", async () => {
  fake.handlers[fake.host] = withTokenService(
    (_request, response) => json(response, 400, { error: "invalid_request", error_description: "unknown service s" }),
    refuse(401, `Bearer realm="https://${fake.host}/token",service="s"`),
  );
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_INVALID_RESPONSE",
    reason: expect.stringContaining("HTTP 400: invalid_request: unknown service s"),
  });
});

test("says that credentials were not asked for", async () => {
  fake.handlers[fake.host] = openRegistry((_request, response) => json(response, 403, {}));
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({
    code: "SOURCE_ACCESS_DENIED",
    object: fake.host,
    reason: `does not allow pulling ${fake.host}/app:1, and does not ask for credentials`,
  });
});
