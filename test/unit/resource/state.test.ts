/** What is recorded in the state. */
import fc from "fast-check";
import { isSameSource } from "../../../provider/resource/source";
import {
  type Inputs,
  inputsOf,
  pinnedReference,
  pinnedReferences,
  recordedTargets,
  referenceParts,
  taggedReference,
  targetNames,
  toOutputs,
} from "../../../provider/resource/state";
import { UNKNOWN } from "../../../provider/resource/unknown";
import { digestOf, registryId } from "../../support/fixtures";

const digest = digestOf("1");
const inputs: Inputs = {
  registry: "myregistry",
  source: "docker.io/library/node:22",
  targetTags: ["node:22", "node:lts", "mirror/node:22"],
  untaggedTargetRepositories: ["archive"],
  registryId: registryId("myregistry"),
  loginServer: "myregistry.azurecr.io",
};

describe("toOutputs", () => {
  const found = { sourceDigest: digest, targets: { "node:22": digest }, verifiedBy: "digest" as const };

  test("records what was asked for and what was found", () => {
    const outputs = toOutputs(inputs, { ...found, mediaType: "application/x", platforms: ["linux/amd64"] });
    expect(outputs).toEqual({
      ...inputs,
      ...found,
      mediaType: "application/x",
      platforms: ["linux/amd64"],
      reference: `myregistry.azurecr.io/node@${digest}`,
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
        const outputs = toOutputs({ ...inputs, ...rest } as Inputs, { ...found, mediaType, platforms });
        expect(JSON.stringify(outputs)).not.toContain(secret);
        expect(Object.values(outputs)).not.toContain(undefined);
        expect(isSameSource(outputs, { source: rest.source })).toBe(true);
      }),
    );
  });
});

test("inputsOf gives back what a refresh may write into the inputs: nothing that only an import can tell", () => {
  const outputs = toOutputs(inputs, {
    sourceDigest: digest,
    targets: {},
    mediaType: "application/x",
    platforms: [],
    verifiedBy: "operation",
  });
  const { reference } = outputs;
  expect(inputsOf(outputs)).toEqual({ ...inputs, sourceDigest: digest, targets: {}, reference });
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

test("recordedTargets: those of the arguments, and those that are left of an earlier update, each once", () => {
  const outputs = toOutputs(inputs, {
    sourceDigest: digest,
    targets: { "node:22": digest, "old:1": digest },
    verifiedBy: "digest",
  });
  expect(recordedTargets(outputs)).toEqual([
    { name: "node:22", repository: "node", tag: "22" },
    { name: "node:lts", repository: "node", tag: "lts" },
    { name: "mirror/node:22", repository: "mirror/node", tag: "22" },
    { name: "archive", repository: "archive" },
    { name: "old:1", repository: "old", tag: "1" },
  ]);
});

test("pinnedReferences: one for each repository that holds the digest, the first target's first", () => {
  const targets = { "a:1": digest, "b:1": digest, "b:2": digest, a: digest, "old:1": digestOf("2") };
  const first = pinnedReference("r.azurecr.io", ["b:1", "a:1"], digest);
  expect(pinnedReferences("r.azurecr.io", first, digest, targets)).toEqual([
    `r.azurecr.io/b@${digest}`,
    `r.azurecr.io/a@${digest}`,
  ]);
});

test.each<[string, string[], object, string | undefined]>([
  [
    "r.azurecr.io/library/node",
    ["library/node:22", "library/node:lts"],
    { registry: "r.azurecr.io", repository: "library/node", tag: "22", digest },
    `r.azurecr.io/library/node:22@${digest}`,
  ],
  ["r.azurecr.io/archive", [], { registry: "r.azurecr.io", repository: "archive", digest }, undefined],
])("the parts of %s with the tags %j", (name, tags, parts, tagged) => {
  expect(referenceParts(`${name}@${digest}`, tags)).toEqual(parts);
  expect(taggedReference(referenceParts(`${name}@${digest}`, tags))).toBe(tagged);
});
