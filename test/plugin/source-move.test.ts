/** `onSourceMove`: what happens when the tag moves upstream. */
import { useEmulator } from "../support/emulator";
import { clientRequests, freshStack, loginServer, publish, type Stack, targetDigest } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let first: string;
let image: { source: string; targetTags: string[] };

beforeEach(async () => {
  ({ stack, repository, first } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`] };
});

const none = { errors: {} };
const up = (changes: object = {}) => stack.up({ image: { ...image, ...changes } });
const held = () => targetDigest(emulator, `${repository}:1`);

test("fail: the check of a source that moved names both digests, until the policy or triggers let it in", async () => {
  const onSourceMove = "fail";
  await up({ onSourceMove });
  expect((await up({ onSourceMove })).steps).toEqual({ image: "same" });

  const second = publish(emulator, `${repository}:1`);
  const before = stack.resource();
  emulator.server.log.clear();
  const { errors } = await up({ onSourceMove });
  expect(errors.image).toContain(`source: ${image.source} has moved to ${second}; ${first} is recorded [SOURCE_MOVED]`);
  expect(clientRequests(emulator)).toEqual([]);
  expect([stack.resource(), held()]).toEqual([before, first]);

  expect(await up({ onSourceMove, triggers: [1] })).toEqual({ ...none, steps: { image: "update" } });
  expect(held()).toBe(second);
  expect((await up({ onSourceMove, triggers: [1] })).steps).toEqual({ image: "same" });

  const third = publish(emulator, `${repository}:1`);
  expect((await up({ onSourceMove, triggers: [1] })).errors.image).toContain("[SOURCE_MOVED]");
  expect((await up({ triggers: [1] })).errors).toEqual({});
  expect(held()).toBe(third);
});

test("keep: the recorded digest stays, also where it has to be imported again, until triggers let the other one in", async () => {
  const onSourceMove = "keep";
  await up({ onSourceMove });
  const second = publish(emulator, `${repository}:1`);
  emulator.server.log.clear();
  expect((await up({ onSourceMove })).steps).toEqual({ image: "same" });
  expect(clientRequests(emulator)).toEqual([]);

  emulator.server.images.remove(`${loginServer}/${repository}:1`);
  await stack.refresh();
  expect((await up({ onSourceMove })).errors).toEqual({});
  expect(held()).toBe(first);

  expect((await up({ onSourceMove, triggers: [1] })).errors).toEqual({});
  expect(held()).toBe(second);
});

test("another reference is imported whatever the policy", async () => {
  await up({ onSourceMove: "fail" });
  const other = publish(emulator, `${repository}:2`);
  expect((await up({ onSourceMove: "fail", source: `docker.io/${repository}:2` })).errors).toEqual({});
  expect(held()).toBe(other);
});

test("with platform, an index that moved without its platform is no move", async () => {
  const reference = `docker.io/${repository}:1`;
  const index = { kind: "index", platforms: ["linux/amd64", "linux/arm64"] } as const;
  emulator.server.images.replace(reference, index);
  const policy = { onSourceMove: "fail", platform: "linux/arm64" };
  await up(policy);
  const store = emulator.server.images.publicStores.get("docker.io");
  const { content, mediaType = "" } = store?.manifest(repository, "1") ?? {};
  const annotated = Buffer.from(JSON.stringify({ ...content, annotations: { revision: "2" } }));
  store?.putManifest(repository, annotated, mediaType, "1");
  expect(await up(policy)).toEqual({ ...none, steps: { image: "update" } });

  const moved = emulator.server.images.replace(reference, index).digest;
  expect((await up(policy)).errors.image).toContain("[SOURCE_MOVED]");
  // Kept without reading the new index.
  emulator.server.log.clear();
  expect((await up({ ...policy, onSourceMove: "keep" })).errors).toEqual({});
  expect(clientRequests(emulator)).toEqual([]);
  expect(stack.resource().outputs.indexDigest).not.toBe(moved);
});

test("a digest that a transform has put among the inputs is not taken for the recorded one", async () => {
  await up();
  const other = publish(emulator, `${repository}:other`);
  expect((await up({ sourceDigest: other })).steps).toEqual({ image: "same" });
  expect([held(), stack.resource().outputs.sourceDigest]).toEqual([first, first]);
});
