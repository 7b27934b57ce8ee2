/** Tests of authentication at an Azure container registry. */
import { makeImage } from "../../../emulator/registry/make-image";
import { mediaTypes } from "../../../emulator/registry/manifest";
import { host, type Options, registryAudience, startAcr, type TestRegistry } from "./acr-registry";
import { type Answer, basic, bearer } from "./listening";

const tokenUser = "00000000-0000-0000-0000-000000000000";
const accept = { accept: Object.values(mediaTypes).join(", ") };
const image = "/v2/samples/app/manifests/v1";
const pull = "repository:samples/app:pull";

let registry: TestRegistry;

async function start(options?: Options): Promise<void> {
  registry = await startAcr(options);
  makeImage(registry.store, "samples/app", "v1");
  makeImage(registry.store, "secret/app", "v1");
  registry.entra.tokens.reader = { principal: { objectId: "reader", tenantId: "home" }, audience: registryAudience };
  registry.entra.permissions.reader = ["pull", "metadata_read", "catalog"];
}

afterEach(() => registry.close());

function exchange(token: string, service = host): Promise<Answer> {
  return registry.form("/oauth2/exchange", [
    ["grant_type", "access_token"],
    ["service", service],
    ["access_token", token],
  ]);
}

async function refreshToken(): Promise<string> {
  return String((await exchange("reader")).json().refresh_token);
}

function tokenFor(refresh: string, ...scopes: string[]): Promise<Answer> {
  return registry.form("/oauth2/token", [
    ["grant_type", "refresh_token"],
    ["service", host],
    ["refresh_token", refresh],
    ...scopes.map((scope) => ["scope", scope] as const),
  ]);
}

function withToken(token: unknown, path = image, method = "HEAD"): Promise<Answer> {
  return registry.request(method, path, { headers: { ...accept, ...bearer(token) } });
}

function claimsOf(token: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString("utf8"));
}

describe("the challenge", () => {
  beforeEach(() => start());

  test.each([
    ["GET", "/v2/", ""],
    ["HEAD", image, ',scope="repository:samples/app:pull"'],
    ["GET", image, ',scope="repository:samples/app:pull"'],
    ["GET", `/v2/samples/app/blobs/sha256:${"0".repeat(64)}`, ',scope="repository:samples/app:pull"'],
    ["GET", "/v2/samples/app/tags/list", ',scope="repository:samples/app:pull"'],
    ["PUT", image, ',scope="repository:samples/app:pull,push"'],
    ["DELETE", image, ',scope="repository:samples/app:delete"'],
    ["GET", "/v2/_catalog", ',scope="registry:catalog:*"'],
    ["GET", "/acr/v1/_catalog", ',scope="registry:catalog:*"'],
    ["GET", "/acr/v1/samples/app", ',scope="repository:samples/app:metadata_read"'],
    ["GET", "/acr/v1/samples%2Fapp/_tags/v1", ',scope="repository:samples/app:metadata_read"'],
    ["GET", "/acr/v1/samples/app/_manifests", ',scope="repository:samples/app:metadata_read"'],
    ["PATCH", "/acr/v1/samples/app/_tags/v1", ',scope="repository:samples/app:metadata_write"'],
    ["DELETE", "/acr/v1/samples/app/_tags/v1", ',scope="repository:samples/app:delete"'],
  ])("%s %s names the scope that it needs", async (method, path, scope) => {
    const { status, challenges } = await registry.request(method, path);
    expect(status).toBe(401);
    expect(challenges).toEqual([`Bearer realm="https://${host}/oauth2/token",service="${host}"${scope}`]);
  });

  test("the body names the missing access", async () => {
    const response = await registry.request("GET", image);
    expect(response.json().errors).toEqual([
      {
        code: "UNAUTHORIZED",
        message: "authentication required, visit https://aka.ms/acr/authorization for more information.",
        detail: [{ Type: "repository", Name: "samples/app", Action: "pull" }],
      },
    ]);
  });
});

