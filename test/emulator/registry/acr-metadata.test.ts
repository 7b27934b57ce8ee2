import type { AcrAction } from "../../../emulator/registry/acr-authority";
import { makeImage, makeReferrer } from "../../../emulator/registry/make-image";
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

function ask(method: string, path: string, body?: object | string): Promise<Answer> {
  const headers = { accept: Object.values(mediaTypes).join(","), "content-type": mediaTypes.index, ...bearer(token) };
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  return registry.ask(method, path, { headers, ...(text === undefined ? {} : { body: text }) });
}

const enabled = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };
const time = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);

test("a tag", async () => {
  expect((await ask("GET", `/acr/v1/${name}/_tags/v1`)).json()).toEqual({
    registry: host,
    imageName: name,
    tag: { name: "v1", digest, createdTime: time, lastUpdateTime: time, signed: false, changeableAttributes: enabled },
  });
});

test("a manifest, with the tags on it and what it lists", async () => {
  registry.store.setTag(name, "v1.0", digest);
  const path = `/acr/v1/${encodeURIComponent(name)}/_manifests/${encodeURIComponent(digest)}`;
  const { manifest } = (await ask("GET", path)).json();
  expect(manifest).toMatchObject({
    digest,
    mediaType: mediaTypes.index,
    tags: ["v1", "v1.0"],
    changeableAttributes: enabled,
  });
  expect((manifest as { references: object[] }).references[0]).toMatchObject({ os: "linux", architecture: "amd64" });
});

test("the repository", async () => {
  expect((await ask("GET", `/acr/v1/${name}`)).json()).toEqual({
    registry: host,
    imageName: name,
    createdTime: time,
    lastUpdateTime: time,
    manifestCount: 7,
    tagCount: 1,
    changeableAttributes: enabled,
  });
});

test("both catalogs", async () => {
  expect((await ask("GET", "/acr/v1/_catalog")).json()).toEqual({ repositories: [name] });
  expect((await ask("GET", "/v2/_catalog")).json()).toEqual({ repositories: [name] });
});

test.each([
  [`/acr/v1/${name}/_tags/none`, "TAG_UNKNOWN"],
  [`/acr/v1/${name}/_manifests/sha256:${"0".repeat(64)}`, "MANIFEST_UNKNOWN"],
])("%s: 404 %s", async (path, code) => {
  const answer = await ask("GET", path);
  expect([answer.status, answer.code()]).toEqual([404, code]);
});

test("what is not there is 404 for whoever may see it", async () => {
  token = await registry.accessToken(everything, "repository:none:*");
  for (const path of ["/acr/v1/none", "/acr/v1/none/_tags", "/acr/v1/none/_manifests"])
    expect([path, (await ask("GET", path)).code()]).toEqual([path, "NAME_UNKNOWN"]);
});

