/** Tests of /acr/v1: metadata, lists, untagging, locks. */
import type { AcrAction } from "../../../emulator/registry/acr-authority";
import { makeImage } from "../../../emulator/registry/make-image";
import { makeReferrer } from "../../../emulator/registry/make-referrers";
import { mediaTypes } from "../../../emulator/registry/manifest";
import { host, startAcr, type TestRegistry } from "./acr-registry";
import { type Answer, bearer } from "./listening";

const everything: AcrAction[] = ["pull", "push", "delete", "metadata_read", "metadata_write", "catalog"];
const name = "samples/app";
const disallowed = [405, "REGISTRY_DISALLOWED_OPERATION"];

let registry: TestRegistry;
let token: string;
let digest: string;

beforeEach(async () => {
  registry = await startAcr();
  digest = makeImage(registry.store, name, "v1").digest;
  token = await registry.accessToken(everything, `repository:${name}:*`, "registry:catalog:*");
});

afterEach(() => registry.close());

function request(method: string, path: string, body?: object | string): Promise<Answer> {
  const headers = { accept: Object.values(mediaTypes).join(","), "content-type": mediaTypes.index, ...bearer(token) };
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  return registry.request(method, path, { headers, ...(text === undefined ? {} : { body: text }) });
}

const enabled = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };
const time = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);

test("returns a tag", async () => {
  expect((await request("GET", `/acr/v1/${name}/_tags/v1`)).json()).toEqual({
    registry: host,
    imageName: name,
    tag: { name: "v1", digest, createdTime: time, lastUpdateTime: time, signed: false, changeableAttributes: enabled },
  });
});

test("returns a manifest with its tags and children", async () => {
  registry.store.setTag(name, "v1.0", digest);
  const path = `/acr/v1/${encodeURIComponent(name)}/_manifests/${encodeURIComponent(digest)}`;
  const { manifest } = (await request("GET", path)).json();
  expect(manifest).toMatchObject({
    digest,
    mediaType: mediaTypes.index,
    tags: ["v1", "v1.0"],
    changeableAttributes: enabled,
  });
  expect((manifest as { references: object[] }).references[0]).toMatchObject({ os: "linux", architecture: "amd64" });
});

test("returns a repository", async () => {
  expect((await request("GET", `/acr/v1/${name}`)).json()).toEqual({
    registry: host,
    imageName: name,
    createdTime: time,
    lastUpdateTime: time,
    manifestCount: 7,
    tagCount: 1,
    changeableAttributes: enabled,
  });
});

test("both catalogs list the repository", async () => {
  expect((await request("GET", "/acr/v1/_catalog")).json()).toEqual({ repositories: [name] });
  expect((await request("GET", "/v2/_catalog")).json()).toEqual({ repositories: [name] });
});

test.each([
  [`/acr/v1/${name}/_tags/none`, "TAG_UNKNOWN"],
  [`/acr/v1/${name}/_manifests/sha256:${"0".repeat(64)}`, "MANIFEST_UNKNOWN"],
])("%s: 404 %s", async (path, code) => {
  const response = await request("GET", path);
  expect([response.status, response.code()]).toEqual([404, code]);
});

test("an unknown repository, tag or manifest is a 404", async () => {
  token = await registry.accessToken(everything, "repository:none:*");
  for (const path of ["/acr/v1/none", "/acr/v1/none/_tags", "/acr/v1/none/_manifests"])
    expect([path, (await request("GET", path)).code()]).toEqual([path, "NAME_UNKNOWN"]);
});

