/** Everything that refers to an image: its platforms, what refers to a referrer, and lists that are wrong. */
import type { Digest } from "../../provider/reference/digest";
import type { CollectedReferrers, CollectOptions } from "../../provider/registry/client";
import { failure, invalid, json, OTHER_DIGEST, sha256, useFakeRegistry } from "./fake-registry";
import { BUNDLE, FakeRepository, IMAGE, INDEX, NOTATION, SBOM } from "./fake-repository";

const fake = useFakeRegistry();
let repository: FakeRepository;
beforeEach(() => {
  repository = new FakeRepository();
  fake.respondTo("*", repository.handler);
});

const collect = (digest: Digest, options: CollectOptions = {}): Promise<CollectedReferrers> =>
  fake.client().collectReferrers("team/app", digest, options);
const digestsIn = ({ referrers }: CollectedReferrers) => referrers.map(({ digest }) => digest);
const requests = () => fake.requests.slice(1).map((request) => request.replace(/ .*\/team\/app\//, " "));
const count = (start: string) => requests().filter((request) => request.startsWith(start)).length;

/** An index of two platforms: 3 referrers of the index, 2 of its children, 1 of a referrer, `.sig` and `.att`. */
function signedImage() {
  const children = [repository.image("amd64"), repository.image("arm64")] as const;
  const index = repository.index(children);
  const onIndex = [BUNDLE, NOTATION, SBOM].map((type) => repository.referrer(index, type));
  const onChildren = children.map((child) => repository.referrer(child, BUNDLE));
  const [, , sbom] = onIndex;
  const nested = repository.referrer(sbom ?? index, BUNDLE, "of the SBOM");
  const tagged = ["sig", "att"].map((suffix) => repository.tagged(index, suffix));
  return { index, children, onIndex, onChildren, nested, tagged };
}

test.each([true, false])("finds referrers of the index, its children, and its referrers; API: %s", async (hasApi) => {
  const { index, children, onIndex, onChildren, nested, tagged } = signedImage();
  if (!hasApi) {
    repository.withoutApi();
    for (const subject of [index, ...children, ...onIndex]) {
      if (repository.referrersOf(subject).length > 0) repository.keepIndex(subject);
    }
  }
  const found = await collect(index);
  expect(digestsIn(found).slice(0, 5)).toEqual([...[...onIndex].sort(), ...tagged]);
  expect(new Set(digestsIn(found))).toEqual(new Set([...onIndex, ...tagged, ...onChildren, nested]));
  expect(found.referrers).toHaveLength(8);
  expect(found.skipped).toEqual([]);
  expect(found.indexes.map(({ tag }) => tag)).toEqual(
    hasApi ? [] : [index, ...children, onIndex[2]].map((subject) => subject?.replace(":", "-")),
  );
  for (const { tag, digest } of found.indexes) expect(repository.tags.get(tag)).toBe(digest);
});

test("says what an import needs to know", async () => {
  const { index, nested, onIndex, tagged } = signedImage();
  const { referrers } = await collect(index);
  const [sig] = tagged;
  const [, , sbom] = onIndex;
  const common = { repository: "team/app", mediaType: IMAGE };
  expect(referrers).toContainEqual({ ...common, digest: onIndex[0], artifactType: BUNDLE, subject: index });
  expect(referrers).toContainEqual({ ...common, digest: nested, artifactType: BUNDLE, subject: sbom });
  expect(referrers).toContainEqual({
    ...common,
    digest: sig,
    artifactType: "application/vnd.oci.image.config.v1+json",
    subject: index,
    tag: `${index.replace(":", "-")}.sig`,
  });
});

test("has each referrer after its subject, in the same order every time", async () => {
  const { index } = signedImage();
  const { referrers } = await collect(index);
  const digests = referrers.map(({ digest }) => digest);
  for (const [at, { subject }] of referrers.entries()) expect(digests.slice(at)).not.toContain(subject);
  expect((await collect(index)).referrers).toEqual(referrers);
});

test("reads each manifest once, and lists what refers to each once", async () => {
  const { index } = signedImage();
  await collect(index);
  // The image, its two children, 3 + 2 + 1 referrers and 2 tagged manifests; the children need not be read.
  expect(count("GET referrers/")).toBe(1 + 2 + 6 + 2);
  expect(count("GET manifests/")).toBe(1 + 6 + 2);
  expect(count("HEAD ")).toBe(3 * (1 + 2 + 6 + 2));
  expect(new Set(requests()).size).toBe(requests().length);
});

test("leaves cosign's tags out without tags", async () => {
  const { index, tagged } = signedImage();
  const found = await collect(index, { tags: false });
  expect(digestsIn(found)).toHaveLength(6);
  for (const digest of tagged) expect(digestsIn(found)).not.toContain(digest);
  expect(count("HEAD ")).toBe(0);
});

describe("artifact types", () => {
  test.each<[string[], string[]]>([
    [[BUNDLE], [BUNDLE]],
    [["application/vnd.dev.sigstore.bundle*"], [BUNDLE]],
    [["application/vnd.dev.sigstore.bundle"], []],
    [
      [NOTATION, "application/spdx*"],
      [NOTATION, SBOM],
    ],
    [["*"], [BUNDLE, NOTATION, SBOM]],
    [[], []],
  ])("%j", async (artifactTypes, types) => {
    const image = repository.image("app");
    for (const type of [BUNDLE, NOTATION, SBOM]) repository.referrer(image, type);
    const { referrers, skipped } = await collect(image, { artifactTypes });
    expect(referrers.map(({ artifactType }) => artifactType).sort()).toEqual([...types].sort());
    expect(skipped).toEqual([]);
  });

  // https://github.com/NVIDIA/aicr/issues/1957, https://github.com/Azure/acr/issues/784
  test.each(["application/vnd.oci.empty.v1+json", NOTATION, ""])(
    "come from the manifest, not from a list that says %j",
    async (lie) => {
      const image = repository.image("app");
      const bundle = repository.referrer(image, BUNDLE);
      repository.api = (response, digest) =>
        repository.sendList(
          response,
          repository.referrersOf(digest).map((entry) => ({ ...entry, artifactType: lie })),
        );
      expect(digestsIn(await collect(image, { artifactTypes: [BUNDLE] }))).toEqual([bundle]);
      expect(digestsIn(await collect(image, { artifactTypes: [NOTATION] }))).toEqual([]);
    },
  );

  test("are the media type of the configuration, or of the manifest, where there is no artifact type", async () => {
    const image = repository.image("app");
    const subject = repository.entry(image);
    const config = { mediaType: "application/vnd.example.config", digest: sha256("{}"), size: 2 };
    repository.put({ config, layers: [], subject });
    repository.put({ mediaType: INDEX, manifests: [], subject, artifactType: "" });
    const types = (await collect(image)).referrers.map(({ artifactType }) => artifactType);
    expect(types.sort()).toEqual(["application/vnd.example.config", INDEX]);
  });

  test("do not concern cosign's tags, and what refers to an unwanted referrer is unwanted, too", async () => {
    const { index, tagged } = signedImage();
    const found = await collect(index, { artifactTypes: [NOTATION] });
    expect(found.referrers.map(({ artifactType }) => artifactType).filter((type) => type === BUNDLE)).toEqual([]);
    expect(digestsIn(found)).toEqual([expect.any(String), ...tagged]);
  });
});

describe("a list that is wrong", () => {
  test("about what a manifest refers to", async () => {
    const [image, other] = [repository.image("app"), repository.image("other")];
    const [ofOther, ofNone] = [repository.referrer(other, BUNDLE), repository.image("no referrer")];
    repository.api = (response, digest) =>
      repository.sendList(response, digest === image ? [ofOther, ofNone].map((one) => repository.entry(one)) : []);
    const reason = "other-subject";
    expect(await collect(image)).toEqual({
      referrers: [],
      indexes: [],
      skipped: [ofOther, ofNone].sort().map((digest) => ({ digest, subject: image, reason })),
    });
  });

  test("about one manifest does not hide it where it belongs", async () => {
    const children = [repository.image("amd64"), repository.image("arm64")] as const;
    const index = repository.index(children);
    const ofSecond = repository.referrer(children[1], BUNDLE);
    repository.api = (response) => repository.sendList(response, [repository.entry(ofSecond)]);
    const { referrers } = await collect(index);
    expect(referrers).toEqual([expect.objectContaining({ digest: ofSecond, subject: children[1] })]);
    expect(count(`GET manifests/${ofSecond}`)).toBe(1);
  });

  // https://github.com/dataaxiom/ghcr-cleanup-action/pull/114
  test("about a manifest that has been deleted: nobody can use it", async () => {
    const image = repository.image("app");
    const bundle = repository.referrer(image, BUNDLE);
    repository
      .withoutApi()
      .keepIndex(image, [repository.entry(bundle), { digest: OTHER_DIGEST, mediaType: IMAGE, size: 9 }]);
    const found = await collect(image);
    expect(digestsIn(found)).toEqual([bundle]);
    expect(found.skipped).toEqual([{ digest: OTHER_DIGEST, subject: image, reason: "missing" }]);
  });

  test("about the digest", async () => {
    const image = repository.image("app");
    repository.manifests.set(OTHER_DIGEST, { mediaType: IMAGE, body: '{"schemaVersion":2}' });
    repository.api = (response) => repository.sendList(response, [repository.entry(OTHER_DIGEST)]);
    expect(await failure(collect(image))).toMatchObject(invalid(`the manifest of ${OTHER_DIGEST} has the digest`));
  });

  test.each<[string, string, string]>([
    ["no JSON", "<html>", "the manifest is not valid JSON"],
    ["longer than a manifest can be", " ".repeat(5 * 1024 * 1024), "the body is longer than 4194304 bytes"],
  ])("of a manifest that is %s", async (_what, body, reason) => {
    const image = repository.image("app");
    const listed = sha256(body);
    repository.api = (response) => repository.sendList(response, [{ digest: listed, mediaType: IMAGE, size: 9 }]);
    fake.respondTo("*", (request, response) =>
      request.url?.endsWith(`manifests/${listed}`)
        ? response.writeHead(200, { "content-type": IMAGE }).end(body)
        : repository.handler(request, response),
    );
    expect(await failure(collect(image))).toMatchObject(invalid(reason));
  });

  test("of a manifest that may not be read", async () => {
    const image = repository.image("app");
    const bundle = repository.referrer(image, BUNDLE);
    fake.respondTo("*", (request, response) =>
      request.url?.endsWith(`manifests/${bundle}`) ? json(response, 403, {}) : repository.handler(request, response),
    );
    expect(await failure(collect(image))).toMatchObject({ code: "SOURCE_ACCESS_DENIED" });
  });
});

describe("the walk ends", () => {
  test("where a list names its own subject, and where two manifests are listed for each other", async () => {
    const image = repository.image("app");
    const [one, two] = [repository.referrer(image, BUNDLE, "1"), repository.referrer(image, BUNDLE, "2")];
    repository.api = (response) =>
      repository.sendList(
        response,
        [image, one, two].map((digest) => repository.entry(digest)),
      );
    const found = await collect(image);
    expect(new Set(digestsIn(found))).toEqual(new Set([one, two]));
    expect(found.referrers).toHaveLength(2);
  });

  test("where cosign's tags lead in a circle", async () => {
    const image = repository.image("app");
    const signature = repository.tagged(image, "sig");
    const again = `${signature.replace(":", "-")}.sig`;
    repository.tags.set(again, image);
    const { referrers } = await collect(image);
    expect(referrers.map(({ digest, tag }) => [digest, tag])).toEqual([
      [signature, `${image.replace(":", "-")}.sig`],
      [image, again],
    ]);
  });

  test("at what is part of the image: an attestation in the index that refers to a platform", async () => {
    const platform = repository.image("amd64");
    const attestation = repository.referrer(platform, "application/vnd.in-toto+json");
    const index = repository.index([platform, attestation]);
    expect(digestsIn(await collect(index))).toEqual([]);
  });

  test("below an index in the index", async () => {
    const platform = repository.image("amd64");
    const inner = repository.index([platform]);
    const outer = repository.index([inner], { name: "outer" });
    const bundle = repository.referrer(platform, BUNDLE);
    expect(digestsIn(await collect(outer))).toEqual([bundle]);
  });
});

test("looks into a referrer that is an index: its manifests come along with it, what refers to them does not", async () => {
  const image = repository.image("app");
  const part = repository.image("part of a referrer");
  const manifests = [repository.entry(part)];
  const referrer = repository.put({
    mediaType: INDEX,
    artifactType: SBOM,
    manifests,
    subject: repository.entry(image),
  });
  const bundle = repository.referrer(part, BUNDLE);
  expect(digestsIn(await collect(image))).toEqual([referrer, bundle]);
});

describe("what is found twice", () => {
  test("a referrer that is also under cosign's tag is collected with and without the tag", async () => {
    const image = repository.image("app");
    const signature = repository.referrer(image, BUNDLE);
    const tag = `${image.replace(":", "-")}.sig`;
    repository.tags.set(tag, signature);
    const { referrers } = await collect(image);
    expect(referrers.map(({ digest, tag: found }) => [digest, found])).toEqual([
      [signature, undefined],
      [signature, tag],
    ]);
  });

  test("a manifest under two of cosign's tags keeps both", async () => {
    const image = repository.image("app");
    const signature = repository.tagged(image, "sig");
    repository.tags.set(`${image.replace(":", "-")}.att`, signature);
    expect((await collect(image)).referrers.map(({ tag }) => tag?.slice(-4))).toEqual([".sig", ".att"]);
  });
});

describe("bounds", () => {
  test("50 referrers are collected, and 51 are a failure", async () => {
    const image = repository.image("app");
    for (let at = 0; at < 50; at++) repository.referrer(image, BUNDLE, String(at));
    expect((await collect(image, { tags: false })).referrers).toHaveLength(50);
    repository.referrer(image, BUNDLE, "one more");
    expect(await failure(collect(image, { tags: false }))).toMatchObject({
      code: "SOURCE_TOO_MANY_REFERRERS",
      object: `${fake.host}/team/app@${image}`,
      text: expect.stringContaining("(50)"),
    });
  });

  test("the types that are wanted count, and at most 200 manifests are read to find them", async () => {
    const image = repository.image("app");
    const signature = repository.referrer(image, NOTATION);
    for (let at = 0; at < 198; at++) repository.referrer(image, SBOM, String(at));
    const options = { artifactTypes: [NOTATION], tags: false };
    expect(digestsIn(await collect(image, options))).toEqual([signature]);
    fake.requests.length = 1;
    repository.referrer(image, SBOM, "one more");
    expect(await failure(collect(image, options))).toMatchObject({
      code: "SOURCE_TOO_MANY_REFERRERS",
      text: expect.stringContaining("(200)"),
    });
    expect(count("GET manifests/")).toBe(1);
  });

  test("manifests that are longer than 16 MB together are not kept", async () => {
    const image = repository.image("app");
    const padding = "x".repeat(4 * 1024 * 1024 - 1_000);
    for (let at = 0; at < 5; at++) repository.referrer(image, SBOM, `${at}${padding}`);
    expect(await failure(collect(image, { tags: false }))).toMatchObject({
      code: "SOURCE_INVALID_RESPONSE",
      text: expect.stringContaining("the manifests that refer to one image are longer than 16777216 bytes"),
    });
  });

  test("an index of more than 200 manifests is not looked into", async () => {
    const children = Array.from({ length: 201 }, (_, at) => sha256(String(at)));
    const index = repository.index(children);
    expect(await failure(collect(index))).toMatchObject({ code: "SOURCE_TOO_MANY_REFERRERS" });
    expect(count("GET referrers/")).toBe(0);
  });
});

test("fails for an image that does not exist", async () => {
  expect(await failure(collect(OTHER_DIGEST))).toMatchObject({
    code: "SOURCE_NOT_FOUND",
    object: `${fake.host}/team/app@${OTHER_DIGEST}`,
  });
});
