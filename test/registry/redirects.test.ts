/** Redirects, and the credentials of redirected requests. */
import {
  challenge,
  DIGEST,
  failure,
  invalid,
  json,
  sendManifest,
  tokenRegistry,
  tokenService,
  useFakeRegistry,
  user,
  withTokenService,
} from "./fake-registry";

const fake = useFakeRegistry();

test("rejects redirects in a circle, to http, and without a Location", async () => {
  fake.respondTo("*", (request, response) => {
    const location = request.url?.endsWith("/http")
      ? `http://${fake.host}/x`
      : request.url?.endsWith("/circle")
        ? "circle"
        : undefined;
    response.writeHead(307, location ? { location } : {}).end();
  });
  expect(await failure(fake.client().head("app", "circle"))).toMatchObject(invalid("more than 5 redirects"));
  expect(fake.requests.filter((request) => request.includes("circle"))).toHaveLength(12);
  expect(await failure(fake.client().head("app", "http"))).toMatchObject(invalid("an address without TLS"));
  expect(await failure(fake.client().head("app", "nowhere"))).toMatchObject(invalid("without a valid Location header"));
  expect(fake.requests.filter((request) => request.startsWith("PLAIN"))).toEqual([]);
});

test("drops Authorization in a redirect to another host, and keeps it on the same host", async () => {
  const registry = tokenRegistry(`https://${fake.host}/token`, (request, response) => {
    if (request.url?.endsWith("/1")) response.writeHead(307, { location: "https://cdn.example.net/1" }).end();
    else if (request.url?.endsWith("/2")) response.writeHead(302, { location: "3" }).end();
    else sendManifest(response);
  });
  fake.handlers[fake.host] = withTokenService(tokenService(), registry);
  fake.handlers["cdn.example.net"] = (_request, response) => sendManifest(response);
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
  expect(fake.authorizations).toEqual(["-", expect.stringMatching(/^Basic/), "Bearer good", "-"]);
  expect((await fake.client(user).head("app", "2"))?.digest).toBe(DIGEST);
  expect(fake.authorizations.slice(-2)).toEqual(["Bearer good", "Bearer good"]);
});

test("ignores the challenge of a host that a redirect leads to", async () => {
  fake.handlers[fake.host] = (request, response) => {
    if (request.url === "/v2/") json(response, 200, {});
    else response.writeHead(307, { location: "https://evil.example.net/x" }).end();
  };
  fake.handlers["evil.example.net"] = (_request, response) =>
    challenge(response, 'Basic realm="x"', `Bearer realm="https://${fake.host}/token"`);
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
  expect(new Set(fake.authorizations)).toEqual(new Set(["-"]));
});

test("ignores the challenge of a ping that is redirected to another host", async () => {
  fake.handlers[fake.host] = (request, response) => {
    if (request.url === "/v2/") response.writeHead(307, { location: "https://evil.example.net/" }).end();
    else sendManifest(response);
  };
  fake.handlers["evil.example.net"] = (_request, response) => challenge(response, 'Basic realm="x"');
  expect((await fake.client(user).head("app", "1"))?.digest).toBe(DIGEST);
  expect(new Set(fake.authorizations)).toEqual(new Set(["-"]));
});
