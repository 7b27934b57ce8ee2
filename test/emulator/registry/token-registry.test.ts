/** Tests of registries with a token service, among them Docker Hub. */
import { basicRegistry } from "../../../emulator/registry/basic-registry";
import { dockerHub } from "../../../emulator/registry/docker-hub";
import { makeImage } from "../../../emulator/registry/make-image";
import { mediaTypes } from "../../../emulator/registry/manifest";
import { RegistryStore } from "../../../emulator/registry/registry-store";
import {
  type TokenRegistryOptions,
  type TokenServiceOptions,
  tokenRegistry,
} from "../../../emulator/registry/token-registry";
import { type Answer, basic, bearer, type Listening, listen } from "./listening";

const accept = { accept: Object.values(mediaTypes).join(", ") };
const open: Listening[] = [];

async function opened(listening: Promise<Listening>): Promise<Listening> {
  open.push(await listening);
  return listening;
}

afterEach(() => Promise.all(open.splice(0).map(({ close }) => close())));

describe("Docker Hub", () => {
  const account = {
    username: "emulator",
    password: "dckr_pat_emulator",
    privateRepositories: ["emulator/private", "org/private"],
  };
  let store: RegistryStore;
  let registry: Listening;
  let auth: Listening;

  beforeEach(async () => {
    store = new RegistryStore();
    for (const name of ["library/hello-world", "emulator/private", "org/private"]) makeImage(store, name, "latest");
    const hub = dockerHub({ store, accounts: [account, { username: "other", password: "pat" }] });
    registry = await opened(listen(hub.registry, "registry-1.docker.io"));
    auth = await opened(listen(hub.auth, "auth.docker.io"));
  });

  const manifest = (name: string) => `/v2/${name}/manifests/latest`;

  async function pull(name: string, headers: Record<string, string> = {}, action = "pull"): Promise<Answer> {
    const query = `service=registry.docker.io&scope=repository:${name}:${action}`;
    const { token, access_token } = (await auth.request("GET", `/token?${query}`, { headers })).json();
    expect(access_token).toBe(token);
    return registry.request("HEAD", manifest(name), { headers: { ...accept, ...bearer(token) } });
  }

  test("challenges with auth.docker.io, and with the scope of a repository", async () => {
    const service = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"';
    expect((await registry.request("GET", "/v2/")).challenges).toEqual([service]);
    const head = await registry.request("HEAD", manifest("library/hello-world"));
    expect(head.challenges).toEqual([`${service},scope="repository:library/hello-world:pull"`]);
  });

  test("an anonymous token pulls public images", async () => {
    expect((await pull("library/hello-world")).headers["docker-content-digest"]).toBe(
      store.tag("library/hello-world", "latest")?.digest,
    );
  });

  test.each(["emulator/private", "org/private"])("only its account pulls %s", async (name) => {
    expect((await pull(name, basic("emulator", "dckr_pat_emulator"))).status).toBe(200);
    expect((await pull(name)).status).toBe(401);
    expect((await pull(name, basic("other", "pat"))).status).toBe(401);
  });

  test("an unknown repository gets the same response as a private one", async () => {
    const absent = await pull("library/none");
    expect(absent.status).toBe(401);
    expect(absent.challenges[0]).toContain('error="insufficient_scope"');
  });

  test.each([
    ["a wrong password", basic("emulator", "wrong")],
    ["an unknown account", basic("nobody", "dckr_pat_emulator")],
    ["half a credential", { authorization: "Basic ZW11bGF0b3I=" }],
    ["another scheme", { authorization: "Bearer dckr_pat_emulator" }],
  ])("rejects %s, even for public images", async (_, headers) => {
    const path = "/token?service=registry.docker.io&scope=repository:library/hello-world:pull";
    const response = await auth.request("GET", path, { headers });
    expect([response.status, response.json().token]).toEqual([401, undefined]);
  });

  test("accounts push to their own namespace only", async () => {
    const tokenFor = async (name: string) => {
      const path = `/token?service=registry.docker.io&scope=repository:${name}:pull,push`;
      return (await auth.request("GET", path, { headers: basic("emulator", "dckr_pat_emulator") })).json().token;
    };
    const push = async (name: string) =>
      (await registry.request("POST", `/v2/${name}/blobs/uploads/`, { headers: bearer(await tokenFor(name)) })).status;
    expect([await push("emulator/app"), await push("library/hello-world")]).toEqual([202, 401]);
  });

  test("the password grant gets a token", async () => {
    const fields = { grant_type: "password", service: "registry.docker.io", scope: "repository:emulator/private:pull" };
    const body = new URLSearchParams({ ...fields, username: "emulator", password: "dckr_pat_emulator" }).toString();
    const { access_token } = (await auth.request("POST", "/token", { body })).json();
    const headers = { ...accept, ...bearer(access_token) };
    expect((await registry.request("HEAD", manifest("emulator/private"), { headers })).status).toBe(200);
    const wrong = new URLSearchParams({ ...fields, username: "emulator", password: "wrong" }).toString();
    expect((await auth.request("POST", "/token", { body: wrong })).status).toBe(401);
  });

  test("a client that does not accept an index gets a 404", async () => {
    const path = "/token?service=registry.docker.io&scope=repository:library/hello-world:pull";
    const { token } = (await auth.request("GET", path)).json();
    const headers = { accept: mediaTypes.dockerManifest, ...bearer(token) };
    expect((await registry.request("HEAD", manifest("library/hello-world"), { headers })).status).toBe(404);
  });
});

