/** Tests of the OCI distribution specification. */
import { createHash } from "node:crypto";
import { type DistributionOptions, distribution } from "../../../emulator/registry/distribution";
import { makeImage } from "../../../emulator/registry/make-image";
import { makeReferrer } from "../../../emulator/registry/make-referrers";
import { mediaTypes } from "../../../emulator/registry/manifest";
import { publicRegistry } from "../../../emulator/registry/public-registry";
import { RegistryStore } from "../../../emulator/registry/registry-store";
import { type Answer, type Listening, listen } from "./listening";

const all = [mediaTypes.index, mediaTypes.manifest, mediaTypes.dockerList, mediaTypes.dockerManifest].join(", ");
const absent = `sha256:${"0".repeat(64)}`;
const sha256 = (bytes: string | Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

let store: RegistryStore;
let registry: Listening;

async function serve(options: Omit<DistributionOptions, "store"> = {}): Promise<Listening> {
  await registry.close();
  registry = await listen(distribution({ store, ...options }));
  return registry;
}

beforeEach(async () => {
  store = new RegistryStore();
  registry = await listen(distribution({ store }));
});

afterEach(() => registry.close());

describe("reading", () => {
  test.each([
    ["manifest by tag", (tag: string) => `/v2/library/app/manifests/${tag}`],
    ["manifest by digest", (_: string, digest: string) => `/v2/library/app/manifests/${digest}`],
    ["blob", (_: string, __: string, blob: string) => `/v2/library/app/blobs/${blob}`],
    ["absent manifest", () => "/v2/library/app/manifests/none"],
    ["absent blob", () => `/v2/library/app/blobs/${absent}`],
    ["absent repository", () => "/v2/library/none/manifests/v1"],
    ["encoded slash", () => "/v2/library%2Fapp/manifests/v1"],
    ["tags", () => "/v2/library/app/tags/list"],
  ])("HEAD equals GET without the body: %s", async (_, path) => {
    const { digest } = makeImage(store, "library/app", "v1", { kind: "manifest" });
    const blob = store.manifest("library/app", digest)?.content.config?.digest ?? "";
    const get = await registry.request("GET", path("v1", digest, blob));
    const head = await registry.request("HEAD", path("v1", digest, blob));
    const { date: _date, ...expected } = get.headers;
    expect(head.status).toBe(get.status);
    expect(head.headers).toMatchObject(expected);
    expect(head.headers["content-length"]).toBe(String(get.bytes.length));
    expect(head.bytes).toHaveLength(0);
  });

  test("returns a manifest with its media type, its digest and exactly its bytes", async () => {
    const { digest, mediaType } = makeImage(store, "library/app", "v1");
    const response = await registry.request("GET", "/v2/library/app/manifests/v1");
    expect(response.status).toBe(200);
    expect(response.headers["content-type"]).toBe(mediaType);
    expect(response.headers["docker-content-digest"]).toBe(digest);
    expect(sha256(response.bytes)).toBe(digest);
  });

  test("omits the digest header where configured", async () => {
    makeImage(store, "library/app", "v1");
    const { headers } = await (await serve({ omitDigestHeader: true })).request("HEAD", "/v2/library/app/manifests/v1");
    expect(headers["docker-content-digest"]).toBeUndefined();
  });

  test.each([
    ["GET", "/v2/app/manifests/none", 404, "MANIFEST_UNKNOWN"],
    ["GET", "/v2/none/manifests/v1", 404, "NAME_UNKNOWN"],
    ["GET", "/v2/none/tags/list", 404, "NAME_UNKNOWN"],
    ["GET", `/v2/app/blobs/${absent}`, 404, "BLOB_UNKNOWN"],
    ["GET", "/v2/app/blobs/sha256:short", 400, "DIGEST_INVALID"],
    ["GET", "/v2/app/referrers/sha256:short", 400, "DIGEST_INVALID"],
    ["GET", "/v2/App/manifests/v1", 400, "NAME_INVALID"],
    ["GET", "/v2/app/manifests/%zz", 400, "NAME_INVALID"],
    ["GET", "/v2/app/nothing", 404, "NOT_FOUND"],
    ["PATCH", "/v2/app/manifests/v1", 405, "UNSUPPORTED"],
    ["GET", "/v2/app/blobs/uploads/unknown", 404, "BLOB_UPLOAD_UNKNOWN"],
  ])("%s %s is %i %s", async (method, path, status, code) => {
    makeImage(store, "app", "v1");
    const response = await registry.request(method, path);
    expect([response.status, response.code()]).toEqual([status, code]);
  });

  test.each([
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=-2", 206, "89", "bytes 8-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ["bytes=3-1", 200, "0123456789", undefined],
  ])("Range: %s of a blob", async (range, status, text, contentRange) => {
    const digest = store.putBlob("app", Buffer.from("0123456789"));
    const response = await registry.request("GET", `/v2/app/blobs/${digest}`, { headers: { range } });
    expect([response.status, response.bytes.toString(), response.headers["content-range"]]).toEqual([
      status,
      text,
      contentRange,
    ]);
    expect(response.headers["content-length"]).toBe(String(text.length));
  });

  test("a range after the end of a blob is 416", async () => {
    const digest = store.putBlob("app", Buffer.from("0123456789"));
    const response = await registry.request("GET", `/v2/app/blobs/${digest}`, { headers: { range: "bytes=10-" } });
    expect([response.status, response.headers["content-range"]]).toEqual([416, "bytes */10"]);
  });
});

describe("Accept", () => {
  test.each([
    ["index", undefined, 200],
    ["index", "*/*", 200],
    ["index", "application/*;q=0.5", 200],
    ["index", mediaTypes.manifest, 404],
    ["docker-list", mediaTypes.index, 404],
  ] as const)("lenient: %s asked for with %s", async (kind, accept, status) => {
    makeImage(store, "app", "v1", { kind });
    const headers = accept === undefined ? {} : { accept };
    expect((await registry.request("HEAD", "/v2/app/manifests/v1", { headers })).status).toBe(status);
  });

  test.each([
    ["index", undefined, 404],
    ["index", "*/*", 404],
    ["index", mediaTypes.manifest, 404],
    ["index", all, 200],
    ["manifest", mediaTypes.dockerManifest, 404],
    ["manifest", all, 200],
    ["docker", undefined, 200],
  ] as const)("strict: %s asked for with %s", async (kind, accept, status) => {
    const { digest } = makeImage(store, "app", "v1", { kind });
    const headers = accept === undefined ? {} : { accept };
    const response = await (await serve({ accept: "strict" })).request("HEAD", "/v2/app/manifests/v1", { headers });
    expect(response.status).toBe(status);
    if (status === 200) expect(response.headers["docker-content-digest"]).toBe(digest);
  });

  test("strict: a tag returns the linux/amd64 manifest of a Docker list that the client does not accept", async () => {
    const list = makeImage(store, "app", "v1", { kind: "docker-list", platforms: ["linux/arm64", "linux/amd64"] });
    const amd64 = store.manifest("app", list.digest)?.content.manifests?.[1]?.digest;
    await serve({ accept: "strict" });
    const unnamed = await registry.request("HEAD", "/v2/app/manifests/v1", { headers: { accept: "*/*" } });
    expect(unnamed.headers["docker-content-digest"]).toBe(amd64);
    const named = await registry.request("HEAD", "/v2/app/manifests/v1", { headers: { accept: all } });
    expect(named.headers["docker-content-digest"]).toBe(list.digest);
  });
});

describe("paging", () => {
  const tags = ["a", "B", "c", "d", "e"];
  const sorted = ["B", "a", "c", "d", "e"];

  beforeEach(() => {
    for (const tag of tags) makeImage(store, "app", tag, { kind: "manifest" });
  });

  test("returns all tags in ASCII order without n", async () => {
    const response = await registry.request("GET", "/v2/app/tags/list");
    expect(response.json()).toEqual({ name: "app", tags: sorted });
    expect(response.headers.link).toBeUndefined();
  });

  test("following Link returns every tag once and ends", async () => {
    const seen: unknown[] = [];
    let next: string | undefined = "/v2/app/tags/list?n=2";
    while (next !== undefined && seen.length < 10) {
      const response: Answer = await registry.request("GET", next);
      seen.push(...(response.json().tags as string[]));
      next = /^<(.+)>; rel="next"$/.exec(String(response.headers.link))?.[1];
    }
    expect(seen).toEqual(sorted);
  });

  test.each([
    ["n=0", []],
    ["n=2&last=a", ["c", "d"]],
    ["last=d", ["e"]],
    ["last=bb", ["c", "d", "e"]],
    ["last=zzz", []],
    ["n=5", sorted],
  ])("?%s", async (query, expected) => {
    const response = await registry.request("GET", `/v2/app/tags/list?${query}`);
    expect(response.json().tags).toEqual(expected);
    // The last page has no Link.
    expect(response.headers.link === undefined).toBe(expected.length === 0 || expected.includes("e"));
  });

  test("rejects an invalid n", async () => {
    expect((await registry.request("GET", "/v2/app/tags/list?n=many")).status).toBe(400);
  });

  test("the catalog lists repositories that have a manifest", async () => {
    store.putBlob("only/blobs", Buffer.from("x"));
    makeImage(store, "b/app", "v1", { kind: "manifest" });
    const response = await registry.request("GET", "/v2/_catalog?n=1");
    expect(response.json()).toEqual({ repositories: ["app"] });
    expect(response.headers.link).toBe('</v2/_catalog?n=1&last=app>; rel="next"');
    expect((await registry.request("GET", "/v2/_catalog")).json()).toEqual({ repositories: ["app", "b/app"] });
  });
});

describe("uploading blobs", () => {
  const whole = "0123456789";
  const digest = sha256(whole);

  async function start(): Promise<string> {
    const response = await registry.request("POST", "/v2/app/blobs/uploads/");
    expect(response.status).toBe(202);
    return String(response.headers.location);
  }

  async function expectStored(): Promise<void> {
    expect((await registry.request("GET", `/v2/app/blobs/${digest}`)).bytes.toString()).toBe(whole);
  }

  test("accepts POST, then PUT with the whole blob", async () => {
    const response = await registry.request("PUT", `${await start()}?digest=${digest}`, { body: whole });
    expect([response.status, response.headers.location]).toEqual([201, `/v2/app/blobs/${digest}`]);
    await expectStored();
  });

  test("accepts a single POST", async () => {
    expect((await registry.request("POST", `/v2/app/blobs/uploads/?digest=${digest}`, { body: whole })).status).toBe(
      201,
    );
    await expectStored();
  });

  test("accepts chunks in order, the last with PUT; GET returns the progress", async () => {
    const location = await start();
    const first = await registry.request("PATCH", location, { headers: { "content-range": "0-3" }, body: "0123" });
    expect([first.status, first.headers.range]).toEqual([202, "0-3"]);
    const status = await registry.request("GET", location);
    expect([status.status, status.headers.range, status.headers.location]).toEqual([204, "0-3", location]);
    const put = { headers: { "content-range": "4-9" }, body: "456789" };
    expect((await registry.request("PUT", `${location}?digest=${digest}`, put)).status).toBe(201);
    await expectStored();
    expect((await registry.request("GET", location)).status).toBe(404);
  });

  test.each(["5-9", "3-9", "first-last", "bytes=4-9"])(
    "a chunk with Content-Range %s where 4 is next is 416, and the upload continues",
    async (range) => {
      const location = await start();
      await registry.request("PATCH", location, { headers: { "content-range": "0-3" }, body: "0123" });
      const wrong = await registry.request("PATCH", location, { headers: { "content-range": range }, body: "56789" });
      expect([wrong.status, wrong.headers.range]).toEqual([416, "0-3"]);
      await registry.request("PATCH", location, { headers: { "content-range": "4-9" }, body: "456789" });
      expect((await registry.request("PUT", `${location}?digest=${digest}`)).status).toBe(201);
      await expectStored();
    },
  );

  test("rejects bytes that do not have the digest", async () => {
    const response = await registry.request("PUT", `${await start()}?digest=${digest}`, { body: "something else" });
    expect([response.status, response.code()]).toEqual([400, "DIGEST_INVALID"]);
    expect((await registry.request("HEAD", `/v2/app/blobs/${digest}`)).status).toBe(404);
  });

  test("an upload is unknown in another repository, and can be cancelled", async () => {
    const location = await start();
    expect((await registry.request("GET", location.replace("/app/", "/other/"))).status).toBe(404);
    expect((await registry.request("DELETE", location)).status).toBe(204);
    expect((await registry.request("PATCH", location, { body: "x" })).status).toBe(404);
  });

  test("mounts a blob of another repository; an unknown one starts an upload", async () => {
    store.putBlob("from", Buffer.from(whole));
    const mounted = await registry.request("POST", `/v2/app/blobs/uploads/?mount=${digest}&from=from`);
    expect([mounted.status, mounted.headers.location]).toEqual([201, `/v2/app/blobs/${digest}`]);
    await expectStored();
    const unknown = await registry.request("POST", `/v2/app/blobs/uploads/?mount=${absent}&from=from`);
    expect(unknown.status).toBe(202);
    expect(unknown.headers.location).toMatch(/^\/v2\/app\/blobs\/uploads\/.+/);
  });
});

describe("pushing manifests", () => {
  const type = { "content-type": mediaTypes.manifest };
  const manifestOf = (fields: object) =>
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, layers: [], ...fields });

  test("stores a manifest byte for byte", async () => {
    const config = { mediaType: mediaTypes.empty, digest: store.putBlob("app", Buffer.from("{}")), size: 2 };
    const body = `${manifestOf({ config })}\n\n`;
    const response = await registry.request("PUT", "/v2/app/manifests/v1", { headers: type, body });
    expect([response.status, response.headers["docker-content-digest"]]).toEqual([201, sha256(body)]);
    expect((await registry.request("GET", "/v2/app/manifests/v1")).bytes.toString()).toBe(body);
  });

  test.each([
    ["an absent blob", mediaTypes.manifest, { config: { mediaType: "x", digest: absent, size: 1 } }],
    [
      "an absent child",
      mediaTypes.index,
      { mediaType: mediaTypes.index, manifests: [{ mediaType: "x", digest: absent, size: 1 }] },
    ],
  ])("rejects a manifest with %s", async (_, contentType, fields) => {
    const headers = { "content-type": contentType };
    const response = await registry.request("PUT", "/v2/app/manifests/v1", { headers, body: manifestOf(fields) });
    expect(response.code()).toBe("MANIFEST_BLOB_UNKNOWN");
    expect(response.json().errors).toMatchObject([{ detail: { digests: [absent] } }]);
    expect((await registry.request("HEAD", "/v2/app/manifests/v1")).status).toBe(404);
  });

  test("non-distributable layers need not exist", async () => {
    const mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    const body = manifestOf({ layers: [{ mediaType, digest: absent, size: 1, urls: ["https://example.com"] }] });
    expect((await registry.request("PUT", "/v2/app/manifests/v1", { headers: type, body })).status).toBe(201);
  });

  test.each([
    ["not JSON", "v1", mediaTypes.manifest, "{", "MANIFEST_INVALID"],
    ["of another type than it says", "v1", mediaTypes.index, manifestOf({}), "MANIFEST_INVALID"],
    ["of no known type", "v1", "text/plain", "{}", "MANIFEST_INVALID"],
    ["under a bad tag", "-v1", mediaTypes.manifest, manifestOf({}), "MANIFEST_INVALID"],
    ["under another digest", absent, mediaTypes.manifest, manifestOf({}), "DIGEST_INVALID"],
  ])("rejects a manifest %s", async (_, reference, contentType, body, code) => {
    const headers = { "content-type": contentType };
    const response = await registry.request("PUT", `/v2/app/manifests/${reference}`, { headers, body });
    expect([response.status, response.code()]).toEqual([400, code]);
  });

  test("rejects a manifest that is too large", async () => {
    const body = manifestOf({ annotations: { filler: "x".repeat(4 * 1024 * 1024) } });
    expect((await registry.request("PUT", "/v2/app/manifests/v1", { headers: type, body })).status).toBe(413);
  });

  test("a read-only registry rejects writes", async () => {
    await registry.close();
    registry = await listen(publicRegistry({ store }));
    const response = await registry.request("PUT", "/v2/app/manifests/v1", { headers: type, body: manifestOf({}) });
    expect(response.status).toBe(405);
    expect(store.repository("app")).toBeUndefined();
  });
});

