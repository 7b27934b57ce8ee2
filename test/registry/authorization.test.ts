/** Schemes, tokens, scopes and refused credentials. */
import {
  challenge,
  DIGEST,
  failure,
  invalid,
  json,
  SECRET,
  sendManifest,
  tokenRegistry,
  tokenService,
  useFakeRegistry,
  user,
  withTokenService,
} from "./fake-registry";

const fake = useFakeRegistry();

test("gets one token for concurrent look-ups", async () => {
  fake.handlers[fake.host] = withTokenService(tokenService(), tokenRegistry(`https://${fake.host}/token?x=1`));
  const one = fake.client();
  await Promise.all(["1", "2", "3"].flatMap((tag) => [one.head("a/b", tag), one.head("c", tag)]));
  expect([...fake.requests].sort()).toEqual(
    [
      `GET ${fake.host}/v2/`,
      `GET ${fake.host}/token?x=1&service=reg%2C+istry&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3Apull`,
      ...["1", "2", "3"].flatMap((tag) => [
        `HEAD ${fake.host}/v2/a/b/manifests/${tag}`,
        `HEAD ${fake.host}/v2/c/manifests/${tag}`,
      ]),
    ].sort(),
  );
});

test("reads access_token as well as token, and replaces a token that has expired", async () => {
  fake.handlers[fake.host] = tokenRegistry("https://auth.example.net/");
  fake.handlers["auth.example.net"] = tokenService({ access_token: "good", expires_in: 60 });
  const one = fake.client();
  await one.head("app", "1");
  await one.head("app", "2");
  expect(fake.requests).toHaveLength(4);
  const later = Date.now() + 60_000;
  jest.spyOn(Date, "now").mockImplementation(() => later);
  await one.head("app", "3");
  expect(fake.requests.slice(4)).toEqual([
    "GET auth.example.net/?service=reg%2C+istry&scope=repository%3Aapp%3Apull",
    `HEAD ${fake.host}/v2/app/manifests/3`,
  ]);
});

test("replaces a token that the registry no longer accepts", async () => {
  let good = "first";
  fake.handlers[fake.host] = (request, response) =>
    request.headers.authorization === `Bearer ${good}`
      ? sendManifest(response)
      : challenge(response, 'Bearer realm="https://auth.example.net/"');
  fake.handlers["auth.example.net"] = (_request, response) => json(response, 200, { token: good, expires_in: 3600 });
  const one = fake.client();
  await one.head("app", "1");
  good = "second";
  expect((await one.head("app", "2"))?.digest).toBe(DIGEST);
  expect(fake.requests.filter((request) => request.includes("auth."))).toHaveLength(2);
});

test("follows a challenge that comes only after an open ping, once", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.url === "/v2/" ? json(response, 200, {}) : tokenRegistry("https://auth.example.net/")(request, response);
  fake.handlers["auth.example.net"] = tokenService();
  const one = fake.client();
  expect((await one.head("app", "1"))?.digest).toBe(DIGEST);
  await one.head("app", "2");
  expect(fake.requests.filter((request) => request.startsWith("HEAD"))).toHaveLength(3);
});

test("requests a wider scope when the registry names one", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.headers.authorization === "Bearer pull,special"
      ? sendManifest(response)
      : challenge(response, 'Bearer realm="https://auth.example.net/",scope="repository:app:pull,special"');
  fake.handlers["auth.example.net"] = (request, response) => {
    const scope = new URL(request.url ?? "", "https://x").searchParams.get("scope") ?? "";
    json(response, 200, { token: scope.split(":")[2] });
  };
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
});

test("reports access denied when HEAD and GET are refused, each with a new token", async () => {
  fake.handlers[fake.host] = (_request, response) => challenge(response, 'Bearer realm="https://auth.example.net/"');
  fake.handlers["auth.example.net"] = tokenService();
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_ACCESS_DENIED",
    object: "an anonymous client",
    reason: `is not allowed to pull ${fake.host}/app:1`,
  });
  expect(fake.requests.map((request) => request.split("?", 1)[0])).toEqual([
    `GET ${fake.host}/v2/`,
    "GET auth.example.net/",
    `HEAD ${fake.host}/v2/app/manifests/1`,
    "GET auth.example.net/",
    `GET ${fake.host}/v2/app/manifests/1`,
  ]);
});

test("reports rejected credentials for a 401 of the token service, and sends them no more", async () => {
  fake.handlers[fake.host] = tokenRegistry(`https://auth.${fake.host}/`);
  fake.handlers[`auth.${fake.host}`] = (_request, response) =>
    json(response, 401, { details: `incorrect username or password: reader / ${SECRET}` });
  const one = fake.client(user);
  expect(await failure(one.head("app", "1"))).toMatchObject({
    code: "SOURCE_CREDENTIALS_REJECTED",
    detail: "HTTP 401: incorrect username or password: reader / [secret]",
  });
  expect(await failure(one.head("other", "1"))).toMatchObject({ code: "SOURCE_CREDENTIALS_REJECTED" });
  expect(fake.requests).toHaveLength(2);
});

