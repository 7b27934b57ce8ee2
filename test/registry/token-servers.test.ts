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
  ["without TLS", () => `http://${fake.host}/token`, "http://"],
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