describe("referrers", () => {
  test("are listed with artifact type and annotations, and filtered by type", async () => {
    const subject = makeImage(store, "app", "v1").digest;
    const sbom = makeReferrer(store, "app", subject, {
      artifactType: "application/vnd.example.sbom",
      annotations: { a: "b" },
    });
    makeReferrer(store, "app", subject, { artifactType: "application/vnd.example.signature" });
    const everything = await registry.request("GET", `/v2/app/referrers/${subject}`);
    expect(everything.headers["content-type"]).toBe(mediaTypes.index);
    expect(everything.json().manifests).toHaveLength(2);
    expect(everything.headers["oci-filters-applied"]).toBeUndefined();
    const filtered = await registry.request(
      "GET",
      `/v2/app/referrers/${subject}?artifactType=application/vnd.example.sbom`,
    );
    expect(filtered.headers["oci-filters-applied"]).toBe("artifactType");
    expect(filtered.json().manifests).toEqual([
      expect.objectContaining({
        digest: sbom.digest,
        artifactType: "application/vnd.example.sbom",
        annotations: { a: "b" },
      }),
    ]);
  });

  test("may be pushed before their subject; the response has OCI-Subject", async () => {
    const subject = { mediaType: mediaTypes.manifest, digest: absent, size: 1 };
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: "a/b",
      layers: [],
      subject,
    });
    const headers = { "content-type": mediaTypes.manifest };
    const pushed = await registry.request("PUT", `/v2/app/manifests/${sha256(body)}`, { headers, body });
    expect([pushed.status, pushed.headers["oci-subject"]]).toEqual([201, absent]);
    expect((await registry.request("GET", `/v2/app/referrers/${absent}`)).json().manifests).toHaveLength(1);
  });

  test("of a digest without any are an empty index, not a 404", async () => {
    const response = await registry.request("GET", `/v2/none/referrers/${absent}`);
    expect([response.status, response.json().manifests]).toEqual([200, []]);
  });
});

