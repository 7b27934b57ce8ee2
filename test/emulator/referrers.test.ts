/** Tests of referrers: how registries list them, how clients keep the list themselves, and what imports make of them. */
import { createHash, randomUUID } from "node:crypto";
import path from "node:path";
import type { ReferrersOptions } from "acr-emulator";
import { BUNDLE, NOTATION, SBOM, useEmulator } from "../support/emulator";
import { Caller, Client, type HttpResponse, registryId } from "./client";

const INDEX = "application/vnd.oci.image.index.v1+json";
const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const HOST = "registry.example.com";

const running = useEmulator();
const client = new Client(running);
const caller = Caller.as(client);
let repository: string;
beforeEach(() => {
  repository = `team/r${randomUUID()}`;
});
afterEach(() => running.control.call("DELETE", "/hosts"));

interface Entry {
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType?: string;
}

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const tagOf = (digest: string) => digest.replace(":", "-");
const open = (referrers: ReferrersOptions = {}) => running.control.hosts({ [HOST]: { referrers } });
const read = (path: string, host = HOST, headers = {}): Promise<HttpResponse> =>
  client.request(`https://${host}/v2/${repository}/${path}`, { headers: { accept: `${INDEX},${IMAGE}`, ...headers } });
const list = (digest: string, host?: string, headers?: object) => read(`referrers/${digest}`, host, headers);
const entries = (response: HttpResponse) => response.json<{ manifests: Entry[] }>().manifests;

/** The headers of a client that may pull from an Azure registry. */
async function authorization(host: string): Promise<{ authorization: string }> {
  const { ARM_CLIENT_ID: clientId } = running.env;
  const { token } = await running.control.call<{ token: string }>(
    "POST",
    "/token",
    {},
    { clientId, audience: "https://containerregistry.azure.net" },
  );
  const form = async (path: string, fields: Record<string, string>) =>
    (await client.form(`https://${host}/oauth2/${path}`, { service: host, ...fields })).json<Record<string, string>>();
  const { refresh_token = "" } = await form("exchange", { grant_type: "access_token", access_token: token });
  const scope = `repository:${repository}:pull`;
  const { access_token } = await form("token", { grant_type: "refresh_token", refresh_token, scope });
  return { authorization: `Bearer ${access_token}` };
}

describe("a registry that the control API adds", () => {
  test("is open to everybody, and says that it lists what is pushed with a subject", async () => {
    await open();
    const { digest } = await running.control.moveTag(`${HOST}/${repository}:1`);
    const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256("{}"), size: 2 };
    const uploads = `https://${HOST}/v2/${repository}/blobs/uploads/?digest=${config.digest}`;
    expect((await client.request(uploads, { method: "POST", body: "{}" })).status).toBe(201);
    const subject = { mediaType: INDEX, digest, size: 1 };
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: IMAGE,
      artifactType: BUNDLE,
      config,
      layers: [],
      subject,
    });
    const push = () =>
      client.request(`https://${HOST}/v2/${repository}/manifests/${sha256(body)}`, {
        method: "PUT",
        headers: { "content-type": IMAGE },
        body,
      });
    expect((await push()).headers["oci-subject"]).toBe(digest);
    expect(entries(await list(digest))).toEqual([
      expect.objectContaining({ digest: sha256(body), artifactType: BUNDLE }),
    ]);
    await open({ api: "missing" });
    const without = await push();
    expect([without.status, without.headers["oci-subject"]]).toEqual([201, undefined]);
  });

  test("without the API responds with 404, and with a page of its own like ghcr.io", async () => {
    await open({ api: "missing" });
    const { digest } = await running.control.moveTag(`${HOST}/${repository}:1`);
    const missing = await list(digest);
    expect([missing.status, missing.text]).toEqual([404, "404 page not found\n"]);
    await open({ api: "redirect" });
    const redirect = await list(digest);
    expect(redirect.status).toBe(303);
    expect(redirect.headers.location).toBe(
      `https://github.com/-/v2/packages/container/package/${encodeURIComponent(`${repository}/referrers/sha256`)}`,
    );
  });

  test("is gone without the setting, with its images", async () => {
    await open();
    await running.control.moveTag(`${HOST}/${repository}:1`);
    expect(await running.control.call("GET", "/hosts")).toEqual({ [HOST]: { referrers: {} } });
    await running.control.hosts({ [HOST]: null });
    expect(await running.control.call("GET", "/hosts")).toEqual({});
    await expect(running.control.image(`${HOST}/${repository}:1`)).rejects.toThrow("no registry registry.example.com");
    await open();
    expect((await read("manifests/1")).status).toBe(404);
  });

  test.each<[unknown, RegExp]>([
    [{ referrers: { api: "wrong" } }, /invalid referrers\.api; expected api: list \| missing \| redirect/],
    [{ referrers: { apis: "list" } }, /invalid referrers\.apis/],
    [{ referrers: "list" }, /must be a JSON object/],
    [{ tagDigests: 1 }, /tagDigests must be true or false/],
    [{ referers: {} }, /must be http:\/\/127\.0\.0\.1:PORT, .*referrers.* or null/],
    [7, /must be http:\/\/127\.0\.0\.1:PORT/],
  ])("rejects %j", async (setting, message) => {
    await expect(running.control.call("PUT", "/hosts", {}, { [HOST]: setting })).rejects.toThrow(message);
  });
});

