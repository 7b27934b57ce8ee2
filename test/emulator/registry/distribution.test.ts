import { createHash } from "node:crypto";
import { type DistributionOptions, distribution } from "../../../emulator/registry/distribution";
import { makeImage, makeReferrer } from "../../../emulator/registry/make-image";
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
  ])("HEAD answers as GET does, without the body: %s", async (_, path) => {
    const { digest } = makeImage(store, "library/app", "v1", { kind: "manifest" });
    const blob = store.manifest("library/app", digest)?.content.config?.digest ?? "";
    const get = await registry.ask("GET", path("v1", digest, blob));
    const head = await registry.ask("HEAD", path("v1", digest, blob));
    const { date: _date, ...expected } = get.headers;
    expect(head.status).toBe(get.status);
    expect(head.headers).toMatchObject(expected);
    expect(head.headers["content-length"]).toBe(String(get.bytes.length));
    expect(head.bytes).toHaveLength(0);
  });

  test("a manifest comes with its type, its digest and exactly its bytes", async () => {
    const { digest, mediaType } = makeImage(store, "library/app", "v1");
    const answer = await registry.ask("GET", "/v2/library/app/manifests/v1");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe(mediaType);
    expect(answer.headers["docker-content-digest"]).toBe(digest);
    expect(sha256(answer.bytes)).toBe(digest);
  });

  test("some registries leave the digest header out", async () => {
    makeImage(store, "library/app", "v1");
    const { headers } = await (await serve({ omitDigestHeader: true })).ask("HEAD", "/v2/library/app/manifests/v1");
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
  ])("%s %s is refused with %i %s", async (method, path, status, code) => {
    makeImage(store, "app", "v1");
    const answer = await registry.ask(method, path);
    expect([answer.status, answer.code()]).toEqual([status, code]);
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
    const answer = await registry.ask("GET", `/v2/app/blobs/${digest}`, { headers: { range } });
    expect([answer.status, answer.bytes.toString(), answer.headers["content-range"]]).toEqual([
      status,
      text,
      contentRange,
    ]);
    expect(answer.headers["content-length"]).toBe(String(text.length));
  });

  test("a range behind the end of a blob cannot be satisfied", async () => {
    const digest = store.putBlob("app", Buffer.from("0123456789"));
    const answer = await registry.ask("GET", `/v2/app/blobs/${digest}`, { headers: { range: "bytes=10-" } });
    expect([answer.status, answer.headers["content-range"]]).toEqual([416, "bytes */10"]);
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
    expect((await registry.ask("HEAD", "/v2/app/manifests/v1", { headers })).status).toBe(status);
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
    const answer = await (await serve({ accept: "strict" })).ask("HEAD", "/v2/app/manifests/v1", { headers });
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.headers["docker-content-digest"]).toBe(digest);
  });

  test("strict: a Docker list that the client does not name turns into its linux/amd64 manifest, with another digest", async () => {
    const list = makeImage(store, "app", "v1", { kind: "docker-list", platforms: ["linux/arm64", "linux/amd64"] });
    const amd64 = store.manifest("app", list.digest)?.content.manifests?.[1]?.digest;
    await serve({ accept: "strict" });
    const unnamed = await registry.ask("HEAD", "/v2/app/manifests/v1", { headers: { accept: "*/*" } });
    expect(unnamed.headers["docker-content-digest"]).toBe(amd64);
    const named = await registry.ask("HEAD", "/v2/app/manifests/v1", { headers: { accept: all } });
    expect(named.headers["docker-content-digest"]).toBe(list.digest);
  });
});

