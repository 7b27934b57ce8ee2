/** `onDelete: "delete"` with `referrers`: what somebody else needs stays in the target. */
import { useEmulator } from "../support/emulator";
import { freshStack, pushForeignImage, type Stack, targetDigest } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let image: { source: string; targetTags: string[]; referrers: true; onDelete: "delete" };

beforeEach(() => {
  ({ stack, repository } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`], referrers: true, onDelete: "delete" };
});
afterEach(() => stack.stopPlugin());

const publish = () => emulator.control.signedImage(image.source);
const target = () => {
  const store = emulator.server.state.registries.find(({ name }) => name === "myregistry")?.store;
  if (store === undefined) throw new Error("the emulator has no myregistry");
  return store;
};
const holds = (reference: string) => targetDigest(emulator, `${repository}${reference}`);
const listTag = (digest: string) => digest.replace(":", "-");

test("what refers to a platform that has a tag of its own stays", async () => {
  const { digest, referrers } = await publish();
  expect((await stack.up({ image })).errors).toEqual({});
  const ofPlatforms = referrers.filter(({ subject, tag }) => subject !== digest && tag === undefined);
  const [first] = ofPlatforms.filter(({ subject }) => referrers.every((one) => one.digest !== subject));
  target().setTag(repository, "amd64", first?.subject ?? "");
  expect((await stack.destroy()).errors).toEqual({});
  expect([holds(":1"), holds(":amd64")]).toEqual([undefined, first?.subject]);
  expect(referrers.filter((one) => holds(`@${one.digest}`) !== undefined)).toEqual([first]);
});

test("an image that the source has put under cosign's tag stays", async () => {
  const { digest } = await publish();
  const victim = emulator.server.images.replace(`docker.io/${repository}:victim`, { kind: "manifest" }).digest;
  // Somebody else has it in the target, without a tag.
  const theirs = { source: `docker.io/${repository}:victim`, untaggedTargetRepositories: [repository] };
  expect((await freshStack(emulator).stack.up({ theirs })).errors).toEqual({});
  const tag = `${listTag(digest)}.sbom`;
  emulator.server.images.publicStores.get("docker.io")?.setTag(repository, tag, victim);
  expect((await stack.up({ image })).errors).toEqual({});
  expect(holds(`:${tag}`)).toBe(victim);
  expect((await stack.destroy()).errors).toEqual({});
  expect([holds(`:${tag}`), holds(`@${victim}`)]).toEqual([undefined, victim]);
});

describe("on a target without the referrers API", () => {
  const change = (encryption: "enabled" | "disabled") =>
    emulator.control.call("PATCH", "/registries/myregistry", {}, { encryption });
  const host = "lists.example.com";
  beforeEach(async () => {
    await emulator.control.hosts({ [host]: { referrers: { api: "missing" } } });
    image = { ...image, source: `${host}/${repository}:1` };
    await change("enabled");
    await stack.stopPlugin();
  });
  afterEach(async () => {
    await change("disabled");
    await emulator.control.call("DELETE", "/hosts");
  });

  test("an image in the place of the list is a conflict", async () => {
    const { digest } = await publish();
    const theirs = pushForeignImage(emulator, `${repository}:${listTag(digest)}`);
    expect((await stack.up({ image })).errors.image).toContain("[TARGET_CONFLICT]");
    expect(holds(`:${listTag(digest)}`)).toBe(theirs);
  });

  test("an image in the place of the list stays, with all its tags", async () => {
    const { digest } = await publish();
    expect((await stack.up({ image })).errors).toEqual({});
    const theirs = pushForeignImage(emulator, `${repository}:theirs`);
    target().setTag(repository, listTag(digest), theirs);
    expect((await stack.destroy()).errors).toEqual({});
    expect([holds(`:${listTag(digest)}`), holds(":theirs")]).toEqual([theirs, theirs]);
  });

  test("a list that has another tag loses only that of the image", async () => {
    const { digest } = await publish();
    expect((await stack.up({ image })).errors).toEqual({});
    const list = holds(`:${listTag(digest)}`) ?? "";
    target().setTag(repository, "theirs", list);
    expect((await stack.destroy()).errors).toEqual({});
    expect([holds(`:${listTag(digest)}`), holds(":theirs")]).toEqual([undefined, list]);
  });
});