test.each(["docker.io", "mcr.microsoft.com"])("%s has the API, unless it is set otherwise", async (host) => {
  const { digest } = await running.control.moveTag(`${host}/${repository}:1`);
  const api = host === "docker.io" ? "registry-1.docker.io" : host;
  const headers = async () => {
    if (host !== "docker.io") return {};
    const url = `https://auth.docker.io/token?service=registry.docker.io&scope=repository:${repository}:pull`;
    return { authorization: `Bearer ${(await client.request(url)).json().token}` };
  };
  expect((await list(digest, api, await headers())).status).toBe(200);
  await running.control.hosts({ [host]: { referrers: { api: "missing" } } });
  expect((await list(digest, api, await headers())).status).toBe(404);
  await running.control.hosts({ [host]: null });
  expect((await list(digest, api, await headers())).status).toBe(200);
});

describe("an image with referrers", () => {
  test("has 3 on the index, 1 on each platform, 1 on a referrer, and two of cosign's tags", async () => {
    await open();
    const { digest, referrers } = await running.control.signedImage(`${HOST}/${repository}:1`);
    const children = entries(await read("manifests/1")).map((child) => child.digest);
    const typesOf = async (subject = "") => entries(await list(subject)).map(({ artifactType }) => artifactType);
    expect(await typesOf(digest)).toEqual([BUNDLE, NOTATION, SBOM]);
    for (const child of children) expect(await typesOf(child)).toEqual([BUNDLE]);
    const sbom = referrers.find(({ artifactType }) => artifactType === SBOM);
    expect(await typesOf(sbom?.digest)).toEqual([BUNDLE]);
    for (const suffix of ["sig", "att"]) {
      const found = await read(`manifests/${tagOf(digest)}.${suffix}`);
      expect(referrers.map((made) => made.digest)).toContain(found.headers["docker-content-digest"]);
    }
    expect((await read(`manifests/${tagOf(digest)}`)).status).toBe(404);
    expect(referrers).toHaveLength(8);
  });

  test("has the lists under tags, where the registry does not list them", async () => {
    await open({ api: "redirect" });
    const { digest, referrers } = await running.control.signedImage(`${HOST}/${repository}:1`);
    const kept = await read(`manifests/${tagOf(digest)}`);
    expect(kept.headers["content-type"]).toBe(INDEX);
    expect(entries(kept).map((entry) => entry.digest)).toEqual(
      referrers.filter(({ subject, tag }) => subject === digest && !tag).map((made) => made.digest),
    );
    const added = await running.control.addReferrer(`${HOST}/${repository}@${digest}`, { artifactType: SBOM });
    const now = await read(`manifests/${tagOf(digest)}`);
    expect(entries(now).map((entry) => entry.digest)).toEqual([
      ...entries(kept).map((entry) => entry.digest),
      added.digest,
    ]);
  });

  test.each<[ReferrersOptions["artifactTypes"], string | undefined]>([
    ["manifest", BUNDLE],
    ["config", "application/vnd.oci.empty.v1+json"],
    ["missing", undefined],
  ])("is listed with the artifact types of %s, by the API and by clients", async (artifactTypes = "manifest", type) => {
    for (const api of ["list", "missing"] as const) {
      await open({ api, artifactTypes });
      const { digest } = await running.control.moveTag(`${HOST}/${repository}:${api}`);
      await running.control.addReferrer(`${HOST}/${repository}:${api}`, { artifactType: BUNDLE });
      const [entry] = entries(api === "list" ? await list(digest) : await read(`manifests/${tagOf(digest)}`));
      expect(entry?.artifactType).toBe(type);
      const manifest = await read(`manifests/${entry?.digest}`);
      expect(manifest.json()).toMatchObject({ artifactType: BUNDLE, subject: { digest } });
    }
  });

  test("is found by a tag made from its digest, as in GitLab", async () => {
    await open({ api: "missing", digestTags: true });
    const { digest } = await running.control.moveTag(`${HOST}/${repository}:1`);
    expect((await read(`manifests/${tagOf(digest)}`)).headers["docker-content-digest"]).toBe(digest);
    expect((await read(`manifests/sha256-${"0".repeat(64)}`)).status).toBe(404);
    expect((await read(`manifests/${tagOf(digest)}.sig`)).status).toBe(404);
  });

  test("must have the platform that a referrer is for", async () => {
    await open();
    const wrong = { referrers: [{ platform: "linux/s390x" }] };
    await expect(running.control.moveTag(`${HOST}/${repository}:1`, wrong)).rejects.toThrow(/no platform linux\/s390x/);
  });
});

