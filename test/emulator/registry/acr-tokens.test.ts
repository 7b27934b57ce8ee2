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
  registry.entra.rights.reader = ["pull", "metadata_read", "catalog"];
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
  return registry.ask(method, path, { headers: { ...accept, ...bearer(token) } });
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
  ])("%s %s asks for what it needs", async (method, path, scope) => {
    const { status, challenges } = await registry.ask(method, path);
    expect(status).toBe(401);
    expect(challenges).toEqual([`Bearer realm="https://${host}/oauth2/token",service="${host}"${scope}`]);
  });

  test("the body says what is missing", async () => {
    const answer = await registry.ask("GET", image);
    expect(answer.json().errors).toEqual([
      {
        code: "UNAUTHORIZED",
        message: "authentication required, visit https://aka.ms/acr/authorization for more information.",
        detail: [{ Type: "repository", Name: "samples/app", Action: "pull" }],
      },
    ]);
  });
});

describe("from an Entra token", () => {
  beforeEach(() => start());

  test("exchange, token, manifest", async () => {
    const refresh = await refreshToken();
    expect(claimsOf(refresh)).toMatchObject({ aud: host, exp: expect.any(Number), grant_type: "refresh_token" });
    const { access_token } = (await tokenFor(refresh, pull)).json();
    expect((await withToken(access_token)).status).toBe(200);
    expect((await withToken(access_token, "/v2/", "GET")).status).toBe(200);
  });

  test("a token of Resource Manager is taken too, unless the registry wants its own", async () => {
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
  ])("a token %s is refused", async (_, known) => {
    if (known) registry.entra.tokens.wrong = known;
    const answer = await exchange("wrong");
    expect([answer.status, answer.code()]).toEqual([401, "UNAUTHORIZED"]);
    expect(answer.json().refresh_token).toBeUndefined();
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
  ])("%s: 400", async (_, ask) => {
    expect((await ask()).status).toBe(400);
  });

  test("somebody without the right gets a token, and the refusal with its use", async () => {
    registry.entra.rights.reader = [];
    const answer = await tokenFor(await refreshToken(), pull);
    expect(answer.status).toBe(200);
    expect(claimsOf(answer.json().access_token).access).toEqual([]);
    const refused = await withToken(answer.json().access_token);
    expect(refused.status).toBe(401);
    expect(refused.challenges[0]).toContain('error="insufficient_scope"');
  });

  test("a right taken away is gone with the next token", async () => {
    const refresh = await refreshToken();
    registry.entra.rights.reader = ["metadata_read"];
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
  ])("asked for %j, a reader is granted %j", async (scopes, granted) => {
    const token = (await tokenFor(await refreshToken(), ...scopes)).json().access_token;
    const access = claimsOf(token).access as { name: string; actions: string[] }[];
    expect(access.map(({ name, actions }) => [name, actions])).toEqual(granted);
  });

  test("a token opens only what it was made for", async () => {
    const refresh = await refreshToken();
    const { access_token } = (await tokenFor(refresh, pull)).json();
    expect((await withToken(access_token, "/v2/secret/app/manifests/v1")).status).toBe(401);
    expect((await withToken(access_token, image, "DELETE")).status).toBe(401);
    expect((await withToken(access_token, "/acr/v1/samples/app", "GET")).status).toBe(401);
    expect((await withToken(access_token, "/v2/_catalog", "GET")).status).toBe(401);
  });

  test("tokens of another kind, another registry, or with changed claims are refused", async () => {
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

  test("expired tokens are refused", async () => {
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
    return registry.ask("GET", `/oauth2/token?service=${host}&scope=${scope}`, { headers: basic(username, password) });
  }

  test.each([
    ["the admin user", "myregistry", "admin secret"],
    ["a repository-scoped token", "ci", "one"],
    ["its second password", "ci", "two"],
    ["a service principal", "app", "sp secret"],
  ])("%s pulls, by token and with Basic itself", async (_, username, password) => {
    const answer = await basicToken(username, password);
    expect((await withToken(answer.json().access_token)).status).toBe(200);
    const direct = await registry.ask("HEAD", image, { headers: { ...accept, ...basic(username, password) } });
    expect(direct.status).toBe(200);
  });

  test("a refresh token is the password of the user whose name is all zeros", async () => {
    const answer = await basicToken(tokenUser, await refreshToken());
    expect((await withToken(answer.json().access_token)).status).toBe(200);
    expect((await basicToken("someone else", await refreshToken())).status).toBe(401);
  });

  test("the password grant signs in as well", async () => {
    const answer = await registry.form("/oauth2/token", [
      ["grant_type", "password"],
      ["service", host],
      ["username", "ci"],
      ["password", "one"],
      ["scope", pull],
    ]);
    expect((await withToken(answer.json().access_token)).status).toBe(200);
  });

  test.each([
    ["a wrong password", "myregistry", "wrong"],
    ["a wrong token password", "ci", "three"],
    ["a disabled token", "off", "one"],
    ["a service principal's wrong secret", "app", "wrong"],
    ["a service principal of another tenant", "foreign app", "sp secret"],
    ["an Entra token as it is", tokenUser, "reader"],
    ["nothing", "", ""],
  ])("%s is refused, by the token service and with Basic itself", async (_, username, password) => {
    expect((await basicToken(username, password)).status).toBe(401);
    const direct = await registry.ask("HEAD", image, { headers: { ...accept, ...basic(username, password) } });
    expect(direct.status).toBe(401);
  });

  test("a repository-scoped token opens its repositories and actions only", async () => {
    const secret = await basicToken("ci", "one", "repository:secret/app:pull");
    expect((await withToken(secret.json().access_token, "/v2/secret/app/manifests/v1")).status).toBe(401);
    const remove = await basicToken("ci", "one", "repository:samples/app:delete");
    expect((await withToken(remove.json().access_token, "/acr/v1/samples/app/_tags/v1", "DELETE")).status).toBe(401);
    const direct = await registry.ask("GET", "/v2/secret/app/manifests/v1", { headers: basic("ci", "one") });
    expect(direct.status).toBe(401);
    const read = await basicToken("ci", "one", "repository:samples/app:metadata_read");
    expect((await withToken(read.json().access_token, "/acr/v1/samples/app/_tags/v1", "GET")).status).toBe(200);
  });

  test("without an admin user nobody is admin", async () => {
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

  test("is refused unless the registry allows it", async () => {
    await start();
    expect((await registry.ask("GET", `/oauth2/token?service=${host}&scope=${pull}`)).status).toBe(401);
    expect((await anonymousForm()).status).toBe(401);
  });

  test("still goes by token, and only reads", async () => {
    await start({ anonymousPull: true });
    expect((await registry.ask("HEAD", image)).status).toBe(401);
    const byGet = await registry.ask("GET", `/oauth2/token?service=${host}&scope=${pull},push`);
    expect(claimsOf(byGet.json().access_token).access).toEqual([
      { type: "repository", name: "samples/app", actions: ["pull"] },
    ]);
    expect((await withToken((await anonymousForm()).json().access_token)).status).toBe(200);
  });
});