describe("with an Entra token", () => {
  beforeEach(() => start());

  test("exchanges it, gets an access token, and reads a manifest", async () => {
    const refresh = await refreshToken();
    expect(claimsOf(refresh)).toMatchObject({ aud: host, exp: expect.any(Number), grant_type: "refresh_token" });
    const { access_token } = (await tokenFor(refresh, pull)).json();
    expect((await withToken(access_token)).status).toBe(200);
    expect((await withToken(access_token, "/v2/", "GET")).status).toBe(200);
  });

  test("accepts the audience of Resource Manager too, unless the registry requires its own", async () => {
    registry.entra.tokens.arm = {
      principal: { objectId: "reader", tenantId: "home" },
      audience: "https://management.azure.com",
    };
    expect((await exchange("arm")).status).toBe(200);
    await registry.close();
    await start({ audiences: [registryAudience] });
    registry.entra.tokens.arm = {
      principal: { objectId: "reader", tenantId: "home" },
      audience: "https://management.azure.com",
    };
    expect((await exchange("arm")).status).toBe(401);
    expect((await exchange("reader")).status).toBe(200);
  });

  test.each([
    ["of another tenant", { principal: { objectId: "reader", tenantId: "elsewhere" }, audience: registryAudience }],
    [
      "for another resource",
      { principal: { objectId: "reader", tenantId: "home" }, audience: "https://vault.azure.net" },
    ],
    ["that Entra does not know", undefined],
  ])("rejects a token %s", async (_, known) => {
    if (known) registry.entra.tokens.wrong = known;
    const response = await exchange("wrong");
    expect([response.status, response.code()]).toEqual([401, "UNAUTHORIZED"]);
    expect(response.json().refresh_token).toBeUndefined();
  });

  test.each([
    ["exchange for another registry", () => exchange("reader", "other.azurecr.io")],
    [
      "exchange without a grant type",
      () =>
        registry.form("/oauth2/exchange", [
          ["service", host],
          ["access_token", "reader"],
        ]),
    ],
    ["token without a service", () => registry.form("/oauth2/token", [["grant_type", "refresh_token"]])],
    [
      "token of an unknown grant type",
      () =>
        registry.form("/oauth2/token", [
          ["service", host],
          ["grant_type", "magic"],
        ]),
    ],
  ])("%s: 400", async (_, request) => {
    expect((await request()).status).toBe(400);
  });

  test("an identity without permission gets a token, and a 401 when it uses it", async () => {
    registry.entra.permissions.reader = [];
    const response = await tokenFor(await refreshToken(), pull);
    expect(response.status).toBe(200);
    expect(claimsOf(response.json().access_token).access).toEqual([]);
    const refused = await withToken(response.json().access_token);
    expect(refused.status).toBe(401);
    expect(refused.challenges[0]).toContain('error="insufficient_scope"');
  });

  test("a removed permission has no effect in the next token", async () => {
    const refresh = await refreshToken();
    registry.entra.permissions.reader = ["metadata_read"];
    expect((await withToken((await tokenFor(refresh, pull)).json().access_token)).status).toBe(401);
  });

  test.each([
    [["repository:samples/app:pull,push"], [["samples/app", ["pull"]]]],
    [["repository:samples/app:push,pull"], [["samples/app", ["pull"]]]],
    [
      ["repository:samples/app:pull", "repository:secret/app:delete,pull"],
      [
        ["samples/app", ["pull"]],
        ["secret/app", ["pull"]],
      ],
    ],
    [
      ["repository:samples/app:pull repository:secret/app:pull"],
      [
        ["samples/app", ["pull"]],
        ["secret/app", ["pull"]],
      ],
    ],
    [["registry:catalog:*"], [["catalog", ["*"]]]],
    [["repository:samples/app:*"], []],
    [["repository:samples/app:fly"], []],
    [["nonsense"], []],
    [[], []],
  ])("a reader who requests %j is granted %j", async (scopes, granted) => {
    const token = (await tokenFor(await refreshToken(), ...scopes)).json().access_token;
    const access = claimsOf(token).access as { name: string; actions: string[] }[];
    expect(access.map(({ name, actions }) => [name, actions])).toEqual(granted);
  });

  test("a token grants only its own access", async () => {
    const refresh = await refreshToken();
    const { access_token } = (await tokenFor(refresh, pull)).json();
    expect((await withToken(access_token, "/v2/secret/app/manifests/v1")).status).toBe(401);
    expect((await withToken(access_token, image, "DELETE")).status).toBe(401);
    expect((await withToken(access_token, "/acr/v1/samples/app", "GET")).status).toBe(401);
    expect((await withToken(access_token, "/v2/_catalog", "GET")).status).toBe(401);
  });

  test("rejects tokens of another kind, of another registry, or with changed claims", async () => {
    const refresh = await refreshToken();
    const access = String((await tokenFor(refresh, pull)).json().access_token);
    const [header, , signature] = access.split(".");
    const claims = { ...claimsOf(access), access: [{ type: "repository", name: "secret/app", actions: ["pull"] }] };
    const changed = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
    expect((await withToken(refresh)).status).toBe(401);
    expect((await withToken("reader")).status).toBe(401);
    expect((await withToken(changed, "/v2/secret/app/manifests/v1")).status).toBe(401);
    expect((await tokenFor(access, pull)).status).toBe(401);
    const other = await startAcr({ host: "other.azurecr.io" });
    const foreign = await other.accessToken(["pull"], pull);
    const refused = await withToken(foreign);
    expect(refused.status).toBe(401);
    expect(refused.challenges[0]).toContain('error="invalid_token"');
    await other.close();
  });

  test("rejects expired tokens", async () => {
    await registry.close();
    await start({ lifetimes: { refresh: 60, access: -1 } });
    expect((await withToken((await tokenFor(await refreshToken(), pull)).json().access_token)).status).toBe(401);
    await registry.close();
    await start({ lifetimes: { refresh: -1, access: 60 } });
    expect((await tokenFor(await refreshToken(), pull)).status).toBe(401);
  });
});