describe("a folder in the OCI image layout", () => {
  const digest = "sha256:0775a848609c85d488d9a8a112e97841c23c63d9aed14c62e2a8fd7f8db43ae8";
  const push = (name: string) =>
    running.control.pushLayout(`${HOST}/${repository}`, path.join(__dirname, "../fixtures/oci-layouts", name));
  const children = async () => entries(await read("manifests/1")).map((child) => child.digest);

  test("is pushed with its tags", async () => {
    await open();
    const tags = await push("cosign-tag");
    expect(tags).toEqual({ 1: digest, [`${tagOf(digest)}.sig`]: expect.stringMatching(/^sha256:/) });
    const signature = await read(`manifests/${tagOf(digest)}.sig`);
    const [layer] = signature.json<{ layers: Entry[] }>().layers;
    const payload = (await read(`blobs/${layer?.digest}`)).json<{ critical: { image: object } }>();
    expect(payload.critical.image).toEqual({ "docker-manifest-digest": digest });
  });

  test.each([
    ["cosign-bundles", 1, 1],
    ["notation", 3, 0],
  ])("%s: %i signatures of the index, %i of each platform, by the API and by tags", async (name, ofIndex, ofChild) => {
    await open();
    expect(await push(name)).toEqual({ 1: digest });
    expect(entries(await list(digest))).toHaveLength(ofIndex);
    for (const child of await children()) expect(entries(await list(child))).toHaveLength(ofChild);

    repository = `${repository}/without-api`;
    await open({ api: "missing" });
    expect(Object.keys(await push(name))).toHaveLength(1 + 1 + 2 * ofChild);
    expect(entries(await read(`manifests/${tagOf(digest)}`))).toHaveLength(ofIndex);
    for (const child of await children()) {
      expect((await read(`manifests/${tagOf(child)}`)).status).toBe(ofChild === 0 ? 404 : 200);
    }
  });

  test("is required", async () => {
    await open();
    await expect(running.control.pushLayout(`${HOST}/${repository}`, layoutless)).rejects.toThrow(/index\.json/);
  });
  const layoutless = __dirname;
});

