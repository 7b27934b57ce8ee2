/** Create, update and refresh: what is imported, recorded and left alone. */
import { useEmulator } from "../support/emulator";
import {
  clientRequests,
  freshStack,
  importCount,
  loginServer,
  publish,
  pushForeignImage,
  Stack,
  targetDigest,
} from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let first: string;
let image: { source: string; targetTags: string[] };

beforeEach(async () => {
  ({ stack, repository, first } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`] };
  await emulator.control.clearRequests();
});

const none = { errors: {} };
const up = (changes: object = {}) => stack.up({ image: { ...image, ...changes } });
const log = () => emulator.server.log.clear();

test("a first up imports by digest and verifies the target; a second up with the same digest sends no request", async () => {
  expect(await up()).toEqual({ ...none, steps: { image: "create" } });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(first);
  expect(stack.resource()).toMatchObject({
    id: `${loginServer}/${repository}:1`,
    outputs: {
      sourceDigest: first,
      targets: { [`${repository}:1`]: first },
      reference: `${loginServer}/${repository}@${first}`,
      verifiedBy: "digest",
      mediaType: "application/vnd.oci.image.manifest.v1+json",
    },
  });
  const [request] = emulator.server.log.select(new URLSearchParams({ method: "GET", host: "registry-1.docker.io" }));
  expect(request?.path).toContain(first);

  log();
  expect(await up()).toEqual({ ...none, steps: { image: "same" } });
  expect(clientRequests(emulator)).toEqual([]);
});

test("an import succeeds without platforms when the storage firewall blocks the image configuration", async () => {
  await emulator.control.faults({ host: loginServer, from: "client", path: "/blobs/", hang: true });
  expect(await up()).toEqual({ ...none, steps: { image: "create" } });
  expect(stack.resource().outputs).toMatchObject({ verifiedBy: "digest", platforms: [] });
  await emulator.control.faults();
});

test("a tag that already holds the digest is adopted without an import", async () => {
  await up();
  const other = new Stack(emulator, {}, stack);
  log();
  expect(await other.up({ image })).toEqual({ ...none, steps: { image: "create" } });
  expect(importCount(emulator)).toBe(0);
  expect(other.resource().outputs).toEqual(stack.resource().outputs);
});

test("a tag with another digest fails a first up, and onConflict: overwrite replaces it", async () => {
  const theirs = pushForeignImage(emulator, `${repository}:1`);
  const { errors } = await up();
  expect(errors.image).toMatch(/^target: .*\[TARGET_CONFLICT\]\n {2}Hint: /);
  expect(errors.image).toContain(`${loginServer}/${repository}:1 holds ${theirs}`);
  expect(errors.image).toContain(first);
  expect(stack.state.size).toBe(0);
  expect(importCount(emulator)).toBe(0);
  expect(targetDigest(emulator, `${repository}:1`)).toBe(theirs);

  expect(await up({ onConflict: "overwrite" })).toEqual({ ...none, steps: { image: "create" } });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(first);
});

test("a moved source tag is imported over the recorded tag", async () => {
  await up();
  const second = publish(emulator, `${repository}:1`);
  expect(await up()).toEqual({ ...none, steps: { image: "update" } });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(second);
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: second, targets: { [`${repository}:1`]: second } });
});

test("when source and target moved, onConflict: fail touches nothing and overwrite repairs the target", async () => {
  await up();
  const second = publish(emulator, `${repository}:1`);
  const theirs = pushForeignImage(emulator, `${repository}:1`);
  const before = stack.resource();
  const { errors } = await up();
  expect(errors.image).toContain("[TARGET_CONFLICT]");
  expect(errors.image).toContain(theirs);
  expect(errors.image).toContain(second);
  expect(targetDigest(emulator, `${repository}:1`)).toBe(theirs);
  expect(stack.resource()).toEqual(before);

  expect((await up({ onConflict: "overwrite" })).errors).toEqual({});
  expect(targetDigest(emulator, `${repository}:1`)).toBe(second);
});

test("only missing targets are imported", async () => {
  const targetTags = ["a", "b", "c"].map((tag) => `${repository}:${tag}`);
  await up({ targetTags, untaggedTargetRepositories: [`${repository}-mirror`] });
  expect(importCount(emulator)).toBe(1);
  expect(targetDigest(emulator, `${repository}-mirror@${first}`)).toBe(first);

  emulator.server.images.remove(`${loginServer}/${repository}:b`);
  log();
  await stack.refresh();
  expect(await up({ targetTags, untaggedTargetRepositories: [`${repository}-mirror`] })).toEqual({
    ...none,
    steps: { image: "update" },
  });
  expect(importCount(emulator)).toBe(1);
  expect(targetDigest(emulator, `${repository}:b`)).toBe(first);
});

test("a first up imports only the tags that are missing, beside one that holds the digest", async () => {
  const [there, missing] = [`${repository}:there`, `${repository}:missing`];
  await new Stack(emulator, {}, stack).up({ image: { ...image, targetTags: [there] } });
  log();
  // An import of both with NoForce would be refused.
  expect(await up({ targetTags: [there, missing] })).toEqual({ ...none, steps: { image: "create" } });
  expect(importCount(emulator)).toBe(1);
  expect([there, missing].map((target) => targetDigest(emulator, target))).toEqual([first, first]);
});

test("a new tag is imported alone, so that a lock of the others does not matter", async () => {
  const [old, added] = [`${repository}:1`, `${repository}:added`];
  await up();
  emulator.server.images.setAttributes(`${loginServer}/${old}`, { writeEnabled: false });
  log();
  expect(await up({ targetTags: [old, added] })).toEqual({ ...none, steps: { image: "update" } });
  expect(importCount(emulator)).toBe(1);
  expect(targetDigest(emulator, added)).toBe(first);
});

test("a conflict on one tag keeps the others from being imported, and the next run continues without that tag", async () => {
  const [ours, contested, added] = ["ours", "contested", "added"].map((tag) => `${repository}:${tag}`);
  await up({ targetTags: [ours] });
  const theirs = pushForeignImage(emulator, `${contested}`);
  log();
  const { errors } = await up({ targetTags: [ours, contested, added] });
  expect(errors.image).toContain(`${loginServer}/${contested} holds ${theirs}`);
  expect(importCount(emulator)).toBe(0);
  expect([ours, contested, added].map((target) => targetDigest(emulator, `${target}`))).toEqual([
    first,
    theirs,
    undefined,
  ]);

  expect(await up({ targetTags: [ours, added] })).toEqual({ ...none, steps: { image: "update" } });
  expect(targetDigest(emulator, `${added}`)).toBe(first);
});

test("a moving tag is imported with Force and a new one with NoForce, in two imports", async () => {
  await up();
  const second = publish(emulator, `${repository}:1`);
  log();
  const targetTags = [`${repository}:1`, `${repository}:new`];
  expect((await up({ targetTags })).errors).toEqual({});
  expect(importCount(emulator)).toBe(2);
  expect(targetTags.map((target) => targetDigest(emulator, target))).toEqual([second, second]);
});

test("a tag dropped from targetTags is kept or untagged, as onDelete of the same run says", async () => {
  const both = [`${repository}:a`, `${repository}:b`];
  await up({ targetTags: both });
  await up({ targetTags: [`${repository}:a`] });
  expect(targetDigest(emulator, `${repository}:b`)).toBe(first);
  expect(Object.keys(stack.resource().outputs.targets as object)).toEqual([`${repository}:a`]);

  await up({ targetTags: both });
  await stack.stopPlugin();
  log();
  expect((await up({ targetTags: [`${repository}:a`], onDelete: "untag" })).errors).toEqual({});
  expect(targetDigest(emulator, `${repository}:b`)).toBeUndefined();
  expect(importCount(emulator)).toBe(0);
});

test("another reference to the same digest, policies and timeouts are recorded without a request", async () => {
  await up();
  emulator.server.images.publicStores.get("docker.io")?.setTag(repository, "stable", first);
  const changed = {
    source: `docker.io/${repository}:stable`,
    onDelete: "untag",
    onConflict: "overwrite",
    customTimeouts: { delete: "5m" },
  };
  log();
  expect(await up(changed)).toEqual({ ...none, steps: { image: "update" } });
  expect(clientRequests(emulator)).toEqual([]);
  expect(stack.resource().outputs).toMatchObject({
    source: changed.source,
    onDelete: "untag",
    onConflict: "overwrite",
    timeouts: { delete: "5m" },
    verifiedBy: "digest",
  });
  expect(await up(changed)).toEqual({ ...none, steps: { image: "same" } });
});

test("new credentials change nothing and are not in the outputs", async () => {
  const source = { image: `docker.io/${repository}:1` };
  const account = (password: string) => ({ ...source, credentials: { username: "emulator", password } });
  expect((await up({ source: account("dckr_pat_emulator") })).errors).toEqual({});
  log();
  expect((await up({ source: account("another") })).steps).toEqual({ image: "same" });
  expect(clientRequests(emulator)).toEqual([]);
  expect(JSON.stringify(stack.resource().outputs)).not.toMatch(/dckr_pat|another|credentials/);
});

test("another registry replaces the resource, another spelling of the same one does not", async () => {
  await up();
  log();
  const id = String(stack.resource().outputs.registryId);
  for (const registry of [loginServer, id, id.toUpperCase(), "MyRegistry"]) {
    expect(await up({ registry })).toEqual({ ...none, steps: { image: "same" } });
  }
  expect(clientRequests(emulator)).toEqual([]);
  expect(await up({ registry: "mysourceregistry" })).toEqual({ ...none, steps: { image: "replace" } });
  expect(stack.resource().id).toBe(`mysourceregistry.azurecr.io/${repository}:1`);
  expect(targetDigest(emulator, `${repository}:1`)).toBe(first);
});

test("a changed trigger imports an unchanged image again", async () => {
  await up({ triggers: [1] });
  log();
  expect(await up({ triggers: [2] })).toEqual({ ...none, steps: { image: "update" } });
  expect(importCount(emulator)).toBe(1);
  expect((await up({ triggers: [2] })).steps).toEqual({ image: "same" });
});

describe("with digestFrom: target", () => {
  const source = () => ({ image: `docker.io/${repository}:1`, digestFrom: "target" });

  test("imports by reference when arguments or triggers change, not when the source moves", async () => {
    expect(await up({ source: source() })).toEqual({ ...none, steps: { image: "create" } });
    expect(stack.resource().outputs).toMatchObject({ sourceDigest: first, verifiedBy: "digest" });
    const second = publish(emulator, `${repository}:1`);
    expect((await up({ source: source() })).steps).toEqual({ image: "same" });
    expect((await up({ source: source(), triggers: ["again"] })).errors).toEqual({});
    expect(targetDigest(emulator, `${repository}:1`)).toBe(second);
    expect(stack.resource().outputs).toMatchObject({ sourceDigest: second });
  });

  test("reports an existing tag as a conflict at the first import, and never adopts it", async () => {
    const theirs = pushForeignImage(emulator, `${repository}:1`);
    expect((await up({ source: source() })).errors.image).toMatch(/holds .*\[TARGET_CONFLICT\]/);
    expect(targetDigest(emulator, `${repository}:1`)).toBe(theirs);
    expect(stack.state.size).toBe(0);
  });

  test("restores a vanished tag with the recorded digest", async () => {
    await up({ source: source() });
    publish(emulator, `${repository}:1`);
    emulator.server.images.remove(`${loginServer}/${repository}:1`);
    await stack.refresh();
    expect((await up({ source: source() })).errors).toEqual({});
    expect(targetDigest(emulator, `${repository}:1`)).toBe(first);
  });
});

describe("refresh", () => {
  test("changes nothing when nothing moved", async () => {
    await up();
    const before = stack.resource();
    await stack.refresh();
    expect(stack.resource()).toEqual(before);
  });

  test("shows a vanished tag in outputs and inputs, and the next up brings it back", async () => {
    await up();
    emulator.server.images.remove(`${loginServer}/${repository}:1`);
    await stack.refresh();
    const { inputs, outputs } = stack.resource();
    expect(outputs).toMatchObject({ targets: {}, sourceDigest: first });
    expect(inputs).toMatchObject({ targets: {}, sourceDigest: first });
    expect((await up()).steps).toEqual({ image: "update" });
    expect(targetDigest(emulator, `${repository}:1`)).toBe(first);
    expect(stack.resource().outputs.targets).toEqual({ [`${repository}:1`]: first });
  });

  test("shows a manifest without a tag that vanished, and the next up brings it back", async () => {
    const untagged = { untaggedTargetRepositories: [`${repository}-untagged`] };
    const manifest = `${repository}-untagged@${first}`;
    await up(untagged);
    emulator.server.images.remove(`${loginServer}/${manifest}`);
    await stack.refresh();
    expect(stack.resource().outputs.targets).toEqual({ [`${repository}:1`]: first });
    expect((await up(untagged)).steps).toEqual({ image: "update" });
    expect(targetDigest(emulator, manifest)).toBe(first);
  });

  test("shows a foreign digest in targets, and keeps sourceDigest", async () => {
    await up();
    const theirs = pushForeignImage(emulator, `${repository}:1`);
    await stack.refresh();
    const drift = { targets: { [`${repository}:1`]: theirs }, sourceDigest: first };
    expect(stack.resource().outputs).toMatchObject(drift);
    expect(stack.resource().inputs).toMatchObject(drift);
    // Inputs that only an import can set would show as a change in the next preview.
    expect(Object.keys(stack.resource().inputs).sort()).toEqual(
      Object.keys(stack.resource().outputs)
        .filter((key) => !["mediaType", "platforms", "verifiedBy"].includes(key))
        .sort(),
    );
    expect((await up()).errors.image).toContain("[TARGET_CONFLICT]");
    expect(targetDigest(emulator, `${repository}:1`)).toBe(theirs);
    expect((await up({ onConflict: "overwrite" })).errors).toEqual({});
    expect(targetDigest(emulator, `${repository}:1`)).toBe(first);
  });
});