describe("paging", () => {
  const tags = ["a", "B", "c", "d", "e"];
  const sorted = ["B", "a", "c", "d", "e"];

  beforeEach(() => {
    for (const tag of tags) makeImage(store, "app", tag, { kind: "manifest" });
  });

  test("all tags come at once, in ASCII order, when no number is asked for", async () => {
    const answer = await registry.ask("GET", "/v2/app/tags/list");
    expect(answer.json()).toEqual({ name: "app", tags: sorted });
    expect(answer.headers.link).toBeUndefined();
  });

  test("following Link visits every tag once and ends", async () => {
    const seen: unknown[] = [];
    let next: string | undefined = "/v2/app/tags/list?n=2";
    while (next !== undefined && seen.length < 10) {
      const answer: Answer = await registry.ask("GET", next);
      seen.push(...(answer.json().tags as string[]));
      next = /^<(.+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
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
    const answer = await registry.ask("GET", `/v2/app/tags/list?${query}`);
    expect(answer.json().tags).toEqual(expected);
    // A page that holds the last tag, or none, names no next one.
    expect(answer.headers.link === undefined).toBe(expected.length === 0 || expected.includes("e"));
  });

  test("a number that is none is refused", async () => {
    expect((await registry.ask("GET", "/v2/app/tags/list?n=many")).status).toBe(400);
  });

  test("the catalog lists repositories that hold a manifest", async () => {
    store.putBlob("only/blobs", Buffer.from("x"));
    makeImage(store, "b/app", "v1", { kind: "manifest" });
    const answer = await registry.ask("GET", "/v2/_catalog?n=1");
    expect(answer.json()).toEqual({ repositories: ["app"] });
    expect(answer.headers.link).toBe('</v2/_catalog?n=1&last=app>; rel="next"');
    expect((await registry.ask("GET", "/v2/_catalog")).json()).toEqual({ repositories: ["app", "b/app"] });
  });
});

describe("uploading blobs", () => {
  const whole = "0123456789";
  const digest = sha256(whole);

  async function start(): Promise<string> {
    const answer = await registry.ask("POST", "/v2/app/blobs/uploads/");
    expect(answer.status).toBe(202);
    return String(answer.headers.location);
  }

  async function expectStored(): Promise<void> {
    expect((await registry.ask("GET", `/v2/app/blobs/${digest}`)).bytes.toString()).toBe(whole);
  }

  test("POST, then PUT of the whole", async () => {
    const answer = await registry.ask("PUT", `${await start()}?digest=${digest}`, { body: whole });
    expect([answer.status, answer.headers.location]).toEqual([201, `/v2/app/blobs/${digest}`]);
    await expectStored();
  });

  test("a single POST", async () => {
    expect((await registry.ask("POST", `/v2/app/blobs/uploads/?digest=${digest}`, { body: whole })).status).toBe(201);
    await expectStored();
  });

  test("chunks in order, the last with PUT; GET tells how far it is", async () => {
    const location = await start();
    const first = await registry.ask("PATCH", location, { headers: { "content-range": "0-3" }, body: "0123" });
    expect([first.status, first.headers.range]).toEqual([202, "0-3"]);
    const status = await registry.ask("GET", location);
    expect([status.status, status.headers.range, status.headers.location]).toEqual([204, "0-3", location]);
    const put = { headers: { "content-range": "4-9" }, body: "456789" };
    expect((await registry.ask("PUT", `${location}?digest=${digest}`, put)).status).toBe(201);
    await expectStored();
    expect((await registry.ask("GET", location)).status).toBe(404);
  });

  test.each(["5-9", "3-9", "first-last", "bytes=4-9"])(
    "a chunk that says %s where 4 is next is 416, and the upload goes on from where it was",
    async (range) => {
      const location = await start();
      await registry.ask("PATCH", location, { headers: { "content-range": "0-3" }, body: "0123" });
      const wrong = await registry.ask("PATCH", location, { headers: { "content-range": range }, body: "56789" });
      expect([wrong.status, wrong.headers.range]).toEqual([416, "0-3"]);
      await registry.ask("PATCH", location, { headers: { "content-range": "4-9" }, body: "456789" });
      expect((await registry.ask("PUT", `${location}?digest=${digest}`)).status).toBe(201);
      await expectStored();
    },
  );

  test("bytes that do not have the digest are refused and not stored", async () => {
    const answer = await registry.ask("PUT", `${await start()}?digest=${digest}`, { body: "something else" });
    expect([answer.status, answer.code()]).toEqual([400, "DIGEST_INVALID"]);
    expect((await registry.ask("HEAD", `/v2/app/blobs/${digest}`)).status).toBe(404);
  });

  test("an upload belongs to its repository and can be cancelled", async () => {
    const location = await start();
    expect((await registry.ask("GET", location.replace("/app/", "/other/"))).status).toBe(404);
    expect((await registry.ask("DELETE", location)).status).toBe(204);
    expect((await registry.ask("PATCH", location, { body: "x" })).status).toBe(404);
  });

  test("a mount makes the blob part of the other repository; one that is not there falls back to an upload", async () => {
    store.putBlob("from", Buffer.from(whole));
    const mounted = await registry.ask("POST", `/v2/app/blobs/uploads/?mount=${digest}&from=from`);
    expect([mounted.status, mounted.headers.location]).toEqual([201, `/v2/app/blobs/${digest}`]);
    await expectStored();
    const unknown = await registry.ask("POST", `/v2/app/blobs/uploads/?mount=${absent}&from=from`);
    expect(unknown.status).toBe(202);
    expect(unknown.headers.location).toMatch(/^\/v2\/app\/blobs\/uploads\/.+/);
  });
});

describe("pushing manifests", () => {
  const type = { "content-type": mediaTypes.manifest };
  const manifestOf = (fields: object) =>
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, layers: [], ...fields });

  test("one whose blobs are there is stored byte for byte", async () => {
    const config = { mediaType: mediaTypes.empty, digest: store.putBlob("app", Buffer.from("{}")), size: 2 };
    const body = `${manifestOf({ config })}\n\n`;
    const answer = await registry.ask("PUT", "/v2/app/manifests/v1", { headers: type, body });
    expect([answer.status, answer.headers["docker-content-digest"]]).toEqual([201, sha256(body)]);
    expect((await registry.ask("GET", "/v2/app/manifests/v1")).bytes.toString()).toBe(body);
  });

  test.each([
    ["an absent blob", mediaTypes.manifest, { config: { mediaType: "x", digest: absent, size: 1 } }],
    [
      "an absent child",
      mediaTypes.index,
      { mediaType: mediaTypes.index, manifests: [{ mediaType: "x", digest: absent, size: 1 }] },
    ],
  ])("one that names %s is refused", async (_, contentType, fields) => {
    const headers = { "content-type": contentType };
    const answer = await registry.ask("PUT", "/v2/app/manifests/v1", { headers, body: manifestOf(fields) });
    expect(answer.code()).toBe("MANIFEST_BLOB_UNKNOWN");
    expect(answer.json().errors).toMatchObject([{ detail: { digests: [absent] } }]);
    expect((await registry.ask("HEAD", "/v2/app/manifests/v1")).status).toBe(404);
  });

  test("layers kept elsewhere need not be there", async () => {
    const mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    const body = manifestOf({ layers: [{ mediaType, digest: absent, size: 1, urls: ["https://example.com"] }] });
    expect((await registry.ask("PUT", "/v2/app/manifests/v1", { headers: type, body })).status).toBe(201);
  });

  test.each([
    ["not JSON", "v1", mediaTypes.manifest, "{", "MANIFEST_INVALID"],
    ["of another type than it says", "v1", mediaTypes.index, manifestOf({}), "MANIFEST_INVALID"],
    ["of no known type", "v1", "text/plain", "{}", "MANIFEST_INVALID"],
    ["under a bad tag", "-v1", mediaTypes.manifest, manifestOf({}), "MANIFEST_INVALID"],
    ["under another digest", absent, mediaTypes.manifest, manifestOf({}), "DIGEST_INVALID"],
  ])("one %s is refused", async (_, reference, contentType, body, code) => {
    const headers = { "content-type": contentType };
    const answer = await registry.ask("PUT", `/v2/app/manifests/${reference}`, { headers, body });
    expect([answer.status, answer.code()]).toEqual([400, code]);
  });

  test("one that is too large is refused", async () => {
    const body = manifestOf({ annotations: { filler: "x".repeat(4 * 1024 * 1024) } });
    expect((await registry.ask("PUT", "/v2/app/manifests/v1", { headers: type, body })).status).toBe(413);
  });

  test("a read-only registry refuses to be written", async () => {
    await registry.close();
    registry = await listen(publicRegistry({ store }));
    const answer = await registry.ask("PUT", "/v2/app/manifests/v1", { headers: type, body: manifestOf({}) });
    expect(answer.status).toBe(405);
    expect(store.repository("app")).toBeUndefined();
  });
});

