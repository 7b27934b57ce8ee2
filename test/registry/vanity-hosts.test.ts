/**
 * Hosts that redirect every request to the registry that stores the images: https://github.com/external-secrets/external-secrets/issues/5611
 *
 * A registry that responds without a token is followed. Where it asks for one, the failure names the image there.
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

const expectNothingSent = () => {
  expect(new Set(fake.authorizations)).toEqual(new Set(["-"]));
  expect(fake.requests.filter((request) => /auth\.|PLAIN/.test(request))).toEqual([]);
};

beforeEach(() => {
  fake.handlers["auth.example.net"] = tokenService();
});

describe.each([301, 302, 303, 307, 308])("with status %s", (status) => {
  test("a registry that responds without a token is followed", async () => {
    fake.handlers[fake.host] = redirect(status);
    fake.handlers[STORE] = (_request, response) => sendManifest(response);
    expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
    expect((await fake.client().manifest("app", "1"))?.descriptor.digest).toBe(DIGEST);
  });

  test.each([
    ["no credentials", anonymous],
    ["credentials", user],
    ["a token", { kind: "password", password: "given-token" }],
  ] as const)("a client with %s learns the name of the image, and that host gets nothing", async (_who, credential) => {
    fake.handlers[fake.host] = redirect(status);
    fake.handlers[STORE] = (request, response) => {
      expect(request.headers.authorization).toBeUndefined();
      tokenRegistry(REALM)(request, response);
    };
    for (const [reference, image] of [
      ["1", `${STORE}/app:1`],
      [DIGEST, `${STORE}/app@${DIGEST}`],
    ] as const) {
      expect(await failure(fake.client(credential).head("app", reference))).toMatchObject({
        code: "SOURCE_ACCESS_DENIED",
        object: fake.host,
        reason: `redirects to ${STORE}, which does not respond without a token of its own`,
        hints: [`Use ${image} instead. No credentials were sent to ${STORE}`],
      });
    }
    expect(fake.requests.filter((request) => request.includes("auth."))).toEqual([]);
  });
});

test("names the image after several redirects, in another repository", async () => {
  fake.handlers[fake.host] = redirect(301, (path) => `https://between.example.net${path}`);
  fake.handlers["between.example.net"] = redirect(
    302,
    (path) => `https://${STORE}${path.replace("/app", "/owner/app")}`,
  );
  fake.handlers[STORE] = tokenRegistry(REALM);
  expect((await failure(fake.client(user).head("app", "1"))).hints?.[0]).toContain(`Use ${STORE}/owner/app:1 instead`);
  expectNothingSent();
});

test("names the image where only the manifests are redirected", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.url === "/v2/" ? json(response, 200, {}) : redirect(307)(request, response);
  fake.handlers[STORE] = tokenRegistry(REALM);
  expect((await failure(fake.client().head("app", "1"))).hints?.[0]).toContain(`Use ${STORE}/app:1 instead`);
  expectNothingSent();
});

test.each<[string, Handler]>([
  ["Basic", (_request, response) => challenge(response, 'Basic realm="x"')],
  [
    "a token from this registry",
    (_request, response) => challenge(response, `Bearer realm="https://${fake.host}/token"`),
  ],
  ["a token by plain HTTP", (_request, response) => challenge(response, 'Bearer realm="http://auth.example.net/"')],
  ["403", (_request, response) => json(response, 403, {}, { "www-authenticate": 'Basic realm="x"' })],
  ["404 with a challenge", (_request, response) => json(response, 404, {}, { "www-authenticate": 'Basic realm="x"' })],
])("sends nothing to a host that a redirect leads to and that responds with %s", async (_what, store) => {
  fake.handlers[fake.host] = redirect(307);
  fake.handlers[STORE] = store;
  await fake
    .client(user)
    .head("app", "1")
    .catch(() => undefined);
  expectNothingSent();
});

test("keeps the registry's own token from the host that it redirects to", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.headers.authorization === "Bearer good"
      ? redirect(307)(request, response)
      : challenge(response, `Bearer realm="${REALM}"`);
  const received: unknown[] = [];
  fake.handlers[STORE] = (request, response) => {
    received.push(request.headers.authorization);
    challenge(response, `Bearer realm="${REALM}"`);
  };
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
  expect(new Set(received)).toEqual(new Set([undefined]));
  expect(fake.requests.length).toBeLessThan(12);
});

test("names the host of a web page that a redirect leads to", async () => {
  fake.handlers[fake.host] = redirect(302, () => "https://www.example.net/");
  fake.handlers["www.example.net"] = (_request, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end("<html>");
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_INVALID_RESPONSE",
    reason: expect.stringContaining("text/html is not a manifest's, after a redirect to www.example.net"),
  });
});