describe("other token registries", () => {
  const user = { username: "user", password: "secret" };

  async function start(options: Partial<TokenRegistryOptions>): Promise<{ registry: Listening; auth: Listening }> {
    const store = new RegistryStore();
    makeImage(store, "owner/app", "v1");
    const { registry, auth } = tokenRegistry({
      store,
      realm: "https://ghcr.example/token",
      service: "ghcr.example",
      accounts: [user],
      allows: (account) => account !== undefined,
      ...options,
    });
    return { registry: await opened(listen(registry)), auth: await opened(listen(auth)) };
  }

  const manifest = "/v2/owner/app/manifests/v1";
  const token = "/token?service=ghcr.example&scope=repository:owner/app:pull";

  test("like GitHub's: a placeholder scope for /v2/, the real one for a manifest", async () => {
    const { registry } = await start({ pingScope: "repository:user/image:pull" });
    expect((await registry.request("GET", "/v2/")).challenges[0]).toContain('scope="repository:user/image:pull"');
    expect((await registry.request("HEAD", manifest)).challenges[0]).toContain('scope="repository:owner/app:pull"');
  });

  test.each([
    [
      ["bearer", "basic"],
      true,
      ['Bearer realm="https://ghcr.example/token",service="ghcr.example", Basic realm="ghcr.example"'],
    ],
    [
      ["basic", "bearer"],
      false,
      ['Basic realm="ghcr.example"', 'Bearer realm="https://ghcr.example/token",service="ghcr.example"'],
    ],
  ] as const)("like Harbor's: challenges %j, in one line: %s", async (challenges, joinChallenges, expected) => {
    const { registry } = await start({ challenges, joinChallenges });
    expect((await registry.request("GET", "/v2/")).challenges).toEqual(expected);
    expect((await registry.request("HEAD", manifest, { headers: basic("user", "secret") })).status).toBe(200);
    expect((await registry.request("HEAD", manifest, { headers: basic("user", "wrong") })).status).toBe(401);
  });

  test("rejects Basic where it is not offered", async () => {
    const { registry } = await start({});
    expect((await registry.request("HEAD", manifest, { headers: basic("user", "secret") })).status).toBe(401);
  });

  test.each([
    ["token", ["token"]],
    ["access_token", ["access_token"]],
    ["both", ["access_token", "token"]],
  ] as const)("the token comes in: %s", async (tokenField, fields) => {
    const { auth } = await start({ tokenField });
    const response = (await auth.request("GET", token, { headers: basic("user", "secret") })).json();
    expect(
      Object.keys(response)
        .filter((field) => field.endsWith("token"))
        .sort(),
    ).toEqual(fields);
  });

  test("rejects a token that has expired or is for another registry", async () => {
    const expired = await start({ tokens: { tokenLifetime: -1 } });
    const late = (await expired.auth.request("GET", token, { headers: basic("user", "secret") })).json().token;
    expect((await expired.registry.request("HEAD", manifest, { headers: bearer(late) })).status).toBe(401);
    const { registry } = await start({});
    const other = await start({});
    const foreign = (await other.auth.request("GET", token, { headers: basic("user", "secret") })).json().token;
    expect((await other.registry.request("HEAD", manifest, { headers: bearer(foreign) })).status).toBe(200);
    expect((await registry.request("HEAD", manifest, { headers: bearer(foreign) })).status).toBe(401);
  });

  describe("asked for several scopes", () => {
    const names = ["owner/app", "owner/private", "owner/more"];

    /** Requests one token for the repositories, and returns which of them it opens. */
    async function open(tokens: TokenServiceOptions, requested = names): Promise<number | string[]> {
      const store = new RegistryStore();
      for (const name of names) makeImage(store, name, "v1");
      const { registry, auth } = await start({
        store,
        tokens,
        allows: (_account, _action, name) => name !== "owner/private",
      });
      const scopes = requested.map((name) => `&scope=repository:${name}:pull`).join("");
      const response = await auth.request("GET", `/token?service=ghcr.example${scopes}`);
      if (response.status !== 200) return response.status;
      const token = String(response.json().token);
      expect(token.split(".")).toHaveLength(tokens.opaqueTokens ? 1 : 3);
      const opened: string[] = [];
      for (const name of names) {
        const { status } = await registry.request("HEAD", `/v2/${name}/manifests/v1`, { headers: bearer(token) });
        if (status === 200) opened.push(name);
      }
      return opened;
    }

    test.each([{}, { opaqueTokens: true }])(
      "grants those that the client may have, and no other: %j",
      async (tokens) => {
        expect(await open(tokens)).toEqual(["owner/app", "owner/more"]);
        expect(await open(tokens, ["owner/more", "owner/none"])).toEqual(["owner/more"]);
        expect(await open(tokens, ["owner/private"])).toEqual([]);
      },
    );

    test.each([{}, { opaqueTokens: true }])("grants the first only: %j", async (tokens) => {
      expect(await open({ ...tokens, severalScopes: "first" })).toEqual(["owner/app"]);
      expect(await open({ ...tokens, severalScopes: "first" }, ["owner/private", "owner/app"])).toEqual([]);
    });

    test("refuses all where it refuses one", async () => {
      expect(await open({ severalScopes: "allOrNothing" })).toBe(403);
      expect(await open({ severalScopes: "allOrNothing" }, ["owner/app", "owner/more"])).toEqual([
        "owner/app",
        "owner/more",
      ]);
      expect(await open({ severalScopes: "allOrNothing" }, ["owner/private"])).toEqual([]);
    });

    test("rejects the request", async () => {
      expect(await open({ severalScopes: "rejected" })).toBe(400);
      expect(await open({ severalScopes: "rejected" }, ["owner/app"])).toEqual(["owner/app"]);
    });
  });

  test("the token service rejects another service", async () => {
    const { auth } = await start({});
    expect((await auth.request("GET", "/token?service=other&scope=repository:owner/app:pull")).status).toBe(400);
  });
});

test("a registry with Basic challenges with its realm, and rejects a wrong password", async () => {
  const store = new RegistryStore();
  makeImage(store, "app", "v1");
  const registry = await opened(
    listen(basicRegistry({ store, realm: "running", accounts: [{ username: "user", password: "pass:word" }] })),
  );
  const refused = await registry.request("HEAD", "/v2/app/manifests/v1");
  expect([refused.status, refused.challenges]).toEqual([401, ['Basic realm="running"']]);
  expect((await registry.request("HEAD", "/v2/app/manifests/v1", { headers: basic("user", "wrong") })).status).toBe(
    401,
  );
  expect((await registry.request("HEAD", "/v2/app/manifests/v1", { headers: basic("user", "pass:word") })).status).toBe(
    200,
  );
});
