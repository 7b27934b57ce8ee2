/** Look-ups of a manifest where HEAD and GET are answered differently: a GET decides. */
import {
  anonymous,
  challenge,
  DIGEST,
  failure,
  type Handler,
  json,
  MANIFEST,
  MANIFEST_TYPE,
  OTHER_DIGEST,
  openRegistry,
  sendManifest,
  tokenRegistry,
  tokenService,
  useFakeRegistry,
  user,
} from "./fake-registry";

const fake = useFakeRegistry();

/** One response to HEAD, another one to GET. */
const registry = (head: Handler, get: Handler = (_request, response) => sendManifest(response)): Handler =>
  openRegistry((request, response) => (request.method === "HEAD" ? head : get)(request, response));

const status =
  (code: number, headers: Record<string, string> = {}): Handler =>
  (_request, response) =>
    response.writeHead(code, headers).end();

const methods = () => fake.requests.slice(1).map((request) => request.split(" ", 1)[0]);

test.each<[string, Handler]>([
  // https://github.com/containerd/containerd/issues/6684
  ["403", status(403)],
  ["401 without a challenge", status(401)],
  ["401 with an unsupported challenge", status(401, { "www-authenticate": "Negotiate" })],
  ["401 with a challenge without a realm", status(401, { "www-authenticate": "Bearer" })],
  // https://github.com/moby/moby/issues/45333
  ["404", status(404)],
  ["400", status(400)],
  ["405", status(405)],
  ["406", status(406)],
  ["408", status(408)],
  ["500", status(500)],
  ["502", status(502)],
  ["503", status(503)],
  ["503 with Retry-After", status(503, { "retry-after": "3600" })],
  ["501", status(501)],
  ["204", status(204)],
  ["206", status(206, { "content-type": MANIFEST_TYPE, "docker-content-digest": OTHER_DIGEST })],
  ["304", status(304)],
  ["300", status(300, { location: "/elsewhere" })],
  ["302 without Location", status(302)],
  ["302 to an address without TLS", status(302, { location: "http://plain.example.com/" })],
  ["302 in a circle", status(302, { location: "?" })],
  ["a broken connection", (request) => request.socket.destroy()],
  ["a header that is too long", status(200, { "x-long": "x".repeat(100_000) })],
])("reads the manifest by one GET after a HEAD is answered by %s", async (_what, head) => {
  fake.handlers[fake.host] = registry(head);
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
  expect(methods().filter((method) => method === "GET")).toHaveLength(1);
});

// https://github.com/moby/moby/issues/50065
test("reads the manifest where HEAD is redirected to a URL that is signed for GET", async () => {
  fake.handlers[fake.host] = registry(
    status(307, { location: "https://storage.example.net/blob?signature=1" }),
    status(307, { location: "https://storage.example.net/blob?signature=1" }),
  );
  fake.handlers["storage.example.net"] = (request, response) =>
    request.method === "HEAD"
      ? response.writeHead(403, { "content-type": "application/xml" }).end()
      : response.writeHead(200, { "content-type": "binary/octet-stream" }).end(MANIFEST);
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
  expect(methods()).toEqual(["HEAD", "HEAD", "GET", "GET"]);
});

test("reads the manifest by GET with the credentials that HEAD does not accept", async () => {
  const basic = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString("base64")}`;
  fake.handlers[fake.host] = (request, response) =>
    request.headers.authorization === basic && request.method === "GET" && request.url !== "/v2/"
      ? sendManifest(response)
      : challenge(response, "Basic");
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
  expect((await fake.client(user).head("app", "2"))?.digest).toBe(DIGEST);
});

test("reports what GET is answered by", async () => {
  const get: Handler = (_request, response) => json(response, 404, {});
  fake.handlers[fake.host] = registry(status(403), get);
  expect(await fake.client().head("app", "1")).toBeUndefined();
  fake.handlers[fake.host] = registry(status(404), (_request, response) =>
    json(response, 403, { errors: [{ code: "DENIED", message: "not yours" }] }),
  );
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_ACCESS_DENIED",
    detail: "HTTP 403: DENIED: not yours",
  });
});

test("waits where HEAD is rate limited, and sends no GET", async () => {
  const statuses = [429, 429];
  const get = jest.fn();
  fake.handlers[fake.host] = registry((_request, response) => {
    const limited = statuses.shift();
    if (limited) response.writeHead(limited, { "retry-after": "0" }).end();
    else sendManifest(response);
  }, get);
  expect((await fake.client(anonymous).head("app", "1"))?.digest).toBe(DIGEST);
  expect(get).not.toHaveBeenCalled();
});

test("sends HEAD once, and never GET, where HEAD finds the manifest", async () => {
  fake.handlers[fake.host] = tokenRegistry("https://auth.example.net/");
  fake.handlers["auth.example.net"] = tokenService();
  const one = fake.client();
  await one.head("app", "1");
  await one.head("app", "2");
  expect(methods()).toEqual(["GET", "HEAD", "HEAD"]);
});

test("believes a 404 of Azure, which answers HEAD as it does GET", async () => {
  fake.handlers[fake.host] = (request, response) =>
    request.url?.startsWith("/oauth2/") ? json(response, 200, { access_token: "good" }) : json(response, 404, {});
  expect(await fake.client(user, { isAzure: true, side: "target" }).head("app", "1")).toBeUndefined();
  expect(methods()).toEqual(["HEAD"]);
});