test("keeps using credentials that one repository accepts when another one rejects them", async () => {
  fake.handlers[fake.host] = tokenRegistry(`https://auth.${fake.host}/`);
  fake.handlers[`auth.${fake.host}`] = (request, response) =>
    request.url?.includes("other") ? json(response, 401, {}) : json(response, 200, { token: "good" });
  const one = fake.client(user);
  await one.head("app", "1");
  expect(await failure(one.head("other", "1"))).toMatchObject({ code: "SOURCE_CREDENTIALS_REJECTED" });
  expect((await one.head("app", "2"))?.digest).toBe(DIGEST);
});

test("reports access denied when credentials were never requested", async () => {
  fake.handlers[fake.host] = (request, response) => json(response, request.url === "/v2/" ? 200 : 401, {});
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
});

test("names the user for a 403 after a token", async () => {
  const registry = tokenRegistry(`https://${fake.host}/token`, (_request, response) =>
    json(response, 403, { errors: [{ code: "DENIED", message: "requested access to the resource is denied" }] }),
  );
  fake.handlers[fake.host] = withTokenService(tokenService(), registry);
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({
    code: "SOURCE_ACCESS_DENIED",
    object: 'user "reader"',
    reason: `is not allowed to pull ${fake.host}/app:1`,
    detail: "HTTP 403: DENIED: requested access to the resource is denied",
  });
});

test("tells a firewall from missing rights", async () => {
  fake.handlers[fake.host] = (request, response) =>
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
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({ code: "SOURCE_NETWORK_BLOCKED" });
});

test("sends Basic credentials to the registry itself", async () => {
  const basic = `Basic ${Buffer.from(`reader:${SECRET}`).toString("base64")}`;
  fake.handlers[fake.host] = (request, response) =>
    request.headers.authorization === basic ? sendManifest(response) : challenge(response, 'Basic realm="a, b"');
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
  expect(fake.authorizations).toEqual(["-", basic]);
  expect(await failure(fake.client({ ...user, username: "other" }).head("app", "1"))).toMatchObject({
    code: "SOURCE_CREDENTIALS_REJECTED",
  });
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
});

test("prefers Bearer to Basic, whatever their order and number of headers", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.headers.authorization === "Bearer good"
      ? sendManifest(response)
      : challenge(response, 'Basic realm="x"', `Bearer realm="https://auth.${fake.host}/",service="s"`);
  fake.handlers[`auth.${fake.host}`] = tokenService();
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
});

test("sends a password without a user name as the bearer token", async () => {
  fake.handlers[fake.host] = tokenRegistry("https://auth.example.net/");
  expect((await fake.client({ kind: "password", password: "good" }).head("app", "1"))?.digest).toBe(DIGEST);
  expect(fake.authorizations).toEqual(["Bearer good"]);
  expect(await failure(fake.client({ kind: "password", password: SECRET }).head("app", "1"))).toMatchObject({
    code: "SOURCE_CREDENTIALS_REJECTED",
  });
  expect(await failure(fake.client({ kind: "password", password: `${SECRET}\n` }).head("app", "1"))).toMatchObject({
    code: "SOURCE_CREDENTIALS_REJECTED",
  });
  expect(fake.requests.map((request) => request.split(" ", 1)[0])).toEqual(["HEAD", "HEAD", "GET"]);
});

test.each([
  ["text that is not JSON", "<html>", "the token response is not valid JSON"],
  ["no token", "{}", "the token response contains no token"],
  ["an empty token", '{"token":""}', "the token response contains no token"],
  ["a token that breaks the header", '{"token":"a\\r\\nx: y"}', "the token response contains no token"],
])("rejects a token response with %s", async (_what, body, reason) => {
  fake.handlers[fake.host] = tokenRegistry(`https://auth.${fake.host}/`);
  fake.handlers[`auth.${fake.host}`] = (_request, response) => response.writeHead(200).end(body);
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({
    code: "SOURCE_INVALID_RESPONSE",
    text: expect.stringContaining(reason),
  });
});

test("rejects an unsupported authentication scheme", async () => {
  fake.handlers[fake.host] = (_request, response) => challenge(response, "Negotiate");
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject(
    invalid("authentication by negotiate is not supported"),
  );
});

test("repeats after a failed ping and a failed token request", async () => {
  fake.handlers[fake.host] = (_request, response) => response.writeHead(501).end();
  fake.handlers[`auth.${fake.host}`] = tokenService();
  const one = fake.client();
  expect(await failure(one.head("app", "1"))).toMatchObject({ code: "SOURCE_INVALID_RESPONSE" });
  fake.handlers[fake.host] = tokenRegistry(`https://auth.${fake.host}/`);
  expect((await one.head("app", "1"))?.digest).toBe(DIGEST);
  fake.handlers[`auth.${fake.host}`] = (_request, response) => json(response, 200, {});
  expect(await failure(one.head("other", "1"))).toMatchObject({ code: "SOURCE_INVALID_RESPONSE" });
  fake.handlers[`auth.${fake.host}`] = tokenService();
  expect((await one.head("other", "1"))?.digest).toBe(DIGEST);
});
