/** Azure registries: the token exchange, and their API beside the OCI one. */
import {
  anonymous,
  challenge,
  DIGEST,
  failure,
  type Handler,
  json,
  OTHER_DIGEST,
  SECRET,
  sendManifest,
  useFakeRegistry,
  user,
} from "./fake-registry";

const fake = useFakeRegistry();

const entraToken = `e30.${Buffer.from('{"tid":"1"}').toString("base64url")}.c2ln`;
const registryToken = `e30.${Buffer.from('{"grant_type":"refresh_token"}').toString("base64url")}.c2ln`;
const bodies: string[] = [];
let attributes: object | undefined;
const acr: Handler = async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  if (body !== "") bodies.push(`${request.url} ${body}`);
  if (request.url === "/oauth2/exchange") json(response, 200, { refresh_token: "refresh" });
  else if (request.url?.startsWith("/oauth2/token")) json(response, 200, { access_token: "good" });
  else if (request.headers.authorization !== "Bearer good") {
    challenge(response, 'Bearer realm="https://evil.example.net/token",service="evil"');
  } else if (request.method === "HEAD") sendManifest(response);
  else if (request.url?.includes("locked"))
    json(response, 405, { errors: [{ code: "UNSUPPORTED", message: "disallowed" }] });
  else if (request.url?.includes("gone")) json(response, 404, { errors: [{ code: "TAG_UNKNOWN" }] });
  else if (request.method === "GET" && /\/_(tags|manifests)\/./.test(request.url ?? "")) {
    const name = request.url?.includes("_tags") ? "tag" : "manifest";
    json(response, 200, { [name]: { changeableAttributes: attributes } });
  } else if (request.url?.includes("digest=")) {
    json(response, 200, {
      tags: [
        { name: "1", digest: DIGEST },
        { name: "2", digest: OTHER_DIGEST },
      ],
    });
  } else json(response, 202, {});
};
beforeEach(() => {
  bodies.length = 0;
  fake.handlers[fake.host] = acr;
});

test("exchanges an Entra token once, at the registry's own token service", async () => {
  const token = jest.fn(async () => entraToken);
  const one = fake.client({ kind: "entra", token }, { isAzure: true });
  await Promise.all([one.head("a", "1"), one.head("b", "1")]);
  await one.head("a", "2");
  expect(token).toHaveBeenCalledTimes(1);
  expect([...fake.requests].sort()).toEqual(
    [
      `POST ${fake.host}/oauth2/exchange`,
      `POST ${fake.host}/oauth2/token`,
      `POST ${fake.host}/oauth2/token`,
      `HEAD ${fake.host}/v2/a/manifests/1`,
      `HEAD ${fake.host}/v2/b/manifests/1`,
      `HEAD ${fake.host}/v2/a/manifests/2`,
    ].sort(),
  );
  expect(bodies[0]).toBe(`/oauth2/exchange grant_type=access_token&service=${fake.host}&access_token=${entraToken}`);
  expect(bodies[1]).toBe(
    `/oauth2/token grant_type=refresh_token&service=${fake.host}&scope=repository%3Aa%3Apull&refresh_token=refresh`,
  );
});

test("exchanges an Entra token given as password, and sends any other with the user name of tokens", async () => {
  await fake.client({ kind: "password", password: entraToken }, { isAzure: true }).head("a", "1");
  expect(fake.requests[0]).toBe(`POST ${fake.host}/oauth2/exchange`);
  for (const password of [SECRET, registryToken]) {
    fake.authorizations.length = 0;
    await fake.client({ kind: "password", password }, { isAzure: true }).head("a", "1");
    const basic = Buffer.from(`00000000-0000-0000-0000-000000000000:${password}`).toString("base64");
    expect(fake.authorizations[0]).toBe(`Basic ${basic}`);
  }
});

test("gets tokens for a user and for an anonymous client at the registry's own token service", async () => {
  await fake.client(user, { isAzure: true }).head("a", "1");
  await fake.client(anonymous, { isAzure: true }).head("a", "1");
  const tokenRequest = `GET ${fake.host}/oauth2/token?service=${fake.host}&scope=repository%3Aa%3Apull`;
  expect(fake.requests).toEqual([
    tokenRequest,
    `HEAD ${fake.host}/v2/a/manifests/1`,
    tokenRequest,
    `HEAD ${fake.host}/v2/a/manifests/1`,
  ]);
});

