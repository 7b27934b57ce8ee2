import fc from "fast-check";
import type { Digest } from "../../../provider/reference/digest";
import {
  type Inputs,
  inputsOf,
  isTag,
  outputsOf,
  pinnedReferences,
  repositoryOf,
  sameSource,
  sourceOf,
  tagOf,
  targetNames,
} from "../../../provider/resource/state";
import { UNKNOWN } from "../../../provider/resource/unknown";

const digest = `sha256:${"1".repeat(64)}` as Digest;
const inputs: Inputs = {
  registry: "myregistry",
  source: "docker.io/library/node:22",
  targetTags: ["node:22", "node:lts", "mirror/node:22"],
  untaggedTargetRepositories: ["archive"],
  registryId: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry",
  loginServer: "myregistry.azurecr.io",
};

describe("outputsOf", () => {
  const found = { sourceDigest: digest, targets: { "node:22": digest }, verifiedBy: "digest" as const };

  test("records what was asked for and what was found", () => {
    const outputs = outputsOf(inputs, { ...found, mediaType: "application/x", platforms: ["linux/amd64"] });
    expect(outputs).toEqual({
      ...inputs,
      ...found,
      mediaType: "application/x",
      platforms: ["linux/amd64"],
      reference: `myregistry.azurecr.io/node@${digest}`,
      references: ["node", "mirror/node", "archive"].map((name) => `myregistry.azurecr.io/${name}@${digest}`),
    });
  });

  test("never holds credentials, and survives JSON as it is", () => {
    const secret = "s3cr3t";
    const source = fc.record(
      {
        image: fc.constant("app:1"),
        registry: fc.constant("other"),
        credentials: fc.constantFrom({ password: secret }, { username: `user-${secret}`, password: secret }, undefined),
        digestFrom: fc.constantFrom("source", "target", undefined),
      },
      { requiredKeys: ["image"] },
    ) as fc.Arbitrary<Inputs["source"]>;
    const optional = <T>(value: T) => fc.constantFrom(value, undefined);
    const any = fc.record({
      source,
      onDelete: optional("untag"),
      triggers: optional([1]),
      timeouts: optional({ create: "1h" }),
      mediaType: optional("application/x"),
      platforms: optional(["linux/amd64"]),
    });
    fc.assert(
      fc.property(any, ({ mediaType, platforms, ...rest }) => {
        const outputs = outputsOf({ ...inputs, ...rest } as Inputs, { ...found, mediaType, platforms });
        expect(JSON.stringify(outputs)).not.toContain(secret);
        expect(Object.values(outputs)).not.toContain(undefined);
        expect(sameSource(outputs, { source: rest.source })).toBe(true);
      }),
    );
  });
});

test("inputsOf gives back what a refresh may write into the inputs: nothing that only an import can tell", () => {
  const outputs = outputsOf(inputs, {
    sourceDigest: digest,
    targets: {},
    mediaType: "application/x",
    platforms: [],
    verifiedBy: "operation",
  });
  const { reference, references } = outputs;
  expect(inputsOf(outputs)).toEqual({ ...inputs, sourceDigest: digest, targets: {}, reference, references });
});

describe("targetNames", () => {
  test.each<[Partial<Inputs>, string[]]>([
    [{}, []],
    [{ targetTags: ["a:1", "b:1"] }, ["a:1", "b:1"]],
    [{ targetTags: ["a:1"], untaggedTargetRepositories: ["b"] }, ["a:1", "b"]],
    [{ untaggedTargetRepositories: ["b"] }, ["b"]],
    [{ targetTags: UNKNOWN as unknown as string[], untaggedTargetRepositories: ["b"] }, [UNKNOWN, "b"]],
  ])("%j", (given, names) => {
    expect(targetNames(given)).toEqual(names);
  });
});

test.each([
  ["node:22", true, "node", "22"],
  ["a/b-c/d:v1.2_x", true, "a/b-c/d", "v1.2_x"],
  ["a/b", false, "a/b", undefined],
])("the parts of %s", (target, tagged, repository, tag) => {
  expect(isTag(target)).toBe(tagged);
  expect(repositoryOf(target)).toBe(repository);
  if (tag !== undefined) expect(tagOf(target)).toBe(tag);
});

test("pinnedReferences: one for each repository, the first target's first", () => {
  expect(pinnedReferences("r.azurecr.io", ["b:1", "a:1", "b:2", "a"], digest)).toEqual({
    reference: `r.azurecr.io/b@${digest}`,
    references: [`r.azurecr.io/b@${digest}`, `r.azurecr.io/a@${digest}`],
  });
});

describe("sameSource", () => {
  const same = (one: unknown, other: unknown) =>
    sameSource({ source: one as Inputs["source"] }, { source: other as Inputs["source"] });
  const full = { image: "app:1", registry: "other" };

  test.each<[string, unknown, unknown, boolean]>([
    ["the same text", "node:22", "node:22", true],
    ["text and object", "node:22", { image: "node:22" }, true],
    ["the default spelled out", { image: "node:22" }, { image: "node:22", digestFrom: "source" }, true],
    ["null for left out", { image: "node:22", registry: null, digestFrom: null }, "node:22", true],
    [
      "other credentials",
      { ...full, credentials: { password: "a" } },
      { ...full, credentials: { password: "b" } },
      true,
    ],
    ["another tag", "node:22", "node:23", false],
    ["another registry", full, { ...full, registry: "third" }, false],
    ["another origin of the digest", full, { ...full, digestFrom: "target" }, false],
    ["nothing recorded", "node:22", undefined, false],
  ])("%s", (_, one, other, expected) => {
    expect(same(one, other)).toBe(expected);
    expect(same(other, one)).toBe(expected);
  });
});

test("sourceOf reads both forms alike", () => {
  expect(sourceOf({ source: "node:22" })).toEqual({ image: "node:22" });
  expect(sourceOf({ source: { image: "node:22" } })).toEqual({ image: "node:22" });
});
