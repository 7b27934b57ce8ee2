/** `platform`: one platform of an image for several is imported. */
import { useEmulator } from "../support/emulator";
import { clientRequests, freshStack, importCount, publish, type Stack, targetDigest } from "./stack";

const emulator = useEmulator();
let stack: Stack;
let repository: string;
let image: { source: string; targetTags: string[]; platform: string };

beforeEach(async () => {
  ({ stack, repository } = freshStack(emulator));
  image = { source: `docker.io/${repository}:1`, targetTags: [`${repository}:1`], platform: "linux/arm64" };
});

const none = { errors: {} };
const up = (changes: object = {}) => stack.up({ image: { ...image, ...changes } });

/** Moves the tag to a new index and returns its digest. */
const moveIndex = (platforms = ["linux/amd64", "linux/arm64/v8"]) =>
  emulator.server.images.replace(`docker.io/${repository}:1`, { kind: "index", platforms }).digest;

function store() {
  const found = emulator.server.images.publicStores.get("docker.io");
  if (found === undefined) throw new Error("the emulator has no Docker Hub");
  return found;
}

/** The digest of a platform's manifest in the index behind the tag. */
function manifestFor(architecture: string): string | undefined {
  const { manifests = [] } = store().manifest(repository, "1")?.content ?? {};
  return manifests.find(({ platform }) => platform?.architecture === architecture)?.digest;
}

/** Moves the tag to an index with the same manifests. */
function annotateIndex(): string | undefined {
  const index = store().manifest(repository, "1");
  const content = { ...index?.content, annotations: { revision: "2" } };
  return store().putManifest(repository, Buffer.from(JSON.stringify(content)), index?.mediaType ?? "", "1").digest;
}

test("imports the manifest of the platform, and a second up sends no request", async () => {
  const indexDigest = moveIndex();
  const sourceDigest = manifestFor("arm64");
  expect(await up()).toEqual({ ...none, steps: { image: "create" } });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(sourceDigest);
  expect(stack.resource().outputs).toMatchObject({
    sourceDigest,
    indexDigest,
    platforms: ["linux/arm64/v8"],
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    verifiedBy: "digest",
  });
  expect(stack.resource().inputs).toMatchObject({ sourceDigest, indexDigest });

  emulator.server.log.clear();
  expect(await up()).toEqual({ ...none, steps: { image: "same" } });
  expect(clientRequests(emulator)).toEqual([]);
});

test("an index that moved with its platform is read once and imported; one that moved without it is only recorded", async () => {
  moveIndex();
  await up();
  const moved = moveIndex();
  emulator.server.log.clear();
  expect(await up()).toEqual({ ...none, steps: { image: "update" } });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(manifestFor("arm64"));
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: manifestFor("arm64"), indexDigest: moved });

  const annotated = annotateIndex();
  emulator.server.log.clear();
  expect(await up()).toEqual({ ...none, steps: { image: "update" } });
  expect(importCount(emulator)).toBe(0);
  expect(clientRequests(emulator).filter((request) => !request.includes("auth."))).toEqual([
    "GET registry-1.docker.io",
  ]);
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: manifestFor("arm64"), indexDigest: annotated });
  emulator.server.log.clear();
  expect((await up()).steps).toEqual({ image: "same" });
  expect(clientRequests(emulator)).toEqual([]);
});

test("another platform moves the tag, and none brings the whole image", async () => {
  const indexDigest = moveIndex();
  await up();
  expect(await up({ platform: "linux/amd64" })).toEqual({ ...none, steps: { image: "update" } });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(manifestFor("amd64"));
  const { platform: _platform, ...whole } = image;
  expect(await stack.up({ image: whole })).toEqual({ ...none, steps: { image: "update" } });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(indexDigest);
  expect(stack.resource().outputs).not.toHaveProperty("indexDigest");
});

test("a platform that the image lacks fails the check and lists those that there are", async () => {
  moveIndex();
  const { errors } = await up({ platform: "linux/s390x" });
  expect(errors.image).toMatch(/ has no image for linux\/s390x; it has linux\/amd64, linux\/arm64\/v8 \[SOURCE_PLAT/);
  expect(stack.state.size).toBe(0);
});

test("a single manifest is imported when it is for that platform", async () => {
  const digest = publish(emulator, `${repository}:1`);
  expect(await up({ platform: "linux/amd64" })).toEqual({ ...none, steps: { image: "create" } });
  expect(stack.resource().outputs).toMatchObject({ sourceDigest: digest, indexDigest: digest });
});

test("a source pinned to the digest of an index is read once", async () => {
  const indexDigest = moveIndex();
  const pinned = { source: `docker.io/${repository}@${indexDigest}` };
  expect(await up(pinned)).toEqual({ ...none, steps: { image: "create" } });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(manifestFor("arm64"));
  emulator.server.log.clear();
  expect((await up(pinned)).steps).toEqual({ image: "same" });
  expect(clientRequests(emulator)).toEqual([]);
});

test("a refresh keeps indexDigest, and what vanished comes back", async () => {
  const indexDigest = moveIndex();
  await up();
  emulator.server.images.remove(`myregistry.azurecr.io/${repository}:1`);
  await stack.refresh();
  expect(stack.resource().inputs).toMatchObject({ indexDigest, targets: {} });
  expect((await up()).steps).toEqual({ image: "update" });
  expect(targetDigest(emulator, `${repository}:1`)).toBe(manifestFor("arm64"));
});
