/** The registry client against the emulated registries of Docker Hub, Microsoft and Azure. */
import { readFileSync } from "node:fs";
import { failureOf } from "../../provider/failure/failure";
import { type Digest, parseDigest } from "../../provider/reference/digest";
import { entryFor, RegistryClient, type RegistryCredential } from "../../provider/registry/client";
import { CONNECTIONS_PER_HOST } from "../../provider/registry/transport/agents";
import { send } from "../../provider/registry/transport/send";
import { countByHost, startTestEmulator, type TestEmulator } from "../support/emulator";
import { trust } from "../support/trust";

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator();
  trust(readFileSync(emulator.server.ca, "utf8"));
  process.env.HTTPS_PROXY = emulator.server.proxy;
});
beforeEach(async () => {
  await emulator.control.faults();
  await emulator.control.clearRequests();
});

const anonymous: RegistryCredential = { kind: "anonymous" };
const source = (host: string, credential: RegistryCredential = anonymous, isAzure = false) =>
  new RegistryClient({ host, side: "source", credential, isAzure, timeoutMs: 100_000 });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no failure",
    (error) => failureOf(error)?.code ?? String(error),
  );
const requested = async () =>
  (await emulator.control.requests()).map(({ method, host, path }) => `${method} ${host}${path.split("?")[0]}`);