describe("lists", () => {
  beforeEach(async () => {
    for (const tag of ["c", "b"]) {
      makeImage(registry.store, name, tag, { kind: "manifest" });
      await new Promise((later) => setTimeout(later, 3));
    }
  });

  const names = (response: Answer) => (response.json().tags as { name: string }[]).map((tag) => tag.name);

  test("sort tags by name or time, and filter them by digest", async () => {
    expect(names(await request("GET", `/acr/v1/${name}/_tags`))).toEqual(["b", "c", "v1"]);
    expect(names(await request("GET", `/acr/v1/${name}/_tags?orderby=timeasc`))).toEqual(["v1", "c", "b"]);
    expect(names(await request("GET", `/acr/v1/${name}/_tags?orderby=timedesc`))).toEqual(["b", "c", "v1"]);
    expect(names(await request("GET", `/acr/v1/${name}/_tags?digest=${digest}`))).toEqual(["v1"]);
  });

  test("are paged by Link in the requested order", async () => {
    const seen: string[] = [];
    let next: string | undefined = `/acr/v1/${name}/_tags?n=1&orderby=timedesc`;
    while (next !== undefined && seen.length < 10) {
      const response: Answer = await request("GET", next);
      seen.push(...names(response));
      next = /^<(.+)>; rel="next"$/.exec(String(response.headers.link))?.[1];
    }
    expect(seen).toEqual(["b", "c", "v1"]);
  });

  test("page manifests", async () => {
    const first = await request("GET", `/acr/v1/${name}/_manifests?n=2`);
    const second = await request("GET", /^<(.+)>/.exec(String(first.headers.link))?.[1] ?? "");
    expect(first.json().manifests).toHaveLength(2);
    expect(second.json().manifests).not.toEqual(first.json().manifests);
  });

  test("omit what is not listable", async () => {
    await request("PATCH", `/acr/v1/${name}/_tags/c`, { listEnabled: false });
    expect(names(await request("GET", `/acr/v1/${name}/_tags`))).toEqual(["b", "v1"]);
    expect((await request("GET", `/v2/${name}/tags/list`)).json().tags).toEqual(["b", "v1"]);
    expect((await request("HEAD", `/v2/${name}/manifests/c`)).status).toBe(200);
  });
});

describe("untagging and deleting", () => {
  test("untagging keeps the manifest and its other tags", async () => {
    registry.store.setTag(name, "v1.0", digest);
    expect((await request("DELETE", `/acr/v1/${name}/_tags/v1`)).status).toBe(202);
    expect((await request("HEAD", `/v2/${name}/manifests/v1`)).status).toBe(404);
    expect((await request("HEAD", `/v2/${name}/manifests/v1.0`)).status).toBe(200);
    expect((await request("HEAD", `/v2/${name}/manifests/${digest}`)).status).toBe(200);
    expect((await request("DELETE", `/acr/v1/${name}/_tags/v1`)).code()).toBe("TAG_UNKNOWN");
  });

  test("/v2/ rejects deletion by tag", async () => {
    expect((await request("DELETE", `/v2/${name}/manifests/v1`)).status).toBe(405);
    expect((await request("HEAD", `/v2/${name}/manifests/v1`)).status).toBe(200);
  });

  test("deleting a manifest removes its tags and referrers", async () => {
    registry.store.setTag(name, "v1.0", digest);
    const sbom = makeReferrer(registry.store, name, digest).digest;
    expect((await request("DELETE", `/v2/${name}/manifests/${digest}`)).status).toBe(202);
    for (const gone of ["v1", "v1.0", digest, sbom])
      expect([gone, (await request("HEAD", `/v2/${name}/manifests/${gone}`)).status]).toEqual([gone, 404]);
  });

  test("deleting a repository removes everything in it", async () => {
    expect((await request("DELETE", `/acr/v1/${name}`)).status).toBe(202);
    expect((await request("GET", `/acr/v1/${name}`)).status).toBe(404);
  });
});