describe("deleting", () => {
  test("deletes a manifest and its tags", async () => {
    const { digest } = makeImage(store, "app", "v1");
    store.setTag("app", "v1.0", digest);
    makeImage(store, "app", "v2");
    expect((await registry.request("DELETE", `/v2/app/manifests/${digest}`)).status).toBe(202);
    expect((await registry.request("GET", "/v2/app/tags/list")).json().tags).toEqual(["v2"]);
    expect((await registry.request("DELETE", `/v2/app/manifests/${digest}`)).status).toBe(404);
  });

  test("deletes a tag and keeps its manifest", async () => {
    const { digest } = makeImage(store, "app", "v1");
    expect((await registry.request("DELETE", "/v2/app/manifests/v1")).status).toBe(202);
    expect((await registry.request("HEAD", "/v2/app/manifests/v1")).status).toBe(404);
    expect((await registry.request("HEAD", `/v2/app/manifests/${digest}`)).status).toBe(200);
  });

  test("deletes a blob", async () => {
    const digest = store.putBlob("app", Buffer.from("x"));
    expect((await registry.request("DELETE", `/v2/app/blobs/${digest}`)).status).toBe(202);
    expect((await registry.request("DELETE", `/v2/app/blobs/${digest}`)).status).toBe(404);
  });
});