describe("referrers", () => {
  test("are listed with type and annotations, and filtered by type", async () => {
    const subject = makeImage(store, "app", "v1").digest;
    const sbom = makeReferrer(store, "app", subject, "application/vnd.example.sbom", { a: "b" });
    makeReferrer(store, "app", subject, "application/vnd.example.signature");
    const everything = await registry.ask("GET", `/v2/app/referrers/${subject}`);
    expect(everything.headers["content-type"]).toBe(mediaTypes.index);
    expect(everything.json().manifests).toHaveLength(2);
    expect(everything.headers["oci-filters-applied"]).toBeUndefined();
    const filtered = await registry.ask(
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

  test("may come before their subject; who pushes one is told that it was understood", async () => {
    const subject = { mediaType: mediaTypes.manifest, digest: absent, size: 1 };
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: "a/b",
      layers: [],
      subject,
    });
    const headers = { "content-type": mediaTypes.manifest };
    const pushed = await registry.ask("PUT", `/v2/app/manifests/${sha256(body)}`, { headers, body });
    expect([pushed.status, pushed.headers["oci-subject"]]).toEqual([201, absent]);
    expect((await registry.ask("GET", `/v2/app/referrers/${absent}`)).json().manifests).toHaveLength(1);
  });

  test("of a digest that nobody refers to are an empty index, not 404", async () => {
    const answer = await registry.ask("GET", `/v2/none/referrers/${absent}`);
    expect([answer.status, answer.json().manifests]).toEqual([200, []]);
  });
});

describe("deleting", () => {
  test("a manifest takes every tag on it along, and no other", async () => {
    const { digest } = makeImage(store, "app", "v1");
    store.setTag("app", "v1.0", digest);
    makeImage(store, "app", "v2");
    expect((await registry.ask("DELETE", `/v2/app/manifests/${digest}`)).status).toBe(202);
    expect((await registry.ask("GET", "/v2/app/tags/list")).json().tags).toEqual(["v2"]);
    expect((await registry.ask("DELETE", `/v2/app/manifests/${digest}`)).status).toBe(404);
  });

  test("a tag leaves its manifest", async () => {
    const { digest } = makeImage(store, "app", "v1");
    expect((await registry.ask("DELETE", "/v2/app/manifests/v1")).status).toBe(202);
    expect((await registry.ask("HEAD", "/v2/app/manifests/v1")).status).toBe(404);
    expect((await registry.ask("HEAD", `/v2/app/manifests/${digest}`)).status).toBe(200);
  });

  test("a blob", async () => {
    const digest = store.putBlob("app", Buffer.from("x"));
    expect((await registry.ask("DELETE", `/v2/app/blobs/${digest}`)).status).toBe(202);
    expect((await registry.ask("DELETE", `/v2/app/blobs/${digest}`)).status).toBe(404);
  });
});