describe("an import", () => {
  const target = "myregistry.azurecr.io";
  const importing = (sourceImage: string, more: object) =>
    caller.import({
      source: { registryUri: HOST, sourceImage: `${repository}${sourceImage}` },
      mode: "Force",
      ...more,
    });
  const untagged = (digest: string) => importing(`@${digest}`, { untaggedTargetRepositories: [repository] });

  beforeEach(() => running.control.call("PATCH", "/registries/myregistry", {}, { encryption: "disabled" }));
  afterAll(() => running.control.call("PATCH", "/registries/myregistry", {}, { encryption: "disabled" }));

  test("of an image leaves its referrers behind", async () => {
    await open();
    const { digest } = await running.control.signedImage(`${HOST}/${repository}:1`);
    expect((await importing(":1", { targetTags: [`${repository}:1`] })).status).toBe(200);
    expect(entries(await list(digest, target, await authorization(target)))).toEqual([]);
  });

  test("of a referrer by digest, without a tag, succeeds; the target lists it with its type", async () => {
    await open();
    const { digest, referrers } = await running.control.signedImage(`${HOST}/${repository}:1`);
    const [bundle] = referrers;
    // Also before its subject.
    const response = await untagged(bundle?.digest ?? "");
    expect([response.status, response.json()]).toEqual([200, { status: "Succeeded" }]);
    expect((await untagged(digest)).status).toBe(200);
    const headers = await authorization(target);
    expect(entries(await list(digest, target, headers))).toEqual([
      expect.objectContaining({ digest: bundle?.digest, artifactType: BUNDLE }),
    ]);
    expect((await read(`manifests/${bundle?.digest}`, target, headers)).json()).toMatchObject({ subject: { digest } });
    expect((await read("tags/list", target, headers)).json()).toEqual({ name: repository, tags: [] });
  });

  test("of what is under cosign's tags keeps the tags", async () => {
    await open();
    const { digest, referrers } = await running.control.signedImage(`${HOST}/${repository}:1`);
    const sig = `${tagOf(digest)}.sig`;
    expect((await importing(`:${sig}`, { targetTags: [`${repository}:${sig}`] })).status).toBe(200);
    const found = await read(`manifests/${sig}`, target, await authorization(target));
    expect(found.headers["docker-content-digest"]).toBe(referrers.find(({ tag }) => tag === sig)?.digest);
  });

  test("of the list under a tag brings the referrers along, to a registry that does not list them itself", async () => {
    await open({ api: "missing" });
    const { digest, referrers } = await running.control.signedImage(`${HOST}/${repository}:1`);
    await running.control.call("PATCH", "/registries/myregistry", {}, { encryption: "enabled" });
    const tag = tagOf(digest);
    expect((await importing(`:${tag}`, { targetTags: [`${repository}:${tag}`] })).status).toBe(200);
    const headers = await authorization(target);
    expect((await list(digest, target, headers)).status).toBe(404);
    expect(entries(await read(`manifests/${tag}`, target, headers))).toHaveLength(3);
    for (const { digest: referrer } of referrers.slice(0, 3)) {
      expect((await read(`manifests/${referrer}`, target, headers)).status).toBe(200);
    }
  });
});

test("a registry with a key of the customer has no referrers API, and Resource Manager shows the key", async () => {
  await running.control.call("PUT", "/registries/encrypted", {}, { encryption: "enabled" });
  const host = "encrypted.azurecr.io";
  const { digest } = await running.control.signedImage(`${host}/${repository}:1`);
  const headers = await authorization(host);
  expect((await list(digest, host, headers)).status).toBe(404);
  expect(entries(await read(`manifests/${tagOf(digest)}`, host, headers))).toHaveLength(3);
  expect((await caller.get(registryId("encrypted"))).json()).toMatchObject({
    properties: { encryption: { status: "enabled" } },
  });
});
