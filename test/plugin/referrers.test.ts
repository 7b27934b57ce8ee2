/** `referrers`: what refers to an image comes along with it, before its tags. */
import type { ReferrerDescription } from "acr-emulator";
import { BUNDLE, NOTATION, SBOM, useEmulator } from "../support/emulator";
import { clientRequests, freshStack, importCount, loginServer, Stack, targetDigest } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let image: { source: string; targetTags: string[]; referrers: unknown };

beforeEach(async () => {
  ({ stack, repository } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`], referrers: true };
});
afterEach(async () => {
  await emulator.control.faults();
  await emulator.control.call("DELETE", "/hosts");
});

const none = { errors: {} };
const created = { ...none, steps: { image: "create" } };
const updated = { ...none, steps: { image: "update" } };
const same = { ...none, steps: { image: "same" } };
const up = (changes: object = {}) => stack.up({ image: { ...image, ...changes } });
const log = () => emulator.server.log.clear();
const publish = () => emulator.control.signedImage(image.source);
const sign = (options: object = {}) => emulator.control.addReferrer(image.source, options);

const lineOf = ({ tag, artifactType, digest }: ReferrerDescription) => `${tag ?? artifactType} ${digest}`;
const linesOf = (referrers: readonly ReferrerDescription[]) => referrers.map(lineOf).sort().join("\n");
const recorded = () => stack.resource().outputs.referrers;
/** What of these is in a repository of the target, as its own listing says, too. */
const inTarget = (referrers: readonly ReferrerDescription[], of = repository) =>
  referrers.filter(({ digest, tag }) => {
    const held = targetDigest(emulator, tag ? `${of}:${tag}` : `${of}@${digest}`);
    return held === digest;
  });
const sourceStore = (host = "docker.io") => {
  const store = emulator.server.images.publicStores.get(host);
  if (store === undefined) throw new Error(`the emulator has no ${host}`);
  return store;
};
/** The requests to a source, shortened, without pings and tokens. */
const sourceRequests = (host = "registry-1.docker.io") =>
  emulator.server.log
    .select(new URLSearchParams({ from: "client", host }))
    .map(({ method, path }) => `${method} ${path.replace(`/v2/${repository}/`, "").replace(/[0-9a-f]{64}/, "…")}`)
    .filter((request) => !/\/v2\/$/.test(request))
    .sort();
const cosignHeads = ["att", "sbom", "sig"].map((suffix) => `HEAD manifests/sha256-….${suffix}`);

test("everything that refers to the image, its platforms and its referrers is imported and recorded", async () => {
  const { digest, referrers } = await publish();
  expect(await up()).toEqual(created);
  expect(targetDigest(emulator, `${repository}:1`)).toBe(digest);
  expect(inTarget(referrers)).toEqual(referrers);
  expect(recorded()).toBe(linesOf(referrers));
  expect(stack.resource().inputs.referrers).toBe(recorded());
});

test("a second up sends one GET and three HEADs to the source, and nothing else", async () => {
  await publish();
  await up();
  log();
  expect(await up()).toEqual(same);
  expect(sourceRequests()).toEqual(["GET referrers/sha256:…", ...cosignHeads]);
  expect(clientRequests(emulator).filter((request) => !/docker\.io/.test(request))).toEqual([]);
  log();
  expect(await up({ referrers: { tags: true } })).toEqual(same);
  expect(sourceRequests()).toEqual(["GET referrers/sha256:…", ...cosignHeads]);
});

test("without tags a second up sends one GET", async () => {
  const { referrers } = await publish();
  const tags = referrers.filter(({ tag }) => tag !== undefined);
  await up({ referrers: { tags: false } });
  expect(inTarget(tags)).toEqual([]);
  expect(recorded()).toBe(linesOf(referrers.filter(({ tag }) => tag === undefined)));
  log();
  expect(await up({ referrers: { tags: false } })).toEqual(same);
  expect(sourceRequests()).toEqual(["GET referrers/sha256:…"]);
});

test.each<[string, object]>([
  ["without the API", { api: "missing" }],
  ["that redirects to a web page", { api: "redirect" }],
  ["whose lists say wrong types", { api: "missing", artifactTypes: "config" }],
])("from a registry %s everything arrives, and a second up sends four HEADs", async (name, referrersOptions) => {
  const host = `${name.replaceAll(/\W/g, "-")}.example.com`;
  await emulator.control.hosts({ [host]: { referrers: referrersOptions } });
  image = { ...image, source: `${host}/${repository}:1` };
  const { referrers } = await publish();
  expect(await up()).toEqual(created);
  expect(inTarget(referrers)).toEqual(referrers);
  expect(recorded()).toBe(linesOf(referrers));
  log();
  expect(await up()).toEqual(same);
  expect(sourceRequests(host)).toEqual(["HEAD manifests/sha256-…", ...cosignHeads]);
});

test("an image without referrers is imported at once, and a signature that comes later is imported alone", async () => {
  await emulator.control.moveTag(image.source);
  expect(await up()).toEqual(created);
  expect([recorded(), importCount(emulator)]).toEqual(["", 1]);
  const signature = await sign({ artifactType: BUNDLE });
  log();
  expect(await up()).toEqual(updated);
  expect(importCount(emulator)).toBe(1);
  expect(inTarget([signature])).toEqual([signature]);
  expect(recorded()).toBe(lineOf(signature));
  expect(await up()).toEqual(same);
});

test("only the wanted types are imported, by what the manifests say", async () => {
  const { referrers } = await publish();
  const artifactTypes = [NOTATION, "application/spdx*"];
  await up({ referrers: { artifactTypes, tags: false } });
  const wanted = referrers.filter(({ artifactType }) => [NOTATION, SBOM].includes(artifactType));
  expect(recorded()).toBe(linesOf(wanted));
  expect(inTarget(referrers)).toEqual(wanted);
  // More types are read again, although nothing came upstream.
  expect(await up()).toEqual(updated);
  expect(recorded()).toBe(linesOf(referrers));
});

test("a signature that cosign adds moves its tag in the target as well", async () => {
  await emulator.control.moveTag(image.source);
  const before = await sign({ cosign: "sig" });
  await up();
  const after = await sign({ cosign: "sig" });
  expect(await up()).toEqual(updated);
  expect(targetDigest(emulator, `${repository}:${before.tag}`)).toBe(after.digest);
  expect(recorded()).toBe(lineOf(after));
});

test("what vanishes upstream is kept", async () => {
  const { referrers } = await publish();
  await up();
  const [gone, ...rest] = referrers;
  emulator.server.images.remove(`docker.io/${repository}@${gone?.digest}`);
  expect(await up()).toEqual(updated);
  expect(recorded()).toBe(linesOf(referrers));
  expect(inTarget(referrers)).toEqual(referrers);
  expect(await up()).toEqual(same);
  expect(rest).toHaveLength(7);
});

test("an image that moves brings what refers to it, and not what refers to the image before", async () => {
  await publish();
  await up();
  const { digest, referrers } = await publish();
  expect(await up()).toEqual(updated);
  expect(targetDigest(emulator, `${repository}:1`)).toBe(digest);
  expect(inTarget(referrers)).toEqual(referrers);
  expect(recorded()).toBe(linesOf(referrers));
});

test("a platform brings what refers to its manifest", async () => {
  const { referrers } = await publish();
  const [, , , , ofPlatform] = referrers;
  const { manifests = [] } = sourceStore().manifest(repository, "1")?.content ?? {};
  const manifest = manifests.find(({ platform }) => platform?.architecture === "amd64");
  const wanted = referrers.filter(({ subject }) => subject === manifest?.digest);
  await up({ platform: "linux/amd64" });
  expect(wanted).toEqual([ofPlatform]);
  expect(recorded()).toBe(linesOf(wanted));
  log();
  expect(await up({ platform: "linux/amd64" })).toEqual(same);
  expect(sourceRequests()).toEqual(["GET referrers/sha256:…", ...cosignHeads]);
});

test("each repository of the target gets everything, also one that is added", async () => {
  const { referrers } = await publish();
  const [mirror, added] = [`${repository}-mirror`, `${repository}-added`];
  const targets = { targetTags: [`${repository}:1`, `${repository}:2`], untaggedTargetRepositories: [mirror] };
  expect(await up(targets)).toEqual(created);
  expect([inTarget(referrers), inTarget(referrers, mirror)]).toEqual([referrers, referrers]);
  log();
  expect(await up({ ...targets, untaggedTargetRepositories: [mirror, added] })).toEqual(updated);
  expect(inTarget(referrers, added)).toEqual(referrers);
  expect(importCount(emulator)).toBe(1 + referrers.length);
});

test("what the target has already is not imported", async () => {
  const { referrers } = await publish();
  await up();
  log();
  const other = new Stack(emulator, {}, stack);
  expect(await other.up({ image })).toEqual(created);
  expect(importCount(emulator)).toBe(0);
  expect(other.resource().outputs.referrers).toBe(linesOf(referrers));
});

describe("the order", () => {
  test("is the image without a tag, what refers to it, and the tag", async () => {
    const { digest, referrers } = await publish();
    log();
    await up();
    const digests = new Set([digest, ...referrers.map((one) => one.digest)]);
    const read = emulator.server.log
      .select(new URLSearchParams({ from: "azure", method: "GET", path: `/v2/${repository}/manifests/` }))
      .map(({ path }) => path.slice(path.lastIndexOf("/") + 1))
      .filter((one) => digests.has(one));
    expect([read[0], read.at(-1)]).toEqual([digest, digest]);
    expect(importCount(emulator)).toBe(2 + referrers.length);
  });

  test("keeps a tag from moving when something that refers to the new image cannot be imported", async () => {
    const before = await publish();
    await up({ lock: true });
    const { digest, referrers } = await publish();
    await emulator.control.faults({ path: "/importImage", after: 4, import: { failWith: "it hit a snag." } });
    expect((await up({ lock: true })).errors.image).toContain("[IMPORT_FAILED]");
    expect(targetDigest(emulator, `${repository}:1`)).toBe(before.digest);
    // The tag was not even unlocked.
    expect(emulator.server.log.select(new URLSearchParams({ method: "PATCH" }))).toHaveLength(1);

    await emulator.control.faults();
    const arrived = inTarget(referrers).length;
    log();
    expect(await up({ lock: true })).toEqual(updated);
    expect(importCount(emulator)).toBe(referrers.length - arrived + 1);
    expect(targetDigest(emulator, `${repository}:1`)).toBe(digest);
    expect(recorded()).toBe(linesOf(referrers));
  });
});

test("a create that ends halfway records what arrived, and the next up goes on", async () => {
  const { digest, referrers } = await publish();
  await emulator.control.faults({ path: "/importImage", after: 4, import: { failWith: "it hit a snag." } });
  expect((await up()).errors.image).toContain("[IMPORT_FAILED]");
  const arrived = inTarget(referrers);
  expect(arrived.length).toBeGreaterThan(0);
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: digest, targets: {}, referrers: linesOf(arrived) });

  await emulator.control.faults();
  log();
  expect(await up()).toEqual(updated);
  expect(importCount(emulator)).toBe(referrers.length - arrived.length + 1);
  expect(recorded()).toBe(linesOf(referrers));
  expect(targetDigest(emulator, `${repository}:1`)).toBe(digest);
});

describe("somebody else's tag in the place of cosign's", () => {
  test("is a conflict, unless onConflict overwrites it", async () => {
    await emulator.control.moveTag(image.source);
    await up();
    const signature = await sign({ cosign: "sig" });
    const { digest: theirs } = await emulator.control.moveTag(`${loginServer}/${repository}:${signature.tag}`);
    expect((await up()).errors.image).toMatch(/holds .*\[TARGET_CONFLICT\]/);
    expect(targetDigest(emulator, `${repository}:${signature.tag}`)).toBe(theirs);
    expect(await up({ onConflict: "overwrite" })).toEqual(updated);
    expect(inTarget([signature])).toEqual([signature]);
  });
});

describe("when the image leaves", () => {
  afterEach(() => stack.stopPlugin());

  test.each(["retain", "untag"])("onDelete: %s leaves what refers to it", async (onDelete) => {
    const { referrers } = await publish();
    await up({ onDelete });
    expect((await stack.destroy()).errors).toEqual({});
    expect(inTarget(referrers)).toEqual(referrers);
  });

  test("onDelete: delete removes what was imported with it, cosign's tags as well", async () => {
    const { digest, referrers } = await publish();
    await up({ onDelete: "delete" });
    expect((await stack.destroy()).errors).toEqual({});
    expect(targetDigest(emulator, `${repository}@${digest}`)).toBeUndefined();
    expect(inTarget(referrers)).toEqual([]);
    for (const { digest: one } of referrers) expect(targetDigest(emulator, `${repository}@${one}`)).toBeUndefined();
  });

  test("onDelete: delete leaves an image that has another tag, with what refers to it", async () => {
    const { digest, referrers } = await publish();
    await up({ onDelete: "delete" });
    emulator.server.state.registries.find(({ name }) => name === "myregistry")?.store.setTag(repository, "2", digest);
    expect((await stack.destroy()).errors).toEqual({});
    expect(inTarget(referrers)).toEqual(referrers);
  });

  test("onDelete: delete leaves what refers to a platform that another image has, too", async () => {
    const { referrers } = await publish();
    await up({ onDelete: "delete" });
    const target = emulator.server.state.registries.find(({ name }) => name === "myregistry")?.store;
    const index = target?.manifest(repository, "1");
    const other = { ...index?.content, annotations: { of: "another image" } };
    target?.putManifest(repository, Buffer.from(JSON.stringify(other)), index?.mediaType ?? "", "other");
    expect((await stack.destroy()).errors).toEqual({});
    const platforms = new Set(index?.content.manifests?.map((one) => one.digest));
    expect(inTarget(referrers)).toEqual(referrers.filter(({ subject }) => platforms.has(subject)));
  });
});

test("without referrers any more, they stay in the registry and leave the state", async () => {
  const { referrers } = await publish();
  await up();
  log();
  expect(await up({ referrers: false })).toEqual(updated);
  expect(clientRequests(emulator)).toEqual([]);
  expect(stack.resource().outputs).not.toHaveProperty("referrers");
  expect(stack.resource().outputs).not.toHaveProperty("referrersFingerprint");
  expect(inTarget(referrers)).toEqual(referrers);
  const { referrers: _none, ...plain } = image;
  expect(await stack.up({ image: plain })).toEqual(same);
});

test("an image without the argument has nothing of it in its state", async () => {
  const { digest } = await publish();
  const { referrers, ...plain } = image;
  await stack.up({ image: plain });
  expect(Object.keys(stack.resource().outputs).filter((key) => key.startsWith("referrers"))).toEqual([]);
  expect([referrers, stack.resource().outputs.sourceDigest]).toEqual([true, digest]);
});

test("a changed trigger finds what refers to referrers that are known already", async () => {
  const { referrers } = await publish();
  await up();
  const [bundle] = referrers;
  const nested = await emulator.control.addReferrer(`docker.io/${repository}@${bundle?.digest}`, {
    artifactType: SBOM,
  });
  expect(await up()).toEqual(same);
  expect(await up({ triggers: [1] })).toEqual(updated);
  expect(inTarget([nested])).toEqual([nested]);
});

test("ignoreChanges keeps what is recorded, without a request", async () => {
  await publish();
  await up();
  await sign({ artifactType: BUNDLE });
  log();
  expect(await up({ referrers: recorded() })).toEqual(same);
  expect(clientRequests(emulator)).toEqual([]);
  expect((await up({ referrers: "something else" })).errors.image).toMatch(/^referrers: must be true, false, or/);
});

describe("refresh", () => {
  test("shows what vanished in the target, and the next up brings it back", async () => {
    const { referrers } = await publish();
    await up();
    const [gone, ...rest] = referrers;
    const tagged = rest.find(({ tag }) => tag?.endsWith(".sig"));
    emulator.server.images.remove(`${loginServer}/${repository}@${gone?.digest}`);
    emulator.server.images.remove(`${loginServer}/${repository}:${tagged?.tag}`);
    expect((await stack.refresh()).errors).toEqual({});
    const left = linesOf(rest.filter((one) => one !== tagged));
    expect(stack.resource()).toMatchObject({ inputs: { referrers: left }, outputs: { referrers: left } });
    log();
    expect(await up()).toEqual(updated);
    expect(importCount(emulator)).toBe(2);
    expect(inTarget(referrers)).toEqual(referrers);
    expect(recorded()).toBe(linesOf(referrers));
  });

  test("changes nothing when everything is there", async () => {
    await publish();
    await up();
    const before = stack.resource();
    await stack.refresh();
    expect(stack.resource()).toEqual(before);
  });
});

describe("a source that does not list what refers to the image", () => {
  const failing = { host: "registry-1.docker.io", from: "client" as const, path: "/referrers/" };

  test.each<[string, object, RegExp]>([
    ["denies it", { status: 403 }, /is not allowed to pull .*\[SOURCE_ACCESS_DENIED\]/],
    ["fails", { status: 500 }, /docker\.io is unavailable .*\[SOURCE_UNAVAILABLE\]/],
    ["responds with something else", { status: 200, body: { errors: [] } }, /\[SOURCE_INVALID_RESPONSE\]/],
  ])("and %s fails the check: nothing is imported without its signatures", async (_, effect, message) => {
    const { digest } = await publish();
    log();
    await emulator.control.faults({ ...failing, ...effect });
    const { errors } = await up();
    expect(errors.image).toMatch(/^source: /);
    expect(errors.image).toMatch(message);
    expect(errors.image).toContain(`(asked for what refers to docker.io/${repository}@${digest})`);
    expect(importCount(emulator)).toBe(0);
  });

  test("is no reason to fail where onSourceUnavailable keeps what is recorded", async () => {
    await publish();
    await up();
    const before = stack.resource();
    await emulator.control.faults({ ...failing, status: 500 });
    const { errors } = await up();
    expect(errors.image).toContain('Hint: Set onSourceUnavailable: "keep" to continue with the recorded referrers');
    expect((await up({ onSourceUnavailable: "keep" })).errors).toEqual({});
    expect(recorded()).toBe(before.outputs.referrers);
    const warnings = (await stack.plugin()).logs.filter(({ severity }) => severity === "warning");
    expect(warnings.at(-1)?.message).toContain("continuing with the recorded referrers [SOURCE_UNAVAILABLE]");
    // A denial is no outage.
    await emulator.control.faults({ ...failing, status: 403 });
    expect((await up({ onSourceUnavailable: "keep" })).errors.image).toContain("[SOURCE_ACCESS_DENIED]");
  });
});

describe("a target", () => {
  const change = (properties: object) =>
    emulator.control.call("PATCH", "/registries/myregistry", {}, properties as Record<string, never>);
  afterEach(() => change({ publicNetworkAccess: "Enabled", encryption: "disabled" }));

  test("that cannot be read from here gets everything", async () => {
    const { referrers } = await publish();
    await change({ publicNetworkAccess: "Disabled" });
    expect(await up()).toEqual(created);
    expect(inTarget(referrers)).toEqual(referrers);
    expect(stack.resource().outputs).toMatchObject({ verifiedBy: "operation", referrers: linesOf(referrers) });
    expect(await up()).toEqual(same);
  });

  test("without the referrers API gets the lists of the source, which leave with the image", async () => {
    const host = "lists.example.com";
    await emulator.control.hosts({ [host]: { referrers: { api: "missing" } } });
    image = { ...image, source: `${host}/${repository}:1` };
    const { digest, referrers } = await publish();
    await change({ encryption: "enabled" });
    await stack.stopPlugin();
    expect(await up({ onDelete: "delete" })).toEqual(created);
    expect(inTarget(referrers)).toEqual(referrers);
    const list = digest.replace(":", "-");
    const listed = () => [list, ...referrers.map((one) => one.digest.replace(":", "-"))].map(indexIn);
    const indexIn = (tag: string) => targetDigest(emulator, `${repository}:${tag}`);
    expect(indexIn(list)).toBe(sourceStore(host).tag(repository, list)?.digest);
    expect(listed().filter((one) => one !== undefined)).toHaveLength(2);

    const more = await sign({ artifactType: BUNDLE });
    expect(await up({ onDelete: "delete" })).toEqual(updated);
    expect(inTarget([more])).toEqual([more]);
    expect(indexIn(list)).toBe(sourceStore(host).tag(repository, list)?.digest);

    expect((await stack.destroy()).errors).toEqual({});
    expect(listed().filter((one) => one !== undefined)).toEqual([]);
    expect(inTarget(referrers)).toEqual([]);
    await stack.stopPlugin();
  });
});
