/** Tests of the data planes of registries: network rules, roles, login servers, replicas. */
import { randomUUID } from "node:crypto";
import { useEmulator } from "../support/emulator";
import { Caller, Client, type HttpResponse, registryId } from "./client";

const manifestTypes = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
const registryAudience = "https://containerregistry.azure.net";

const running = useEmulator();
const client = new Client(running);
const caller = Caller.as(client);

const change = (name: string, properties: object) =>
  running.control.call("PATCH", `/registries/${name}`, {}, properties);

/** Reads a tag as clients do: exchanges an Entra token, gets an access token, sends HEAD. */
async function readTag(
  host: string,
  repository: string,
  tag: string,
  clientId = running.env.ARM_CLIENT_ID,
): Promise<HttpResponse> {
  const identity = running.server.state.identities.find((candidate) => candidate.clientId === clientId);
  if (!identity) throw new Error("no such identity");
  const entra = running.server.tokens.issue(identity, registryAudience).token;
  const exchange = await client.form(`https://${host}/oauth2/exchange`, {
    grant_type: "access_token",
    service: host,
    access_token: entra,
  });
  if (exchange.status !== 200) return exchange;
  const { access_token } = (
    await client.form(`https://${host}/oauth2/token`, {
      grant_type: "refresh_token",
      service: host,
      scope: `repository:${repository}:pull`,
      refresh_token: exchange.json<{ refresh_token: string }>().refresh_token,
    })
  ).json<{ access_token: string }>();
  const headers = { authorization: `Bearer ${access_token}`, accept: manifestTypes };
  return client.request(`https://${host}/v2/${repository}/manifests/${tag}`, { method: "HEAD", headers });
}

const digestOf = (response: HttpResponse) => response.headers["docker-content-digest"];

describe("network rules", () => {
  test("a registry without public access blocks the client on every path, and names its address", async () => {
    for (const path of ["/v2/", "/oauth2/token?service=x", "/acr/v1/_catalog"]) {
      const response = await client.request(`https://privatesource.azurecr.io${path}`);
      expect(response.status).toBe(403);
      expect(response.json()).toEqual({
        errors: [
          {
            code: "DENIED",
            message:
              "client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
          },
        ],
      });
    }
  });

  test("an IP rule allows the client", async () => {
    await change("mysourceregistry", { defaultAction: "Deny" });
    expect((await client.request("https://mysourceregistry.azurecr.io/v2/")).status).toBe(403);
    await change("mysourceregistry", { ipRules: ["203.0.113.7"] });
    expect((await client.request("https://mysourceregistry.azurecr.io/v2/")).status).toBe(401);
    await change("mysourceregistry", { defaultAction: "Allow", ipRules: [] });
  });
});

describe("identities", () => {
  test("pulling needs a role, signing in needs the registry's tenant", async () => {
    const read = (clientId?: string) => readTag("mysourceregistry.azurecr.io", "aci-helloworld", "latest", clientId);
    expect((await read()).status).toBe(200);
    expect((await read("cccccccc-0000-4000-8000-000000000001")).status).toBe(200);
    expect((await read("dddddddd-0000-4000-8000-000000000001")).status).toBe(401);
    expect((await read("eeeeeeee-0000-4000-8000-000000000001")).status).toBe(401);
  });

  test("a removed role assignment has no effect any more", async () => {
    const reader = "cccccccc-0000-4000-8000-00000000000f";
    await running.control.call("DELETE", "/roles", { principalId: reader });
    const response = await readTag(
      "mysourceregistry.azurecr.io",
      "aci-helloworld",
      "latest",
      "cccccccc-0000-4000-8000-000000000001",
    );
    expect(response.status).toBe(401);
    const scope = registryId("mysourceregistry");
    await running.control.call(
      "PUT",
      "/state",
      {},
      { roleAssignments: [{ principalId: reader, role: "AcrPull", scope }] },
    );
  });
});

