/** Tests of importImage: the operation, copying, tags, credentials, permissions, network rules. */
import { randomUUID } from "node:crypto";
import { looksLikeEntraToken } from "../../emulator/entra/token-service";
import type { ImageDescription } from "../../emulator/registry/make-image";
import { useEmulator } from "../support/emulator";
import { armError, Caller, Client, type HttpResponse, registryId, secondSubscription } from "./client";

const hello = "docker.io/library/hello-world:latest";
const dockerHub = { registryUri: "docker.io", sourceImage: "library/hello-world:latest" };
const withoutRights = "dddddddd-0000-4000-8000-000000000001";
const sourceReader = "cccccccc-0000-4000-8000-000000000001";
const otherTenantReader = "eeeeeeee-0000-4000-8000-000000000001";

const running = useEmulator();
const client = new Client(running);
const caller = Caller.as(client);
let repository: string;

beforeEach(() => {
  repository = `r${randomUUID()}`;
});

afterEach(async () => {
  await running.control.faults();
  await running.control.call("PUT", "/settings", {}, { importDurationMs: 0, retryAfter: 1, importErrorsIn: "message" });
});

const target = (name: string) => `myregistry.azurecr.io/${name}`;
const image = (reference: string) => running.control.image(reference);
const start = (body: unknown) => caller.send("POST", `${registryId("myregistry")}/importImage`, body);
const importing = (source: object, more: object = {}) =>
  caller.import({ source, targetTags: [`${repository}:v1`], ...more });

function expectFailure(response: HttpResponse, text: string | RegExp): void {
  expect(response.status).toBe(400);
  const { message } = armError(response);
  expect(message).toMatch(
    /^Operation registries-[0-9a-f-]{36} failed\. Resource \/subscriptions\/.*registries\/myregistry /,
  );
  expect(message).toMatch(text);
}

