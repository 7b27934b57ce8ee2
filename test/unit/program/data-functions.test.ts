/** The functions of a program: under mocks, and what they read from a registry. */
import * as pulumi from "@pulumi/pulumi";
import { getImageDigest, getImageDigestOutput, getImageTags, getImageTagsOutput } from "../../../provider";
import { failureOf, formatFailure } from "../../../provider/failure/failure";
import type { DataFunction } from "../../../provider/program/data-function";
import { imageDigest } from "../../../provider/program/image-digest";
import { imageTags } from "../../../provider/program/image-tags";
import { DigestResolver } from "../../../provider/source/resolve-digest";
import { digestOf, registryId } from "../../support/fixtures";
import { type InProcessEmulator, startInProcessEmulator } from "../azure/in-process-emulator";

describe("under mocks", () => {
  const calls: pulumi.runtime.MockCallArgs[] = [];
  beforeAll(() =>
    pulumi.runtime.setMocks({
      newResource: ({ inputs }) => ({ id: "id", state: inputs }),
      call: (call) => {
        calls.push(call);
        return { digest: "mocked", tags: ["mocked"] };
      },
    }),
  );
  beforeEach(() => {
    calls.length = 0;
  });

  // In the mocks of users' tests.
  test("the mocks respond, by tokens that are never renamed, and no registry is asked", async () => {
    const source = "does-not.exist.invalid/app";
    expect(await getImageDigest({ source })).toMatchObject({ digest: "mocked" });
    expect(await getImageTags({ source, newest: 1 })).toMatchObject({ tags: ["mocked"] });
    expect(calls.map(({ token, inputs }) => ({ token, inputs }))).toEqual([
      { token: "pulumi-acr-import:index:getImageDigest", inputs: { source } },
      { token: "pulumi-acr-import:index:getImageTags", inputs: { source, newest: 1 } },
    ]);
  });

  test("outputs reach the mocks by their values", async () => {
    const repository = pulumi.output("app");
    const credentials = { password: pulumi.secret("hunter2") };
    const { tags } = getImageTagsOutput({
      source: { repository, registry: "other", credentials },
      newest: repository.apply(() => 1),
    });
    expect(await promiseOf(tags)).toEqual(["mocked"]);
    expect(await promiseOf(getImageDigestOutput({ source: repository }).digest)).toBe("mocked");
    expect(calls.map(({ inputs }) => inputs)).toEqual([
      { source: { repository: "app", registry: "other", credentials: { password: "hunter2" } }, newest: 1 },
      { source: "app" },
    ]);
  });
});

describe("with a registry", () => {
  let emulator: InProcessEmulator;
  let resolver: DigestResolver;
  beforeAll(async () => {
    emulator = await startInProcessEmulator();
  });
  beforeEach(async () => {
    const azure = emulator.azure();
    resolver = new DigestResolver(() => azure);
    await emulator.control.clearRequests();
  });

  async function evaluate<P extends object, R>(of: DataFunction<P, R>, args: Record<string, unknown>): Promise<R> {
    const parsed = of.parse(args);
    if ("problems" in parsed) throw new Error(parsed.problems.map(formatFailure).join("; "));
    return of.evaluate(parsed, resolver);
  }

  test("a reference that is pinned needs no request", async () => {
    const digest = digestOf("a");
    const source = `ghcr.io/owner/app:1@${digest}`;
    expect(await evaluate(imageDigest, { source })).toEqual({ digest, reference: `ghcr.io/owner/app@${digest}` });
    const azure = `myregistry.azurecr.io/app@${digest}`;
    expect(await evaluate(imageDigest, { source: azure })).toEqual({ digest, reference: azure });
    expect(await emulator.control.requests()).toEqual([]);
  });

  test.each(["mysourceregistry", registryId("mysourceregistry"), "mysourceregistry.azurecr.io"])(
    "the reference and the repository have the login server of %s",
    async (registry) => {
      const { digest } = await emulator.control.image("mysourceregistry.azurecr.io/aci-helloworld:latest");
      expect(await evaluate(imageDigest, { source: { image: "aci-helloworld", registry } })).toEqual({
        digest,
        reference: `mysourceregistry.azurecr.io/aci-helloworld@${digest}`,
      });
      expect(await evaluate(imageTags, { source: { repository: "aci-helloworld", registry } })).toEqual({
        tags: ["latest"],
        repository: "mysourceregistry.azurecr.io/aci-helloworld",
      });
    },
  );

  test("a platform has the digest of its manifest", async () => {
    const image = "docker.io/library/several:1";
    const { digest } = await emulator.control.moveTag(image, { platforms: ["linux/amd64", "linux/arm64/v8"] });
    const found = await evaluate(imageDigest, { source: image, platform: "linux/arm64" });
    expect(found).toEqual({
      digest: expect.stringMatching(/^sha256:/),
      indexDigest: digest,
      reference: `docker.io/library/several@${found.digest}`,
    });
    expect(found.digest).not.toBe(digest);
  });

  test("tags are selected", async () => {
    for (const tag of ["1.9.0", "1.10.0", "1.11.0-rc.1", "2.0.0", "latest"]) {
      await emulator.control.moveTag(`docker.io/library/selected:${tag}`);
    }
    const repository = "docker.io/library/selected";
    const source = "selected";
    expect(await evaluate(imageTags, { source, semver: "1.x" })).toEqual({ tags: ["1.10.0", "1.9.0"], repository });
    expect(await evaluate(imageTags, { source, match: "1.*" })).toMatchObject({
      tags: ["1.10.0", "1.11.0-rc.1", "1.9.0"],
    });
  });

  test("a failure is that of the source", async () => {
    const source = "mcr.microsoft.com/no/such";
    const codes = [evaluate(imageTags, { source }), evaluate(imageDigest, { source })].map((work) =>
      work.catch((error) => failureOf(error)?.code),
    );
    expect(await Promise.all(codes)).toEqual(["SOURCE_NOT_FOUND", "SOURCE_NOT_FOUND"]);
  });
});

describe("wrong arguments", () => {
  const unknownKey = (known: string) => `is not a known argument; expected one of ${known} [INVALID_ARGUMENT]`;
  const selection = "match, exclude, extract, semver, prerelease, newest";
  test.each<[Pick<DataFunction<object, unknown>, "parse">, Record<string, unknown>, ...string[]]>([
    [imageDigest, {}, "source: is required: a reference such as docker.io/library/node:22 [INVALID_ARGUMENT]"],
    [
      imageDigest,
      { source: { image: "app:1", digestFrom: "target" }, platform: "arm64", newest: 1 },
      `newest: ${unknownKey("source, platform")}`,
      `source.digestFrom: ${unknownKey("image, registry, credentials")}`,
      "platform: must be an operating system and an architecture in lower case, such as linux/amd64 or linux/arm/v7 [INVALID_ARGUMENT]",
    ],
    [
      imageTags,
      { source: "node:22", newest: 0, platform: "linux/arm64" },
      `platform: ${unknownKey(`source, ${selection}`)}`,
      "source: must be a repository without a tag [INVALID_ARGUMENT]",
      "newest: must be a whole number of 1 or more [INVALID_ARGUMENT]",
    ],
  ])("%#", (of, args, ...messages) => {
    const parsed = of.parse(args) as { problems: Parameters<typeof formatFailure>[0][] };
    expect(parsed.problems.map(formatFailure)).toEqual(messages);
  });
});

function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