describe("the role assignment mode of a registry decides which roles its data plane honours", () => {
  const clientId = randomUUID();
  const objectId = randomUUID();
  const tenantId = "11111111-1111-4111-8111-111111111111";
  const host = "roles.azurecr.io";
  const read = ["pull", "metadata_read"];
  const write = [...read, "push", "metadata_write"];

  beforeAll(async () => {
    await running.control.call("PUT", "/registries/roles");
    const identity = { tenantId, clientId, objectId, name: "roles", secrets: [] };
    await running.control.call("PUT", "/state", {}, { identities: [identity] });
  });

  /** An access token that is requested with every action, for an identity with this role only. */
  async function tokenOf(role: string): Promise<string> {
    await running.control.call("DELETE", "/roles", { principalId: objectId });
    const roleAssignments = [{ principalId: objectId, role, scope: registryId("roles") }];
    await running.control.call("PUT", "/state", {}, { roleAssignments });
    const audience = "https://containerregistry.azure.net";
    const { token } = await running.control.call<{ token: string }>("POST", "/token", {}, { clientId, audience });
    const form = (path: string, fields: Record<string, string>) =>
      client.form(`https://${host}${path}`, { service: host, ...fields });
    const exchanged = await form("/oauth2/exchange", { grant_type: "access_token", access_token: token });
    const { refresh_token } = exchanged.json<{ refresh_token: string }>();
    const scope = "repository:app:delete,metadata_read,metadata_write,pull,push registry:catalog:*";
    const issued = await form("/oauth2/token", { grant_type: "refresh_token", refresh_token, scope });
    return issued.json<{ access_token: string }>().access_token;
  }

  async function grantedTo(role: string): Promise<string[]> {
    const [, claims = ""] = (await tokenOf(role)).split(".");
    const { access } = JSON.parse(Buffer.from(claims, "base64url").toString()) as {
      access: { type: string; actions: string[] }[];
    };
    return access.flatMap(({ type, actions }) => (type === "registry" ? ["catalog"] : actions));
  }

  test.each<[mode: string, role: string, granted: string[]]>([
    ["LegacyRegistryPermissions", "Owner", [...write, "delete", "catalog"]],
    ["LegacyRegistryPermissions", "Contributor", [...write, "delete", "catalog"]],
    ["LegacyRegistryPermissions", "AcrPull", [...read, "catalog"]],
    ["LegacyRegistryPermissions", "AcrPush", [...read, "push", "catalog"]],
    ["LegacyRegistryPermissions", "AcrDelete", ["delete"]],
    ["LegacyRegistryPermissions", "Container Registry Data Importer and Data Reader", [...read, "catalog"]],
    ["LegacyRegistryPermissions", "Container Registry Repository Reader", []],
    ["LegacyRegistryPermissions", "Container Registry Repository Contributor", []],
    ["AbacRepositoryPermissions", "Owner", []],
    ["AbacRepositoryPermissions", "Contributor", []],
    ["AbacRepositoryPermissions", "Reader", []],
    ["AbacRepositoryPermissions", "AcrPull", []],
    ["AbacRepositoryPermissions", "AcrPush", []],
    ["AbacRepositoryPermissions", "AcrDelete", []],
    ["AbacRepositoryPermissions", "Container Registry Data Importer and Data Reader", read],
    ["AbacRepositoryPermissions", "Container Registry Repository Reader", read],
    ["AbacRepositoryPermissions", "Container Registry Repository Writer", write],
    ["AbacRepositoryPermissions", "Container Registry Repository Contributor", [...write, "delete"]],
    ["AbacRepositoryPermissions", "Container Registry Repository Catalog Lister", ["catalog"]],
  ])("%s: %s", async (roleAssignmentMode, role, granted) => {
    await change("roles", { roleAssignmentMode });
    expect((await grantedTo(role)).sort()).toEqual([...granted].sort());
  });

  test.each<[mode: string, role: string, status: number]>([
    ["LegacyRegistryPermissions", "AcrPush", 401],
    ["LegacyRegistryPermissions", "Contributor", 200],
    ["AbacRepositoryPermissions", "AcrPush", 401],
    ["AbacRepositoryPermissions", "Contributor", 401],
    ["AbacRepositoryPermissions", "Container Registry Repository Writer", 200],
    ["AbacRepositoryPermissions", "Container Registry Repository Contributor", 200],
  ])("%s: a tag is locked by %s: %i", async (roleAssignmentMode, role, status) => {
    await running.control.moveTag(`${host}/app:1`);
    await change("roles", { roleAssignmentMode });
    const headers = { authorization: `Bearer ${await tokenOf(role)}` };
    const body = JSON.stringify({ writeEnabled: false, deleteEnabled: false });
    const url = `https://${host}/acr/v1/app/_tags/1`;
    expect((await client.request(url, { method: "PATCH", headers, body })).status).toBe(status);
    await running.control.call("DELETE", "/registries/roles");
    await running.control.call("PUT", "/registries/roles");
  });

  test("Resource Manager shows the mode and changes it", async () => {
    const body = { properties: { roleAssignmentMode: "AbacRepositoryPermissions" } };
    expect((await caller.send("PATCH", registryId("roles"), body)).json()).toMatchObject(body);
    expect((await caller.get(registryId("roles"))).json()).toMatchObject(body);
  });
});

