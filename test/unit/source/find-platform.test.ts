/** Which manifest of an image is imported for a platform. */
import type { Digest } from "../../../provider/reference/digest";
import { parseSource } from "../../../provider/resource/source";
import { DigestResolver } from "../../../provider/source/resolve-digest";
import { type InProcessEmulator, startInProcessEmulator } from "../azure/in-process-emulator";

let emulator: InProcessEmulator;
beforeAll(async () => {
  emulator = await startInProcessEmulator();
});

/** Resolves a platform of an image, and returns the platforms of what was found. */
async function platformsFor(image: string, platform: string): Promise<readonly string[] | string | undefined> {
  const { digest: whole } = await emulator.control.image(image);
  const resolver = new DigestResolver(() => emulator.azure());
  const { digest, failure } = await resolver.resolvePlatform(parseSource(image), whole as Digest, platform);
  if (digest === undefined) return `${failure?.code}: ${failure?.object} ${failure?.reason}`;
  const repository = image.slice(0, image.lastIndexOf(":"));
  return emulator.server.images.describe(`${repository}@${digest}`)?.platforms;
}

const platforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v6"];

test.each(["index", "docker-list"] as const)("finds the manifest of a platform in an %s", async (kind) => {
  const image = `docker.io/platforms/${kind}:1`;
  await emulator.control.moveTag(image, { kind, platforms });
  expect(await platformsFor(image, "linux/arm64")).toEqual(["linux/arm64/v8"]);
  expect(await platformsFor(image, "linux/amd64")).toEqual(["linux/amd64"]);
});

test("names the platforms of an index that lacks the wanted one, without its attestations", async () => {
  const image = "docker.io/platforms/lacking:1";
  await emulator.control.moveTag(image, { kind: "index", platforms, attestations: true });
  for (const wanted of ["linux/s390x", "linux/arm", "unknown/unknown"]) {
    expect(await platformsFor(image, wanted)).toBe(
      `SOURCE_PLATFORM_NOT_FOUND: ${image} has no image for ${wanted}; it has linux/amd64, linux/arm64/v8, linux/arm/v6`,
    );
  }
});

test.each(["manifest", "docker"] as const)("takes a single %s whose configuration says the platform", async (kind) => {
  const image = `docker.io/platforms/single-${kind}:1`;
  await emulator.control.moveTag(image, { kind, platforms: ["linux/arm64"] });
  expect(await platformsFor(image, "linux/arm64/v8")).toEqual(["linux/arm64"]);
  expect(await platformsFor(image, "linux/amd64")).toBe(
    `SOURCE_PLATFORM_NOT_FOUND: ${image} has no image for linux/amd64; it has linux/arm64`,
  );
});

test("finds no platform in an artifact", async () => {
  const image = "docker.io/platforms/chart:1";
  await emulator.control.moveTag(image, { kind: "helm" });
  expect(await platformsFor(image, "linux/amd64")).toBe(
    `SOURCE_PLATFORM_NOT_FOUND: ${image} has no image for linux/amd64; it names no platform`,
  );
});

test("an Azure registry is read with the identity of the run", async () => {
  const image = "mysourceregistry.azurecr.io/platforms/azure:1";
  await emulator.control.moveTag(image, { kind: "index", platforms });
  expect(await platformsFor(image, "linux/amd64")).toEqual(["linux/amd64"]);
});