describe("the operation", () => {
  test("responds with an empty body, then with the first target while pending, then with success and no digest", async () => {
    await running.control.call("PUT", "/settings", {}, { importDurationMs: 100 });
    const accepted = await start({ source: dockerHub, targetTags: [`${repository}:v1`], mode: "NoForce" });
    expect(accepted.status).toBe(202);
    expect(accepted.text).toBe("");
    expect(accepted.headers["content-length"]).toBe("0");
    expect(accepted.headers["content-type"]).toBeUndefined();
    expect(accepted.headers["retry-after"]).toBe("1");
    expect(accepted.headers["azure-asyncoperation"]).toBeUndefined();
    const { location = "" } = accepted.headers;
    expect(location).toMatch(
      /^https:\/\/management\.azure\.com\/subscriptions\/[0-9a-f-]{36}\/providers\/Microsoft\.ContainerRegistry\/locations\/WESTUS\/operationResults\/registries-[0-9a-f-]{36}\?api-version=2025-11-01&t=\d{18}&c=[\w-]+&s=[\w-]+&h=[\w-]+$/,
    );
    expect(location.length).toBeGreaterThan(3000);
    expect(location.length).toBeLessThan(3600);

    const pending = await caller.get(location);
    expect(pending.status).toBe(202);
    expect(pending.text).toBe(`{"${repository}:v1":"Pending","status":"Accepted"}`);
    expect(pending.headers["retry-after"]).toBe("1");
    expect(pending.headers.location).toMatch(/operationResults/);
    expect(pending.headers.location).not.toBe(location);

    const done = await caller.poll(pending);
    expect([done.status, done.text]).toEqual([200, '{"status":"Succeeded"}']);
    expect(done.headers.location).toBeUndefined();
    expect(done.headers["retry-after"]).toBeUndefined();
    expect((await caller.get(location)).text).toBe('{"status":"Succeeded"}');
  });

  test("polling URLs are signed and expire", async () => {
    const { headers } = await start({ source: dockerHub, targetTags: [`${repository}:v1`] });
    const location = headers.location ?? "";
    const forged = location.replace(/&s=[^&]{8}/, "&s=AAAAAAAA");
    expect((await caller.get(forged)).status).toBe(403);
    expect((await caller.get(location.replace(/&c=[^&]*/, ""))).status).toBe(403);
    expect((await caller.get(location.replace(/&t=\d/, "&t=9"))).status).toBe(403);
    await running.control.call("PUT", "/settings", {}, { operationUrlLifetimeMs: 0 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(armError(await caller.get(location)).code).toBe("ExpiredOperationAddress");
    await running.control.call("PUT", "/settings", {}, { operationUrlLifetimeMs: 600_000 });
  });

  test("a failed operation makes the poll a 400 without Retry-After, with the reason in the message or in the details", async () => {
    const source = { registryUri: "docker.io", sourceImage: "library/nothere:1.0.0" };
    const plain = await importing(source);
    expectFailure(plain, /Unauthorized/);
    expect(plain.headers["retry-after"]).toBeUndefined();
    await running.control.call("PUT", "/settings", {}, { importErrorsIn: "details" });
    const { message, details = [] } = armError(await importing(source));
    expect(message).not.toMatch(/Operation/);
    expect(details[0]?.message).toMatch(/^Operation registries-.* failed\. /);
  });
});

test.each<[string, unknown, string, RegExp]>([
  ["no source", {}, "InvalidRequestContent", /'body' must be an object with 'source'/],
  ["no source image", { source: { registryUri: "docker.io" } }, "InvalidRequestContent", /'sourceImage'/],
  [
    "both kinds of source",
    { source: { ...dockerHub, resourceId: registryId("mysourceregistry") } },
    "InvalidParameters",
    /Exactly one/,
  ],
  ["neither kind of source", { source: { sourceImage: "a:1" } }, "InvalidParameters", /Exactly one/],
  [
    "credentials without password",
    { source: { ...dockerHub, credentials: { username: "u" } } },
    "InvalidRequestContent",
    /'password'/,
  ],
  [
    "credentials for a resource ID",
    { source: { resourceId: registryId("mysourceregistry"), sourceImage: "a:1", credentials: { password: "p" } } },
    "InvalidParameters",
    /registryUri/,
  ],
  [
    "an unknown member",
    { source: { ...dockerHub, platform: "linux/amd64" } },
    "InvalidRequestContent",
    /without 'platform'/,
  ],
  [
    "a host in the source image",
    { source: { registryUri: "docker.io", sourceImage: "docker.io/library/a:1" } },
    "InvalidParameters",
    /source image/,
  ],
  [
    "an upper-case repository",
    { source: { registryUri: "docker.io", sourceImage: "Library/A:1" } },
    "InvalidParameters",
    /source image/,
  ],
  [
    "a URL as registry",
    { source: { registryUri: "https://docker.io", sourceImage: "library/a:1" } },
    "InvalidParameters",
    /registryUri/,
  ],
  [
    "a malformed resource ID",
    { source: { resourceId: "mysourceregistry", sourceImage: "a:1" } },
    "InvalidParameters",
    /source\.documentId is invalid/,
  ],
  ["a malformed target tag", { source: dockerHub, targetTags: ["a:.x"] }, "InvalidParameters", /'a:\.x'/],
  [
    "a tag in an untagged repository",
    { source: dockerHub, untaggedTargetRepositories: ["a:1"] },
    "InvalidParameters",
    /'a:1'/,
  ],
  [
    "an unknown mode",
    { source: dockerHub, targetTags: ["a:1"], mode: "Sometimes" },
    "InvalidRequestContent",
    /one of NoForce, Force/,
  ],
  ["no target", { source: dockerHub }, "InvalidParameters", /targetTags/],
  ["a list that is none", { source: dockerHub, targetTags: "a:1" }, "InvalidRequestContent", /array of strings/],
])("a request with %s is refused at once", async (_case, body, code, message) => {
  const response = await start(body);
  expect([response.status, armError(response).code]).toEqual([400, code]);
  expect(armError(response).message).toMatch(message);
});

describe("copying", () => {
  test("copies every manifest and blob with equal digests, and no referrers", async () => {
    await running.control.moveTag(hello);
    await running.control.call(
      "PUT",
      "/referrer",
      { reference: hello },
      { artifactType: "application/vnd.example.sbom" },
    );
    await running.control.clearRequests();
    expect((await importing(dockerHub)).status).toBe(200);
    const upstream = await image(hello);
    expect(await image(target(`${repository}:v1`))).toEqual(upstream);

    const { store } = running.server.state.registries[0] ?? {};
    const index = store?.manifest(repository, upstream.digest);
    for (const child of index?.content.manifests ?? []) {
      const manifest = store?.manifest(repository, child.digest);
      for (const blob of [...(manifest?.content.layers ?? []), manifest?.content.config]) {
        expect(blob && store?.blob(repository, blob.digest)?.length).toBe(blob?.size);
      }
    }
    expect(index?.content.manifests).toHaveLength(8);
    expect(store?.referrers(repository, upstream.digest)).toEqual([]);

    const requests = await running.control.requests({ from: "azure" });
    expect(new Set(requests.map(({ host }) => host))).toEqual(new Set(["registry-1.docker.io", "auth.docker.io"]));
    const blobs = requests.filter(({ path }) => path.includes("/blobs/"));
    expect(new Set(blobs.map(({ status }) => status))).toEqual(new Set([206]));
    expect(await running.control.requests({ from: "client", host: "registry-1.docker.io" })).toEqual([]);
  });

  test("does not read blobs that the target has", async () => {
    await importing(dockerHub);
    await running.control.clearRequests();
    expect((await importing(dockerHub, { targetTags: [`${repository}-b:v1`] })).status).toBe(200);
    expect(await running.control.requests({ from: "azure", path: "/blobs/" })).toEqual([]);
  });

  test.each(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"])(
    "imports from Docker Hub as %s",
    async (registryUri) => {
      expect((await importing({ ...dockerHub, registryUri })).status).toBe(200);
    },
  );

  test("sets several tags, and none in untagged repositories", async () => {
    const more = {
      targetTags: [`${repository}:a`, `${repository}/b:c`, repository],
      untaggedTargetRepositories: [`${repository}/d`],
    };
    expect((await importing(dockerHub, more)).status).toBe(200);
    const { digest } = await image(hello);
    for (const name of [`${repository}:a`, `${repository}/b:c`, `${repository}:latest`, `${repository}/d@${digest}`]) {
      expect((await image(target(name))).digest).toBe(digest);
    }
    await expect(image(target(`${repository}/d:latest`))).rejects.toThrow("404");
  });

  test("imports by digest after the tag has moved", async () => {
    const old = await image("mcr.microsoft.com/windows/servercore:ltsc2019");
    await running.control.moveTag("mcr.microsoft.com/windows/servercore:ltsc2019");
    const source = { registryUri: "mcr.microsoft.com", sourceImage: `windows/servercore@${old.digest}` };
    expect((await importing(source)).status).toBe(200);
    expect(await image(target(`${repository}:v1`))).toEqual(old);
    expect(old.platforms).toEqual(["windows/amd64"]);
  });

  test.each(["helm", "artifact", "artifact-manifest", "manifest", "docker", "docker-list"])(
    "copies %s",
    async (kind) => {
      const reference = `mcr.microsoft.com/artifacts/${kind}:1`;
      const made = await running.control.call<ImageDescription>("PUT", "/image", { reference }, { kind });
      expect((await importing({ registryUri: "mcr.microsoft.com", sourceImage: `artifacts/${kind}:1` })).status).toBe(
        200,
      );
      expect((await image(target(`${repository}:v1`))).digest).toBe(made.digest);
    },
  );

  test("adds a tag within one registry", async () => {
    await importing(dockerHub);
    const source = { resourceId: registryId("myregistry"), sourceImage: `${repository}:v1` };
    expect((await importing(source, { targetTags: [`${repository}:v2`] })).status).toBe(200);
    expect((await image(target(`${repository}:v2`))).digest).toBe((await image(hello)).digest);
  });

  test("rejects an index of more than 50 manifests", async () => {
    const make = (manifests: number) =>
      running.control.call(
        "PUT",
        "/image",
        { reference: `mcr.microsoft.com/big:${manifests}` },
        { manifests, attestations: false },
      );
    await make(50);
    await make(51);
    expect((await importing({ registryUri: "mcr.microsoft.com", sourceImage: "big:50" })).status).toBe(200);
    expectFailure(
      await importing({ registryUri: "mcr.microsoft.com", sourceImage: "big:51" }, { targetTags: ["x:1"] }),
      /51 manifests.* is 50/,
    );
  });
});

describe("existing tags", () => {
  test("NoForce fails before it copies anything, even if the digest is equal", async () => {
    await importing(dockerHub);
    await running.control.clearRequests();
    const response = await importing(dockerHub, { targetTags: [`${repository}:new`, `${repository}:v1`] });
    expectFailure(response, new RegExp(` ${repository}:v1 Tag ${repository}:v1 already exists in target registry\\.$`));
    expect(await running.control.requests({ from: "azure" })).toEqual([]);
    await expect(image(target(`${repository}:new`))).rejects.toThrow("404");
  });

  test("Force moves the tag and keeps the old manifest", async () => {
    await importing(dockerHub);
    const old = await image(hello);
    const moved = await running.control.moveTag(hello);
    expect((await importing(dockerHub, { mode: "Force" })).status).toBe(200);
    expect(await image(target(`${repository}:v1`))).toEqual(moved);
    expect((await image(target(`${repository}@${old.digest}`))).digest).toBe(old.digest);
  });

  test("Force does not move a locked tag", async () => {
    await importing(dockerHub);
    const before = await image(target(`${repository}:v1`));
    await running.control.call("PATCH", "/image", { reference: target(`${repository}:v1`) }, { writeEnabled: false });
    await running.control.moveTag(hello);
    expectFailure(await importing(dockerHub, { mode: "Force" }), /operation is disallowed/);
    expect(await image(target(`${repository}:v1`))).toEqual(before);
  });

  test("nothing is imported into a locked repository, also without a tag", async () => {
    await importing(dockerHub);
    const { digest } = await running.control.moveTag(hello);
    const { store } = running.server.state.registries[0] ?? {};
    store?.setAttributes(repository, undefined, { writeEnabled: false });
    for (const place of [{ targetTags: [`${repository}:v2`] }, { untaggedTargetRepositories: [repository] }]) {
      expectFailure(await caller.import({ source: dockerHub, mode: "Force", ...place }), /operation is disallowed/);
    }
    await expect(image(target(`${repository}@${digest}`))).rejects.toThrow("404");
  });

  test("an import by tag races with its source: the target tag can point to a manifest that was not copied", async () => {
    await running.control.faults({ host: "management.azure.com", path: "/importImage", import: { moveTag: true } });
    const before = await image(hello);
    expect((await importing(dockerHub)).status).toBe(200);
    const { store } = running.server.state.registries[0] ?? {};
    expect(store?.tag(repository, "v1")?.digest).toBe((await image(hello)).digest);
    expect(store?.manifest(repository, "v1")).toBeUndefined();
    await importing(
      { registryUri: "docker.io", sourceImage: `library/hello-world@${before.digest}` },
      { mode: "Force" },
    );
    expect((await image(target(`${repository}:v1`))).digest).toBe(before.digest);
  });
});

describe("sources and credentials", () => {
  const acr = (name: string, credentials?: object) => ({
    registryUri: `${name}.azurecr.io`,
    sourceImage: "aci-helloworld:latest",
    ...(credentials ? { credentials } : {}),
  });
  const byId = (name: string, inSubscription?: string) => ({
    resourceId: registryId(name, inSubscription),
    sourceImage: "aci-helloworld:latest",
  });

  test("pulls as the caller for a resource ID, across subscriptions and network restrictions", async () => {
    for (const [name, where] of [
      ["mysourceregistry"],
      ["othersubsource", secondSubscription],
      ["privatesource"],
    ] as const) {
      expect((await importing(byId(name, where), { targetTags: [`${repository}:${name}`] })).status).toBe(200);
    }
  });

  test("pulls anonymously for a login server without credentials", async () => {
    expectFailure(await importing(acr("mysourceregistry")), /Access to mysourceregistry\.azurecr\.io denied\.$/);
    await running.control.call("PATCH", "/registries/mysourceregistry", {}, { anonymousPull: true });
    expect((await importing(acr("mysourceregistry"))).status).toBe(200);
    await running.control.call("PATCH", "/registries/mysourceregistry", {}, { anonymousPull: false });
  });

  test.each<[string, () => object]>([
    [
      "a service principal",
      () => acr("mysourceregistry", { username: sourceReader, password: "source-reader~secret" }),
    ],
    [
      "a service principal of the registry's own tenant",
      () => acr("othertenantsource", { username: otherTenantReader, password: "other-tenant-reader~secret" }),
    ],
    [
      "a repository-scoped token",
      () => acr("othertenantsource", { username: "importer", password: "importer-token-password" }),
    ],
  ])("pulls with %s", async (_case, source) => {
    expect((await importing(source())).status).toBe(200);
  });

  test("pulls with an Entra token as password from registries of its tenant only", async () => {
    const identity = running.server.state.identities.find(({ clientId }) => clientId === otherTenantReader);
    if (!identity) throw new Error("no such identity");
    const { token } = running.server.tokens.issue(identity, "https://containerregistry.azure.net");
    expect(looksLikeEntraToken(token)).toBe(true);
    expect((await importing(acr("othertenantsource", { password: token }))).status).toBe(200);
    expectFailure(
      await importing(acr("mysourceregistry", { password: token }), { targetTags: ["x:1"] }),
      /Access to mysourceregistry/,
    );
  });

  test.each<[string, () => object]>([
    ["a wrong password", () => acr("mysourceregistry", { username: sourceReader, password: "wrong" })],
    [
      "a principal without a role",
      () => acr("mysourceregistry", { username: withoutRights, password: "without-permissions~secret" }),
    ],
    [
      "a principal of another tenant",
      () => acr("mysourceregistry", { username: otherTenantReader, password: "other-tenant-reader~secret" }),
    ],
    [
      "credentials for a registry without public access",
      () => acr("privatesource", { username: "aaaaaaaa-0000-4000-8000-000000000001", password: "deployer~secret" }),
    ],
  ])("is denied with %s", async (_case, source) => {
    expectFailure(await importing(source()), /Access to (mysourceregistry|privatesource)\.azurecr\.io denied\.$/);
  });

  test("pulls a private repository of Docker Hub as its owner only", async () => {
    const source = { registryUri: "docker.io", sourceImage: "emulator/private:latest" };
    const credentials = (password: string) => ({ ...source, credentials: { username: "emulator", password } });
    expectFailure(await importing(source), /Invalid message Unauthorized Unauthorized .*UNAUTHORIZED/);
    expectFailure(await importing(credentials("wrong")), /Invalid message Unauthorized Unauthorized/);
    expect((await importing(credentials("dckr_pat_emulator"))).status).toBe(200);
  });

  test("fails with its own message for an unknown tag, digest or host", async () => {
    const missing = `sha256:${"0".repeat(64)}`;
    expectFailure(
      await importing({ registryUri: "docker.io", sourceImage: "library/hello-world:nope" }),
      /Unable to find manifest digest {2}Repo: docker\.io\/library\/hello-world Tag: nope Manifest: $/,
    );
    expectFailure(
      await importing({ registryUri: "docker.io", sourceImage: `library/hello-world@${missing}` }),
      new RegExp(`Tag: {2}Manifest: ${missing}$`),
    );
    expectFailure(
      await importing({ registryUri: "nowhere.example", sourceImage: "a:1" }),
      /could not be resolved: 'nowhere\.example'/,
    );
  });

  test("rejects a resource ID that is in another tenant or not readable before the operation starts", async () => {
    const foreign = await start({
      source: byId("othertenantsource", "/subscriptions/55555555-5555-4555-8555-555555555555"),
      targetTags: ["x:1"],
    });
    expect([foreign.status, armError(foreign).code]).toEqual([403, "LinkedAuthorizationFailed"]);
    expect(armError(foreign).message).toMatch(
      /current tenant '11111111.*' is not authorized to access linked subscription '55555555/,
    );
  });
});

describe("permissions", () => {
  const importer = "Container Registry Data Importer and Data Reader";

  /** Creates an identity with these roles. */
  async function callerWith(...roles: [role: string, registry: string][]): Promise<Caller> {
    const identity = {
      tenantId: "11111111-1111-4111-8111-111111111111",
      clientId: randomUUID(),
      objectId: randomUUID(),
      name: "x",
    };
    const roleAssignments = roles.map(([role, name]) => ({
      role,
      principalId: identity.objectId,
      scope: registryId(name),
    }));
    await running.control.call("PUT", "/state", {}, { identities: [identity], roleAssignments });
    return Caller.as(client, identity.clientId);
  }

  const fromSource = { source: { resourceId: registryId("mysourceregistry"), sourceImage: "aci-helloworld:latest" } };
  const body = () => ({ ...fromSource, targetTags: [`${repository}:v1`] });

  test("the least role on target and source is sufficient", async () => {
    const caller = await callerWith([importer, "myregistry"], [importer, "mysourceregistry"]);
    expect((await caller.import(body())).status).toBe(200);
  });

  test.each(["Reader", "AcrPush", "AcrPull"])("%s on the target is not sufficient", async (role) => {
    const response = await (await callerWith([role, "myregistry"])).import({ source: dockerHub, targetTags: ["x:1"] });
    expect(response.status).toBe(403);
    expect(armError(response).message).toContain(
      "perform action 'Microsoft.ContainerRegistry/registries/importImage/action' over scope",
    );
  });

  test("names the linked scope if the source registry is not readable", async () => {
    for (const roles of [[], [["AcrPull", "mysourceregistry"]]] as [string, string][][]) {
      const response = await (await callerWith([importer, "myregistry"], ...roles)).import(body());
      expect([response.status, armError(response).code]).toEqual([403, "LinkedAuthorizationFailed"]);
      expect(armError(response).message).toContain(
        `perform action 'read' on the linked scope(s) '${registryId("mysourceregistry")}'`,
      );
    }
  });
});

describe("network and policies", () => {
  const closed = { publicNetworkAccess: "Disabled", networkRuleBypassOptions: "None" };
  const open = {
    publicNetworkAccess: "Enabled",
    networkRuleBypassOptions: "AzureServices",
    defaultAction: "Allow",
    exportPolicy: "enabled",
  };
  const change = (name: string, properties: object) =>
    running.control.call("PATCH", `/registries/${name}`, {}, properties);
  const fromSource = { resourceId: registryId("mysourceregistry"), sourceImage: "aci-helloworld:latest" };

  afterEach(async () => {
    await change("myregistry", open);
    await change("mysourceregistry", open);
  });

  test("a source or target without public access allows trusted services, unless they are disabled", async () => {
    await change("mysourceregistry", { publicNetworkAccess: "Disabled" });
    await change("myregistry", { defaultAction: "Deny" });
    expect((await importing(fromSource)).status).toBe(200);
    await change("mysourceregistry", closed);
    expectFailure(
      await importing(fromSource, { targetTags: ["x:1"] }),
      /Access to mysourceregistry\.azurecr\.io denied/,
    );
    await change("mysourceregistry", open);
    await change("myregistry", closed);
    expectFailure(await importing(fromSource, { targetTags: ["x:1"] }), /Access to myregistry\.azurecr\.io denied/);
  });

  test("a disabled export policy allows imports within the registry only", async () => {
    await change("mysourceregistry", { exportPolicy: "disabled" });
    expectFailure(await importing(fromSource), /export policy of registry 'mysourceregistry\.azurecr\.io' is disabled/);
  });

  test("a registry of the Classic SKU cannot import", async () => {
    await change("myregistry", { sku: "Classic" });
    expect(armError(await start({ source: dockerHub, targetTags: ["x:1"] })).code).toBe("InvalidSku");
    await change("myregistry", { sku: "Premium" });
  });
});

describe("faults of sources", () => {
  const digest = `sha256:${"1".repeat(64)}`;
  const path = "/manifests/";

  test.each<[string, object, RegExp]>([
    [
      "no digest header",
      { path, dropHeaders: ["Docker-Content-Digest"] },
      /No value specified for Docker-Content-Digest OK OK \{/,
    ],
    [
      "a wrong digest header",
      { path: "/manifests/latest", setHeaders: { "Docker-Content-Digest": digest } },
      /Invalid Docker-Content-Digest/,
    ],
    ["no range requests", { path: "/blobs/", status: 200, body: "whole" }, /may not be RFC 7233 compliant/],
    ["an odd status for a blob", { path: "/blobs/", status: 500 }, /Unexpected response status code/],
    ["a truncated blob", { path: "/blobs/", truncateBody: 10 }, /Unexpected length of body in response/],
    [
      "other bytes than the digest",
      { path: "/blobs/", status: 206, body: "x".repeat(1000) },
      /Unexpected length|Error copying blobs/,
    ],
  ])("%s", async (_case, fault, text) => {
    await running.control.moveTag(hello);
    await running.control.faults({ host: "registry-1.docker.io", from: "azure", ...fault });
    expectFailure(await importing(dockerHub), text);
  });

  test("follows a redirect without the credential", async () => {
    await running.control.moveTag(hello);
    await running.control.clearRequests();
    const headers = { Location: "https://mcr.microsoft.com/v2/storage/blobs/x" };
    await running.control.faults({ host: "registry-1.docker.io", path: "/blobs/", status: 307, headers });
    expectFailure(await importing(dockerHub), /Unexpected response status code/);
    const redirected = await running.control.requests({ from: "azure", host: "mcr.microsoft.com" });
    expect(redirected.length).toBeGreaterThan(0);
    expect(new Set(redirected.map(({ credential }) => credential))).toEqual(new Set(["none"]));
    const [refused] = await running.control.requests({ from: "azure", host: "registry-1.docker.io", path: "/blobs/" });
    expect(refused?.credential).toBe("bearer");
  });

  test("a fault keeps an operation pending, or makes it fail with a given message", async () => {
    await running.control.faults({ path: "/importImage", times: 1, import: { stayPending: true } });
    const accepted = await start({ source: dockerHub, targetTags: [`${repository}:v1`] });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await caller.get(accepted.headers.location ?? "")).status).toBe(202);
    expect((await importing(dockerHub)).status).toBe(200);
    await running.control.faults({
      path: "/importImage",
      import: { failWith: { code: "QuotaExceeded", message: "storage quota" } },
    });
    const response = await importing(dockerHub);
    expectFailure(response, /storage quota$/);
    expect(armError(response).code).toBe("QuotaExceeded");
  });
});