describe("locks", () => {
  const moved = () => String(registry.store.manifest(name, registry.store.tag(name, "other")?.digest ?? "")?.bytes);

  beforeEach(() => {
    makeImage(registry.store, name, "other");
  });

  test.each([
    ["writeEnabled", `/acr/v1/${name}/_tags/v1`],
    ["writeEnabled", `/acr/v1/${name}`],
  ])(
    "%s: false at %s keeps the tag from being moved or removed, and its manifest from being deleted",
    async (attribute, path) => {
      expect((await request("PATCH", path, { [attribute]: false })).status).toBe(200);
      const push = await request("PUT", `/v2/${name}/manifests/v1`, moved());
      const untag = await request("DELETE", `/acr/v1/${name}/_tags/v1`);
      const remove = await request("DELETE", `/v2/${name}/manifests/${digest}`);
      for (const response of [push, untag, remove]) expect([response.status, response.code()]).toEqual(disallowed);
      expect(registry.store.tag(name, "v1")?.digest).toBe(digest);
    },
  );

  test("deleteEnabled: false keeps a tag from being removed, not from being moved", async () => {
    await request("PATCH", `/acr/v1/${name}/_tags/v1`, { deleteEnabled: false });
    expect((await request("DELETE", `/acr/v1/${name}/_tags/v1`)).status).toBe(405);
    expect((await request("DELETE", `/acr/v1/${name}`)).status).toBe(405);
    expect((await request("PUT", `/v2/${name}/manifests/v1`, moved())).status).toBe(201);
  });

  test("a locked tag does not lock its manifest's attributes or other tags", async () => {
    await request("PATCH", `/acr/v1/${name}/_tags/v1`, { writeEnabled: false, deleteEnabled: false });
    const { manifest } = (await request("GET", `/acr/v1/${name}/_manifests/${digest}`)).json();
    expect(manifest).toMatchObject({ changeableAttributes: enabled });
    expect((await request("DELETE", `/acr/v1/${name}/_tags/other`)).status).toBe(202);
  });

  test("a locked manifest cannot be deleted, but its tags can move", async () => {
    await request("PATCH", `/acr/v1/${name}/_manifests/${digest}`, { deleteEnabled: false });
    expect((await request("DELETE", `/v2/${name}/manifests/${digest}`)).status).toBe(405);
    expect((await request("DELETE", `/acr/v1/${name}/_tags/v1`)).status).toBe(202);
    expect((await request("HEAD", `/v2/${name}/manifests/${digest}`)).status).toBe(200);
  });

  test("a locked repository rejects uploads", async () => {
    await request("PATCH", `/acr/v1/${name}`, { writeEnabled: false });
    expect((await request("POST", `/v2/${name}/blobs/uploads/`)).status).toBe(405);
  });

  test("a manifest with a locked referrer is not deleted in part", async () => {
    const sbom = makeReferrer(registry.store, name, digest).digest;
    await request("PATCH", `/acr/v1/${name}/_manifests/${sbom}`, { deleteEnabled: false });
    expect((await request("DELETE", `/v2/${name}/manifests/${digest}`)).status).toBe(405);
    expect((await request("HEAD", `/v2/${name}/manifests/${digest}`)).status).toBe(200);
  });

  test("readEnabled: false rejects reading", async () => {
    await request("PATCH", `/acr/v1/${name}/_tags/v1`, { readEnabled: false });
    expect((await request("HEAD", `/v2/${name}/manifests/v1`)).status).toBe(405);
    expect((await request("HEAD", `/v2/${name}/manifests/other`)).status).toBe(200);
  });

  test("a lock can be removed", async () => {
    await request("PATCH", `/acr/v1/${name}/_tags/v1`, { writeEnabled: false });
    const lifted = await request("PATCH", `/acr/v1/${name}/_tags/v1`, { writeEnabled: true });
    expect(lifted.json().tag).toMatchObject({ changeableAttributes: enabled });
    expect((await request("DELETE", `/acr/v1/${name}/_tags/v1`)).status).toBe(202);
  });

  test.each([["{"], [{ writeEnabled: "no" }], [{ lock: true }], ["[1]"], ["null"]])(
    "rejects the attributes %j",
    async (body) => {
      expect((await request("PATCH", `/acr/v1/${name}/_tags/v1`, body)).status).toBe(400);
    },
  );

  test("changing the attributes of an unknown tag is a 404", async () => {
    expect((await request("PATCH", `/acr/v1/${name}/_tags/none`, { writeEnabled: false })).code()).toBe("TAG_UNKNOWN");
  });
});