/** An Entra token for the Azure identity of the run. */
async function entraToken(): Promise<string> {
  const { ARM_TENANT_ID: tenant, ARM_CLIENT_ID: id = "", ARM_CLIENT_SECRET: secret = "" } = emulator.env;
  const response = await send(
    {
      method: "POST",
      url: `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: id,
        client_secret: secret,
        scope: "https://containerregistry.azure.net/.default",
      }).toString(),
    },
    { deadline: 0 },
  );
  return JSON.parse(response.body.toString("utf8")).access_token;
}
const entra: RegistryCredential = { kind: "entra", token: entraToken };

describe("Docker Hub", () => {
  test("resolves a public image by one token and one HEAD, and its platforms by one more GET", async () => {
    const expected = await emulator.control.image("docker.io/library/hello-world:latest");
    const hub = source("docker.io");
    const found = await hub.head("library/hello-world", "latest");
    expect(found).toMatchObject({ digest: expected.digest, mediaType: expected.mediaType });
    expect(await requested()).toEqual([
      "GET auth.docker.io/token",
      "HEAD registry-1.docker.io/v2/library/hello-world/manifests/latest",
    ]);
    const manifest = await hub.manifest("library/hello-world", "latest");
    expect(manifest?.platforms.length).toBeGreaterThan(1);
    for (const platform of manifest?.platforms ?? []) {
      const entry = manifest && entryFor(manifest, platform);
      expect((await hub.manifest("library/hello-world", entry?.digest ?? ""))?.descriptor.digest).toBe(entry?.digest);
    }
    expect(await hub.listTags("library/hello-world", 1000)).toContainEqual({ tag: "latest" });
    expect(await hub.head("library/hello-world", "no-such-tag")).toBeUndefined();
  });

  test("accepts an account, rejects wrong credentials, and denies a private repository", async () => {
    const user: RegistryCredential = { kind: "password", username: "emulator", password: "dckr_pat_emulator" };
    expect(await source("docker.io", user).head("tensorflow/tensorflow", "latest-gpu")).toBeDefined();
    const wrong: RegistryCredential = { ...user, password: "dckr_pat_wrong" };
    expect(await codeOf(source("docker.io", wrong).head("tensorflow/tensorflow", "latest-gpu"))).toBe(
      "SOURCE_CREDENTIALS_REJECTED",
    );
    expect(await codeOf(source("docker.io").head("emulator/private", "latest"))).toBe("SOURCE_ACCESS_DENIED");
  });

  test("notices a tag that moves", async () => {
    const hub = source("docker.io");
    const before = await hub.head("library/hello-world", "latest");
    const moved = await emulator.control.moveTag("docker.io/library/hello-world:latest");
    expect(moved.digest).not.toBe(before?.digest);
    expect((await hub.head("library/hello-world", "latest"))?.digest).toBe(moved.digest);
  });
});

test("needs no token for Microsoft Container Registry", async () => {
  const mcr = source("mcr.microsoft.com");
  expect(await mcr.head("windows/servercore", "ltsc2019")).toBeDefined();
  expect(await mcr.head("windows/servercore", "ltsc2019")).toBeDefined();
  expect((await requested()).map((request) => request.split("/")[0])).toEqual([
    "GET mcr.microsoft.com",
    "HEAD mcr.microsoft.com",
    "HEAD mcr.microsoft.com",
  ]);
});

describe("Azure registries", () => {
  test("exchanges an Entra token for a token of the registry", async () => {
    await entraToken();
    await emulator.control.clearRequests();
    expect(await source("mysourceregistry.azurecr.io", entra, true).head("aci-helloworld", "latest")).toBeDefined();
    expect((await requested()).filter((request) => request.includes("azurecr"))).toEqual([
      "POST mysourceregistry.azurecr.io/oauth2/exchange",
      "POST mysourceregistry.azurecr.io/oauth2/token",
      "HEAD mysourceregistry.azurecr.io/v2/aci-helloworld/manifests/latest",
    ]);
  });

  test("rejects the Entra token of another tenant, and accepts a repository-scoped token", async () => {
    const host = "othertenantsource.azurecr.io";
    const scoped: RegistryCredential = { kind: "password", username: "importer", password: "importer-token-password" };
    expect(await codeOf(source(host, entra, true).head("aci-helloworld", "latest"))).toBe(
      "SOURCE_CREDENTIALS_REJECTED",
    );
    expect(await source(host, scoped, true).head("aci-helloworld", "latest")).toBeDefined();
    expect(await source(host, scoped).head("aci-helloworld", "latest")).toBeDefined();
    expect(await codeOf(source(host, { ...scoped, password: "wrong" }, true).head("aci-helloworld", "latest"))).toBe(
      "SOURCE_CREDENTIALS_REJECTED",
    );
    expect(await codeOf(source(host, anonymous, true).head("aci-helloworld", "latest"))).toBe("SOURCE_ACCESS_DENIED");
  });

  test("accepts an Entra token as password, and the credentials of a service principal", async () => {
    const host = "mysourceregistry.azurecr.io";
    const token: RegistryCredential = { kind: "password", password: await entraToken() };
    expect(await source(host, token, true).head("aci-helloworld", "latest")).toBeDefined();
    const { ARM_CLIENT_ID: username = "", ARM_CLIENT_SECRET: password = "" } = emulator.env;
    expect(
      await source(host, { kind: "password", username, password }, true).head("aci-helloworld", "latest"),
    ).toBeDefined();
  });

  test("reports a blocked network when public access is disabled", async () => {
    expect(await codeOf(source("privatesource.azurecr.io", entra, true).head("aci-helloworld", "latest"))).toBe(
      "SOURCE_NETWORK_BLOCKED",
    );
  });

  test("lists tags with their digests, by the OCI list where a token may only pull", async () => {
    const host = "mysourceregistry.azurecr.io";
    const names = Array.from({ length: 101 }, (_, index) => `1.${index}`);
    const made = await Promise.all(names.map((tag) => emulator.control.moveTag(`${host}/listed:${tag}`)));
    const expected = names.map((tag, index) => ({ tag, digest: made[index]?.digest }));
    await emulator.control.clearRequests();
    const tags = await source(host, entra, true).listTags("listed", 101);
    expect(tags).toHaveLength(101);
    expect(tags).toEqual(expect.arrayContaining(expected));
    const lists = (await emulator.control.requests()).filter(({ path }) => path.includes("_tags"));
    expect(lists.map(({ status }) => status)).toEqual([200, 200]);

    const passwords = ["puller-password"];
    const scopedTokens = [{ name: "puller", passwords, repositories: { listed: ["content/read"] } }];
    await emulator.control.call("PATCH", `/registries/${host.split(".")[0]}`, {}, { scopedTokens });
    const puller: RegistryCredential = { kind: "password", username: "puller", password: "puller-password" };
    const byName = await source(host, puller, true).listTags("listed", 1000);
    expect(byName).toEqual([...names].sort().map((tag) => ({ tag })));
    expect(await codeOf(source(host, { ...puller, password: "wrong" }, true).listTags("listed", 1000))).toBe(
      "SOURCE_CREDENTIALS_REJECTED",
    );
    expect(await codeOf(source(host, puller, true).listTags("other", 1000))).toBe("SOURCE_ACCESS_DENIED");
  });

  test("lists the tags of a digest, locks, untags and deletes", async () => {
    const registry = new RegistryClient({
      host: "myregistry.azurecr.io",
      side: "target",
      credential: entra,
      isAzure: true,
      timeoutMs: 100_000,
    });
    const made = await emulator.control.moveTag("myregistry.azurecr.io/team/app:1");
    const digest: Digest = parseDigest(made.digest);
    expect((await registry.head("team/app", "1"))?.digest).toBe(digest);
    expect(await registry.tagsOf("team/app", digest)).toEqual(["1"]);
    expect(await registry.listReferrers("team/app", digest)).toEqual({ referrers: [], hasApi: true, cosignTags: [] });
    await registry.changeLock("team/app", "1", { writeEnabled: false, deleteEnabled: false });
    expect(await registry.readLock("team/app", "1")).toEqual({ writeEnabled: false, deleteEnabled: false });
    expect(await registry.readLock("team/app", digest)).toEqual({ writeEnabled: true, deleteEnabled: true });
    expect(await codeOf(registry.untag("team/app", "1"))).toBe("TARGET_LOCKED");
    await registry.changeLock("team/app", "1", { writeEnabled: true, deleteEnabled: true });
    await registry.untag("team/app", "1");
    await registry.untag("team/app", "1");
    expect(await registry.head("team/app", "1")).toBeUndefined();
    expect(await registry.tagsOf("team/app", digest)).toEqual([]);
    expect((await registry.head("team/app", digest))?.digest).toBe(digest);
    await registry.deleteManifest("team/app", digest);
    await registry.deleteManifest("team/app", digest);
    expect(await registry.head("team/app", digest)).toBeUndefined();
  });
});

describe("faults", () => {
  const head = () => source("docker.io").head("library/hello-world", "latest");
  const host = "registry-1.docker.io";

  test("replaces a token that has expired", async () => {
    const hub = source("docker.io");
    await hub.head("library/hello-world", "latest");
    await emulator.control.faults({ host, method: "HEAD", expireToken: true, times: 1 });
    expect(await hub.head("library/hello-world", "latest")).toBeDefined();
  });

  test("retries after 429 and a reset", async () => {
    await emulator.control.faults(
      { host, method: "HEAD", status: 429, headers: { "retry-after": "1" }, times: 2 },
      { host: "auth.docker.io", reset: true, times: 1 },
    );
    expect(await head()).toBeDefined();
  });

  test("copes with a missing digest and a truncated body, and rejects a wrong digest", async () => {
    const expected = await emulator.control.image("docker.io/library/hello-world:latest");
    await emulator.control.faults({ host, method: "HEAD", dropHeaders: ["Docker-Content-Digest"] });
    expect((await head())?.digest).toBe(expected.digest);
    const wrong = `sha256:${"0".repeat(64)}`;
    await emulator.control.faults({
      host,
      method: "GET",
      path: "/manifests/",
      setHeaders: { "Docker-Content-Digest": wrong },
    });
    expect(await codeOf(source("docker.io").manifest("library/hello-world", "latest"))).toBe("SOURCE_INVALID_RESPONSE");
    await emulator.control.faults({ host, method: "GET", path: "/manifests/", truncateBody: 10, times: 1 });
    expect((await source("docker.io").manifest("library/hello-world", "latest"))?.descriptor.digest).toBe(
      expected.digest,
    );
  });

  test("reports a host that does not exist", async () => {
    expect(await codeOf(source("no-such-registry.example.com").head("app", "1"))).toBe("SOURCE_UNREACHABLE");
  });
});

test("resolves 100 images of a repository with one token and at most 32 connections", async () => {
  const hub = source("docker.io");
  const references = Array.from({ length: 100 }, (_, at) => `t${at}`);
  for (const tag of references) await emulator.control.moveTag(`docker.io/library/many:${tag}`);
  await emulator.control.clearRequests();
  const found = await Promise.all(references.map((tag) => hub.head("library/many", tag)));
  expect(new Set(found.map((one) => one?.digest)).size).toBe(100);
  const requests = await emulator.control.requests();
  const heads = requests.filter(({ method }) => method === "HEAD");
  expect(heads).toHaveLength(100);
  expect(new Set(heads.map(({ tunnel }) => tunnel)).size).toBeLessThanOrEqual(CONNECTIONS_PER_HOST);
  expect(requests.filter(({ host }) => host === "auth.docker.io")).toHaveLength(1);
});

describe("one token for several repositories of Docker Hub", () => {
  const names = Array.from({ length: 100 }, (_, at) => `library/each${at}`);
  const settings = (changes: object) => emulator.control.call("PUT", "/settings", {}, changes);
  beforeAll(async () => {
    for (const name of names) await emulator.control.moveTag(`docker.io/${name}:1`);
  });
  afterEach(() => settings({ severalScopes: "all", opaqueTokens: false }));

  /** Resolves an image in each repository; returns the failures, and how many requests the two hosts got. */
  async function lookUp(repositories: readonly string[]) {
    const hub = source("docker.io");
    await emulator.control.clearRequests();
    const codes = await Promise.all(repositories.map((name) => codeOf(hub.head(name, "1"))));
    const { "auth.docker.io": tokens, "registry-1.docker.io": lookUps } = countByHost(
      await emulator.control.requests(),
    );
    return { failures: codes.filter((code) => code !== "no failure"), tokens, lookUps };
  }

  test.each([
    [1, 1],
    [10, 1],
    [20, 1],
    [21, 2],
    [100, 5],
  ])("%i repositories take %i", async (many, tokens) => {
    expect(await lookUp(names.slice(0, many))).toEqual({ failures: [], tokens, lookUps: many });
  });

  test.each([
    ["grants the first only", { severalScopes: "first" }, { tokens: 100, lookUps: 100 }],
    ["rejects several scopes", { severalScopes: "rejected" }, { tokens: 105, lookUps: 100 }],
    ["issues opaque tokens", { opaqueTokens: true }, { tokens: 5, lookUps: 100 }],
    // 95 look-ups are refused before they ask alone.
    [
      "grants the first only, by opaque tokens",
      { severalScopes: "first", opaqueTokens: true },
      { tokens: 100, lookUps: 195 },
    ],
  ])("a service that %s", async (_what, changes, expected) => {
    await settings(changes);
    expect(await lookUp(names)).toEqual({ failures: [], ...expected });
  });

  test.each([
    ["grants the others", { severalScopes: "all" }],
    ["grants the others, by an opaque token", { severalScopes: "all", opaqueTokens: true }],
    ["refuses them all", { severalScopes: "allOrNothing" }],
  ])("a private or missing one among them fails alone where the service %s", async (_what, changes) => {
    await settings(changes);
    const repositories = [...names.slice(0, 10), "emulator/private", "library/missing"];
    expect((await lookUp(repositories)).failures).toEqual(["SOURCE_ACCESS_DENIED", "SOURCE_ACCESS_DENIED"]);
  });
});
