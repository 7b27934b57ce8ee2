/** Which servers receive credentials. */
import {
  anonymous,
  DIGEST,
  failure,
  SECRET,
  tokenRegistry,
  tokenService,
  useFakeRegistry,
  user,
} from "./fake-registry";

const fake = useFakeRegistry();

test.each([
  ["of another owner", () => "https://evil.example.net/token", "https://evil.example.net"],
  ["that begins alike", () => `https://${fake.host}.evil.net/token`, ".evil.net"],
  ["that ends alike", () => `https://evil${fake.host.replace("registry.", "")}/token`, "https://evilr"],
  // https://github.com/Finsys/dockhand/issues/1428
  ["without TLS on its own host", () => `http://${fake.host}/token`, "an address without TLS"],
  ["without TLS on another host", () => "http://auth.example.net/token", "an address without TLS"],
  ["of another protocol", () => `ftp://${fake.host}/token`, "an address without TLS"],
  ["without a protocol, of another host", () => "//evil.example.net/token", "https://evil.example.net"],
  ["with the registry as its user name", () => `https://${fake.host}@evil.net/`, "https://evil.net"],
])("sends no credentials to a token service %s", async (_what, realm, shown) => {
  fake.handlers[fake.host] = tokenRegistry(realm());
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({
    code: "SOURCE_TOKEN_SERVER_UNTRUSTED",
    text: expect.stringContaining(shown),
  });
  expect(fake.requests).toEqual([`GET ${fake.host}/v2/`]);
  expect(fake.authorizations).toEqual(["-"]);
});

// https://github.com/apple/container/issues/2268
// https://github.com/google/go-containerregistry/issues/2196
// https://github.com/getwud/wud/issues/143
test("names what works with a token service on another domain", async () => {
  fake.handlers[fake.host] = tokenRegistry("https://login.example.org/token");
  expect(await failure(fake.client(user).head("app", "1"))).toMatchObject({
    code: "SOURCE_TOKEN_SERVER_UNTRUSTED",
    reason: "delegates authentication to https://login.example.org, which does not belong to it",
    hints: [
      expect.stringContaining("No credentials were sent"),
      expect.stringMatching(/source\.digestFrom: "target".*pin the digest/),
    ],
  });
});

test("lets an anonymous client use any token service over TLS", async () => {
  fake.handlers[fake.host] = tokenRegistry("https://auth.example.net/");
  fake.handlers["auth.example.net"] = tokenService();
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
  const plain = `plain.${fake.host}`;
  fake.handlers[plain] = tokenRegistry("http://auth.example.net/");
  expect(await failure(fake.client(anonymous, { host: plain }).head("app", "1"))).toMatchObject({
    code: "SOURCE_TOKEN_SERVER_UNTRUSTED",
  });
  expect(fake.requests.filter((request) => request.startsWith("PLAIN"))).toEqual([]);
});

test("sends an Entra token only to a confirmed Azure registry", async () => {
  const token = jest.fn(async () => SECRET);
  expect(() => fake.client({ kind: "entra", token })).toThrow(/TOKEN_SERVER_UNTRUSTED/);
  expect(token).not.toHaveBeenCalled();
});
