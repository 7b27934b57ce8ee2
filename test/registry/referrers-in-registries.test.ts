/** What refers to real signed images, found in registries of the emulator and in a real one. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { ReferrersOptions } from "acr-emulator";
import { parseDigest } from "../../provider/reference/digest";
import { RegistryClient, type RegistryCredential } from "../../provider/registry/client";
import { environment } from "../../scripts/environment";
import { runOrFail } from "../../scripts/process";
import { BUNDLE, NOTATION, useEmulator } from "../support/emulator";
import { startRegistry } from "../support/registry";
import { describeWithTools } from "../support/tools";
import { trust } from "../support/trust";

const emulator = useEmulator();
beforeAll(() => {
  trust(readFileSync(emulator.server.ca, "utf8"));
  process.env.HTTPS_PROXY = emulator.server.proxy;
});
afterEach(() => emulator.control.call("DELETE", "/hosts"));

const client = (host: string, credential: RegistryCredential = { kind: "anonymous" }, isAzure = false) =>
  new RegistryClient({ host, side: "source", credential, isAzure, timeoutMs: 100_000 });

/** The requests of the client since the log was cleared, without its pings and tokens. */
async function requests(host: string): Promise<string[]> {
  const all = await emulator.control.requests({ from: "client", host });
  return all.map(({ method, path: where }) => `${method} ${where}`).filter((request) => /\/v2\/.+/.test(request));
}

// The client remembers hosts without the API, so that each test has its own.
let count = 0;
async function openHost(referrers: ReferrersOptions): Promise<string> {
  const host = `registry${count++}.example.com`;
  await emulator.control.hosts({ [host]: { referrers } });
  return host;
}

describe("the emulator", () => {
  test.each<[string, ReferrersOptions, number]>([
    ["with the API", {}, 0],
    ["whose list says the types of the configurations", { artifactTypes: "config" }, 0],
    ["whose list says no types", { artifactTypes: "missing" }, 0],
    ["without the API", { api: "missing" }, 4],
    [
      "that redirects to a web page, with wrong types in the clients' list",
      { api: "redirect", artifactTypes: "config" },
      4,
    ],
  ])("finds everything in a registry %s", async (_what, options, indexes) => {
    const host = await openHost(options);
    const { digest, referrers } = await emulator.control.signedImage(`${host}/team/app:1`);
    const found = await client(host).collectReferrers("team/app", parseDigest(digest));
    const sorted = (list: readonly { digest: string; artifactType: string; subject: string; tag?: string }[]) =>
      list.map((one) => [one.digest, one.artifactType, one.subject, one.tag].join(" ")).sort();
    expect(sorted(found.referrers)).toEqual(sorted(referrers));
    expect(found.skipped).toEqual([]);
    expect(found.indexes).toHaveLength(indexes);
    expect(await emulator.control.requests({ host: "github.com" })).toEqual([]);
    const notation = await client(host).collectReferrers("team/app", parseDigest(digest), {
      artifactTypes: [NOTATION],
      tags: false,
    });
    expect(notation.referrers.map(({ artifactType }) => artifactType)).toEqual([NOTATION]);
  });

  test("takes the platforms of an image in GitLab for no referrers", async () => {
    const host = await openHost({ api: "missing", digestTags: true });
    const { digest } = await emulator.control.moveTag(`${host}/team/app:1`);
    const found = await client(host).listReferrers("team/app", parseDigest(digest));
    expect(found).toEqual({ referrers: [], hasApi: false, cosignTags: [] });
  });

  test.each<[ReferrersOptions, string[]]>([
    [{}, ["GET referrers/sha256:…"]],
    [{ api: "missing" }, ["HEAD manifests/sha256-…"]],
    [{ api: "redirect" }, ["HEAD manifests/sha256-…"]],
  ])("looks for changes by one request and three HEADs: %j", async (options, expected) => {
    const host = await openHost(options);
    const { digest } = await emulator.control.signedImage(`${host}/team/app:1`);
    const registry = client(host);
    const before = await registry.listReferrers("team/app", parseDigest(digest));
    expect(before.referrers).toHaveLength(3);
    expect(before.cosignTags).toHaveLength(2);
    await emulator.control.clearRequests();
    const after = await registry.listReferrers("team/app", parseDigest(digest), { knownIndex: before.index });
    expect(after).toEqual({ ...before, ...(before.index && { referrers: undefined }) });
    const sent = (await requests(host)).map((request) =>
      request.replace(/\/v2\/team\/app\//, "").replace(/[0-9a-f]{64}/, "…"),
    );
    const heads = ["att", "sbom", "sig"].map((suffix) => `HEAD manifests/sha256-….${suffix}`);
    expect(sent.sort()).toEqual([...expected, ...heads].sort());
  });

  test("finds what refers to an image of Docker Hub and of an Azure registry, which need tokens", async () => {
    const user: RegistryCredential = {
      kind: "password",
      username: emulator.env.ARM_CLIENT_ID ?? "",
      password: emulator.env.ARM_CLIENT_SECRET ?? "",
    };
    for (const [host, registry] of [
      ["docker.io", client("docker.io")],
      ["mysourceregistry.azurecr.io", client("mysourceregistry.azurecr.io", user, true)],
    ] as const) {
      const { digest } = await emulator.control.signedImage(`${host}/team/signed:1`);
      expect((await registry.collectReferrers("team/signed", parseDigest(digest))).referrers).toHaveLength(8);
    }
  });

  test("reads the payload of a real signature", async () => {
    const host = await openHost({});
    const { 1: digest = "" } = await pushLayout(host, "cosign-tag");
    const registry = client(host);
    const { cosignTags } = await registry.listReferrers("team/app", parseDigest(digest));
    const [signature] = cosignTags;
    const manifest = await registry.manifest("team/app", signature?.digest ?? "");
    const { layers } = JSON.parse(String(manifest?.bytes)) as { layers: { digest: string; size: number }[] };
    const [layer] = layers;
    const payload = await registry.blob("team/app", parseDigest(layer?.digest ?? ""), layer?.size ?? 0);
    expect(JSON.parse(String(payload))).toMatchObject({ critical: { image: { "docker-manifest-digest": digest } } });
  });
});

const pushLayout = (host: string, name: string) =>
  emulator.control.pushLayout(`${host}/team/app`, path.join(__dirname, "../fixtures/oci-layouts", name));

describeWithTools("a real registry, which has no referrers API,", ({ crane, registry }) => {
  test.each<[string, readonly string[]]>([
    ["cosign-bundles", [BUNDLE, BUNDLE, BUNDLE]],
    ["cosign-tag", ["application/vnd.oci.image.config.v1+json"]],
    ["notation", [NOTATION, NOTATION, NOTATION]],
  ])("has the signatures of %s", async (name, types) => {
    const server = await startRegistry(registry);
    const host = await openHost({ api: "missing" });
    const real = `real-${name}.example.com`;
    await emulator.control.hosts({ [real]: server.url });
    const tags = await pushLayout(host, name);
    for (const tag of Object.keys(tags)) {
      const args = ["copy", `${host}/team/app:${tag}`, `${real}/team/app:${tag}`];
      await runOrFail(crane, args, { env: environment("/tmp", emulator.env) });
    }
    const { 1: digest = "" } = tags;
    const found = await client(real).collectReferrers("team/app", parseDigest(digest));
    expect(found).toEqual(await client(host).collectReferrers("team/app", parseDigest(digest)));
    expect(found.referrers.map(({ artifactType }) => artifactType)).toEqual(types);
    expect(found.skipped).toEqual([]);
    await server.stop();
  });
});