describe("with user name and password", () => {
  const options: Options = {
    adminUser: { username: "myregistry", password: "admin secret" },
    scopedTokens: [
      { name: "ci", passwords: ["one", "two"], repositories: { "samples/*": ["content/read", "metadata/read"] } },
      { name: "off", passwords: ["one"], repositories: { "samples/app": ["content/read"] }, status: "disabled" },
    ],
    verifyServicePrincipal: (clientId, secret) => {
      if (secret !== "sp secret") return undefined;
      return { objectId: "reader", tenantId: clientId === "app" ? "home" : "elsewhere" };
    },
  };

  beforeEach(() => start(options));

  function basicToken(username: string, password: string, scope = pull): Promise<Answer> {
    return registry.request("GET", `/oauth2/token?service=${host}&scope=${scope}`, {
      headers: basic(username, password),
    });
  }

  test.each([
    ["the admin user", "myregistry", "admin secret"],
    ["a repository-scoped token", "ci", "one"],
    ["its second password", "ci", "two"],
    ["a service principal", "app", "sp secret"],
  ])("%s pulls, with a token and with Basic", async (_, username, password) => {
    const response = await basicToken(username, password);
    expect((await withToken(response.json().access_token)).status).toBe(200);
    const direct = await registry.request("HEAD", image, { headers: { ...accept, ...basic(username, password) } });
    expect(direct.status).toBe(200);
  });

  test("a refresh token is a password of the user whose name is all zeros", async () => {
    const response = await basicToken(tokenUser, await refreshToken());
    expect((await withToken(response.json().access_token)).status).toBe(200);
    expect((await basicToken("someone else", await refreshToken())).status).toBe(401);
  });

  test("the password grant gets a token", async () => {
    const response = await registry.form("/oauth2/token", [
      ["grant_type", "password"],
      ["service", host],
      ["username", "ci"],
      ["password", "one"],
      ["scope", pull],
    ]);
    expect((await withToken(response.json().access_token)).status).toBe(200);
  });

  test.each([
    ["a wrong password", "myregistry", "wrong"],
    ["a wrong token password", "ci", "three"],
    ["a disabled token", "off", "one"],
    ["a service principal's wrong secret", "app", "wrong"],
    ["a service principal of another tenant", "foreign app", "sp secret"],
    ["an Entra token as it is", tokenUser, "reader"],
    ["nothing", "", ""],
  ])("rejects %s, at the token service and with Basic", async (_, username, password) => {
    expect((await basicToken(username, password)).status).toBe(401);
    const direct = await registry.request("HEAD", image, { headers: { ...accept, ...basic(username, password) } });
    expect(direct.status).toBe(401);
  });

  test("a repository-scoped token grants its repositories and actions only", async () => {
    const secret = await basicToken("ci", "one", "repository:secret/app:pull");
    expect((await withToken(secret.json().access_token, "/v2/secret/app/manifests/v1")).status).toBe(401);
    const remove = await basicToken("ci", "one", "repository:samples/app:delete");
    expect((await withToken(remove.json().access_token, "/acr/v1/samples/app/_tags/v1", "DELETE")).status).toBe(401);
    const direct = await registry.request("GET", "/v2/secret/app/manifests/v1", { headers: basic("ci", "one") });
    expect(direct.status).toBe(401);
    const read = await basicToken("ci", "one", "repository:samples/app:metadata_read");
    expect((await withToken(read.json().access_token, "/acr/v1/samples/app/_tags/v1", "GET")).status).toBe(200);
  });

  test("rejects the admin user's password if the admin user is disabled", async () => {
    await registry.close();
    await start({ ...options, adminUser: null });
    expect((await basicToken("myregistry", "admin secret")).status).toBe(401);
  });
});

describe("anonymous pull", () => {
  const anonymousForm = () =>
    registry.form("/oauth2/token", [
      ["grant_type", "password"],
      ["service", host],
      ["scope", pull],
      ["refresh_token", ""],
    ]);

  test("is rejected unless the registry allows it", async () => {
    await start();
    expect((await registry.request("GET", `/oauth2/token?service=${host}&scope=${pull}`)).status).toBe(401);
    expect((await anonymousForm()).status).toBe(401);
  });

  test("needs a token, and allows reading only", async () => {
    await start({ anonymousPull: true });
    expect((await registry.request("HEAD", image)).status).toBe(401);
    const byGet = await registry.request("GET", `/oauth2/token?service=${host}&scope=${pull},push`);
    expect(claimsOf(byGet.json().access_token).access).toEqual([
      { type: "repository", name: "samples/app", actions: ["pull"] },
    ]);
    expect((await withToken((await anonymousForm()).json().access_token)).status).toBe(200);
  });
});