describe("lists", () => {
  beforeEach(async () => {
    for (const tag of ["c", "b"]) {
      makeImage(registry.store, name, tag, { kind: "manifest" });
      await new Promise((later) => setTimeout(later, 3));
    }
  });

  const names = (answer: Answer) => (answer.json().tags as { name: string }[]).map((tag) => tag.name);

  test("tags by name, by time, of one digest", async () => {
    expect(names(await ask("GET", `/acr/v1/${name}/_tags`))).toEqual(["b", "c", "v1"]);
    expect(names(await ask("GET", `/acr/v1/${name}/_tags?orderby=timeasc`))).toEqual(["v1", "c", "b"]);
    expect(names(await ask("GET", `/acr/v1/${name}/_tags?orderby=timedesc`))).toEqual(["b", "c", "v1"]);
    expect(names(await ask("GET", `/acr/v1/${name}/_tags?digest=${digest}`))).toEqual(["v1"]);
  });

  test("Link leads through every page, in the order asked for", async () => {
    const seen: string[] = [];
    let next: string | undefined = `/acr/v1/${name}/_tags?n=1&orderby=timedesc`;
    while (next !== undefined && seen.length < 10) {
      const answer: Answer = await ask("GET", next);
      seen.push(...names(answer));
      next = /^<(.+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
    }
    expect(seen).toEqual(["b", "c", "v1"]);
  });

  test("manifests in pages", async () => {
    const first = await ask("GET", `/acr/v1/${name}/_manifests?n=2`);
    const second = await ask("GET", /^<(.+)>/.exec(String(first.headers.link))?.[1] ?? "");
    expect(first.json().manifests).toHaveLength(2);
    expect(second.json().manifests).not.toEqual(first.json().manifests);
  });

  test("leave out what must not be listed", async () => {
    await ask("PATCH", `/acr/v1/${name}/_tags/c`, { listEnabled: false });
    expect(names(await ask("GET", `/acr/v1/${name}/_tags`))).toEqual(["b", "v1"]);
    expect((await ask("GET", `/v2/${name}/tags/list`)).json().tags).toEqual(["b", "v1"]);
    expect((await ask("HEAD", `/v2/${name}/manifests/c`)).status).toBe(200);
  });
});

describe("untagging and deleting", () => {
  test("untagging leaves the manifest and its other tags", async () => {
    registry.store.setTag(name, "v1.0", digest);
    expect((await ask("DELETE", `/acr/v1/${name}/_tags/v1`)).status).toBe(202);
    expect((await ask("HEAD", `/v2/${name}/manifests/v1`)).status).toBe(404);
    expect((await ask("HEAD", `/v2/${name}/manifests/v1.0`)).status).toBe(200);
    expect((await ask("HEAD", `/v2/${name}/manifests/${digest}`)).status).toBe(200);
    expect((await ask("DELETE", `/acr/v1/${name}/_tags/v1`)).code()).toBe("TAG_UNKNOWN");
  });

  test("by tag, /v2/ refuses to delete", async () => {
    expect((await ask("DELETE", `/v2/${name}/manifests/v1`)).status).toBe(405);
    expect((await ask("HEAD", `/v2/${name}/manifests/v1`)).status).toBe(200);
  });

  test("deleting a manifest removes its tags and what refers to it", async () => {
    registry.store.setTag(name, "v1.0", digest);
    const sbom = makeReferrer(registry.store, name, digest, "application/vnd.example.sbom").digest;
    expect((await ask("DELETE", `/v2/${name}/manifests/${digest}`)).status).toBe(202);
    for (const gone of ["v1", "v1.0", digest, sbom])
      expect([gone, (await ask("HEAD", `/v2/${name}/manifests/${gone}`)).status]).toEqual([gone, 404]);
  });

  test("deleting the repository", async () => {
    expect((await ask("DELETE", `/acr/v1/${name}`)).status).toBe(202);
    expect((await ask("GET", `/acr/v1/${name}`)).status).toBe(404);
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
  ])("%s: false at %s: the tag does not move, is not removed, and its manifest stays", async (attribute, path) => {
    expect((await ask("PATCH", path, { [attribute]: false })).status).toBe(200);
    const push = await ask("PUT", `/v2/${name}/manifests/v1`, moved());
    const untag = await ask("DELETE", `/acr/v1/${name}/_tags/v1`);
    const remove = await ask("DELETE", `/v2/${name}/manifests/${digest}`);
    for (const answer of [push, untag, remove]) expect([answer.status, answer.code()]).toEqual(disallowed);
    expect(registry.store.tag(name, "v1")?.digest).toBe(digest);
  });

  test("deleteEnabled: false: the tag still moves, but is not removed", async () => {
    await ask("PATCH", `/acr/v1/${name}/_tags/v1`, { deleteEnabled: false });
    expect((await ask("DELETE", `/acr/v1/${name}/_tags/v1`)).status).toBe(405);
    expect((await ask("DELETE", `/acr/v1/${name}`)).status).toBe(405);
    expect((await ask("PUT", `/v2/${name}/manifests/v1`, moved())).status).toBe(201);
  });

  test("a locked tag locks neither its manifest's attributes nor other tags", async () => {
    await ask("PATCH", `/acr/v1/${name}/_tags/v1`, { writeEnabled: false, deleteEnabled: false });
    const { manifest } = (await ask("GET", `/acr/v1/${name}/_manifests/${digest}`)).json();
    expect(manifest).toMatchObject({ changeableAttributes: enabled });
    expect((await ask("DELETE", `/acr/v1/${name}/_tags/other`)).status).toBe(202);
  });

  test("a locked manifest is not deleted, its tags may move on", async () => {
    await ask("PATCH", `/acr/v1/${name}/_manifests/${digest}`, { deleteEnabled: false });
    expect((await ask("DELETE", `/v2/${name}/manifests/${digest}`)).status).toBe(405);
    expect((await ask("DELETE", `/acr/v1/${name}/_tags/v1`)).status).toBe(202);
    expect((await ask("HEAD", `/v2/${name}/manifests/${digest}`)).status).toBe(200);
  });

  test("a locked repository takes no upload either", async () => {
    await ask("PATCH", `/acr/v1/${name}`, { writeEnabled: false });
    expect((await ask("POST", `/v2/${name}/blobs/uploads/`)).status).toBe(405);
  });

  test("a manifest whose referrer is locked is not deleted in part", async () => {
    const sbom = makeReferrer(registry.store, name, digest, "application/vnd.example.sbom").digest;
    await ask("PATCH", `/acr/v1/${name}/_manifests/${sbom}`, { deleteEnabled: false });
    expect((await ask("DELETE", `/v2/${name}/manifests/${digest}`)).status).toBe(405);
    expect((await ask("HEAD", `/v2/${name}/manifests/${digest}`)).status).toBe(200);
  });

  test("what must not be read is not served", async () => {
    await ask("PATCH", `/acr/v1/${name}/_tags/v1`, { readEnabled: false });
    expect((await ask("HEAD", `/v2/${name}/manifests/v1`)).status).toBe(405);
    expect((await ask("HEAD", `/v2/${name}/manifests/other`)).status).toBe(200);
  });

  test("a lock is lifted the way it was set", async () => {
    await ask("PATCH", `/acr/v1/${name}/_tags/v1`, { writeEnabled: false });
    const lifted = await ask("PATCH", `/acr/v1/${name}/_tags/v1`, { writeEnabled: true });
    expect(lifted.json().tag).toMatchObject({ changeableAttributes: enabled });
    expect((await ask("DELETE", `/acr/v1/${name}/_tags/v1`)).status).toBe(202);
  });

  test.each([["{"], [{ writeEnabled: "no" }], [{ lock: true }], ["[1]"], ["null"]])(
    "attributes %j are refused",
    async (body) => {
      expect((await ask("PATCH", `/acr/v1/${name}/_tags/v1`, body)).status).toBe(400);
    },
  );

  test("an unknown tag has no attributes to change", async () => {
    expect((await ask("PATCH", `/acr/v1/${name}/_tags/none`, { writeEnabled: false })).code()).toBe("TAG_UNKNOWN");
  });
});