describe("login servers", () => {
  const dnl = "dashed-a1b2c3d4e5.azurecr.io";

  beforeAll(() => running.control.call("PUT", "/registries/dashed", {}, { loginServer: dnl, replicas: ["eastus"] }));

  test("a registry with a domain name label has that login server only", async () => {
    expect((await client.request(`https://${dnl}/v2/`)).headers["www-authenticate"]).toContain(
      `realm="https://${dnl}/oauth2/token"`,
    );
    await expect(client.request("https://dashed.azurecr.io/v2/")).rejects.toThrow("403");
  });

  test.each(["dashed-a1b2c3d4e5.westus.geo.azurecr.io", "dashed-a1b2c3d4e5.eastus.geo.azurecr.io"])(
    "%s is a regional endpoint",
    async (host) => {
      expect((await client.request(`https://${host}/v2/`)).headers["www-authenticate"]).toContain(`service="${host}"`);
    },
  );

  test.each(["dashed-a1b2c3d4e5.northeurope.geo.azurecr.io", "dashed-a1b2c3d4e5.eastus.notgeo.azurecr.io"])(
    "%s is not a regional endpoint",
    async (host) => {
      await expect(client.request(`https://${host}/v2/`)).rejects.toThrow("403");
    },
  );
});

test("a replica that lags serves the old image at the login server, while the home region serves the new one", async () => {
  const repository = `r${randomUUID()}`;
  const source = { registryUri: "docker.io", sourceImage: "library/hello-world:latest" };
  const read = (host: string) => readTag(host, repository, "v1");
  const home = "myregistry.westus.geo.azurecr.io";
  const importing = () => caller.import({ source, targetTags: [`${repository}:v1`], mode: "Force" });

  const lag = (replicationLagMs: number) => change("myregistry", { replicationLagMs });

  await lag(60_000);
  expect((await importing()).status).toBe(200);
  const old = digestOf(await read(home));
  expect(old).toBe((await running.control.image("docker.io/library/hello-world:latest")).digest);
  expect((await read("myregistry.azurecr.io")).status).toBe(404);
  await lag(0);
  expect(digestOf(await read("myregistry.azurecr.io"))).toBe(old);

  await lag(60_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const moved = await running.control.moveTag("docker.io/library/hello-world:latest");
  await importing();
  expect(digestOf(await read(home))).toBe(moved.digest);
  expect(digestOf(await read("myregistry.azurecr.io"))).toBe(old);
  await lag(50);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(digestOf(await read("myregistry.azurecr.io"))).toBe(moved.digest);
  await lag(0);
});