test("ignores the realm of a challenge also when it replaces a token", async () => {
  let good = "first";
  fake.handlers[fake.host] = (request, response) => {
    if (request.url?.startsWith("/oauth2/token")) json(response, 200, { access_token: good, expires_in: 3600 });
    else if (request.headers.authorization === `Bearer ${good}`) sendManifest(response);
    else challenge(response, 'Bearer realm="https://auth.example.com/token",service="evil"');
  };
  const one = fake.client(user, { isAzure: true });
  await one.head("a", "1");
  good = "second";
  expect((await one.head("a", "2"))?.digest).toBe(DIGEST);
  expect(fake.requests.every((request) => request.includes(` ${fake.host}/`))).toBe(true);
});

test("replaces a refresh token that has expired", async () => {
  let refresh = "first";
  fake.handlers[fake.host] = async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.url === "/oauth2/exchange") json(response, 200, { refresh_token: refresh });
    else if (request.url === "/oauth2/token")
      json(response, body.includes(refresh) ? 200 : 401, { access_token: "good" });
    else sendManifest(response);
  };
  const one = fake.client({ kind: "entra", token: async () => entraToken }, { isAzure: true });
  await one.head("a", "1");
  refresh = "second";
  expect((await one.head("b", "1"))?.digest).toBe(DIGEST);
});

test("reports rejected credentials when the exchange is refused", async () => {
  fake.handlers[fake.host] = (_request, response) =>
    json(response, 401, { errors: [{ code: "UNAUTHORIZED", message: `bad ${entraToken}` }] });
  const found = await failure(
    fake.client({ kind: "entra", token: async () => entraToken }, { isAzure: true, side: "target" }).head("a", "1"),
  );
  expect(found).toMatchObject({ code: "TARGET_CREDENTIALS_REJECTED", detail: "HTTP 401: UNAUTHORIZED: bad [secret]" });
});

test("untags, deletes, and lists the tags of a digest", async () => {
  const one = fake.client(user, { isAzure: true, side: "target" });
  await one.untag("a", "1");
  await one.untag("a", "gone");
  await one.deleteManifest("a", DIGEST);
  expect(await one.tagsOf("a", DIGEST)).toEqual(["1"]);
  expect(fake.requests.filter((request) => !request.includes("oauth2"))).toEqual([
    `DELETE ${fake.host}/acr/v1/a/_tags/1`,
    `DELETE ${fake.host}/acr/v1/a/_tags/gone`,
    `DELETE ${fake.host}/v2/a/manifests/${DIGEST}`,
    `GET ${fake.host}/acr/v1/a/_tags?n=1000&digest=${encodeURIComponent(DIGEST)}`,
  ]);
  expect(await failure(one.untag("a", "locked"))).toMatchObject({
    code: "TARGET_LOCKED",
    detail: "HTTP 405: UNSUPPORTED: disallowed",
  });
});

test.each([
  ["a tag", "1", "/acr/v1/a/_tags/1"],
  ["the manifest of a digest", DIGEST, `/acr/v1/a/_manifests/${DIGEST}`],
])("reads and changes the lock of %s with one token", async (_, tagOrDigest, path) => {
  const one = fake.client(user, { isAzure: true, side: "target" });
  attributes = { writeEnabled: false, deleteEnabled: true, listEnabled: true };
  expect(await one.readLock("a", tagOrDigest)).toEqual({ writeEnabled: false, deleteEnabled: true });
  await one.changeLock("a", tagOrDigest, { writeEnabled: true });
  await one.changeLock("a", tagOrDigest, { writeEnabled: false, deleteEnabled: false });
  expect(fake.requests.map((request) => request.replace(fake.host, "").replace(/\?.*/, ""))).toEqual([
    "GET /oauth2/token",
    `GET ${path}`,
    `PATCH ${path}`,
    `PATCH ${path}`,
  ]);
  expect(bodies).toEqual([`${path} {"writeEnabled":true}`, `${path} {"writeEnabled":false,"deleteEnabled":false}`]);
});

test("a lock of what does not exist, or of what is not allowed to be changed, is a failure", async () => {
  const one = fake.client(user, { isAzure: true, side: "target" });
  expect(await one.readLock("a", "gone")).toBeUndefined();
  expect(await failure(one.changeLock("a", "gone", { writeEnabled: false }))).toMatchObject({
    code: "TARGET_NOT_FOUND",
    object: `${fake.host}/a:gone`,
  });
  expect(await failure(one.changeLock("a", "locked", { writeEnabled: true }))).toMatchObject({
    code: "TARGET_LOCKED",
    reason: "is locked, so this run cannot unlock it",
  });
  for (const missing of [undefined, {}, { writeEnabled: "no", deleteEnabled: true }]) {
    attributes = missing;
    expect(await failure(one.readLock("a", "1"))).toMatchObject({ code: "TARGET_INVALID_RESPONSE" });
  }
});
