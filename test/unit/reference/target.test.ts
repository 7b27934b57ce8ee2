import { reasonOf } from "../../../provider/reference/invalid-reference";
import { parseTaggedTarget, parseUntaggedTarget } from "../../../provider/reference/target";
import { digestOf } from "../../support/fixtures";

const SHA256 = digestOf("f");

const reason = (parse: () => unknown): string | undefined => {
  try {
    parse();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
};

describe("parseTaggedTarget", () => {
  test.each(["library/node:22", "app:V1.2_3-x", "docker.io/library/node:22", "my.app/api:1"])("accepts %s", (text) => {
    const { repository, tag } = parseTaggedTarget(text);
    expect(`${repository}:${tag}`).toBe(text);
    expect(parseTaggedTarget(text).name).toBe(text);
  });

  test.each([
    ["node", "the tag is missing: node:…"],
    ["node:", "nothing follows the colon, a tag is missing"],
    [":22", "the name of a repository is missing"],
    ["node:22:1", "it has two tags, one colon too many"],
    ["", "it is empty"],
    ["Node:22", "a repository is written in lower case: node"],
    [`node@${SHA256}`, "a digest cannot be chosen for a target, it is the source's"],
    [`node:22@${SHA256}`, "a digest cannot be chosen for a target, it is the source's"],
    ["myregistry.azurecr.io/node:22", "it begins with a host; the target registry is named by `registry`"],
    ["localhost:5000/node:22", "it begins with a host; the target registry is named by `registry`"],
    ["https://myregistry.azurecr.io/node:22", "it is a URL; leave out https:// at the beginning"],
    ["node :22", "it contains white space"],
  ])("%j", (text, expected) => {
    expect(reason(() => parseTaggedTarget(text))).toBe(expected);
  });
});

describe("parseUntaggedTarget", () => {
  test("accepts a path", () => {
    expect(parseUntaggedTarget("team/app")).toEqual({ name: "team/app", repository: "team/app" });
  });

  test.each([
    ["node:22", "a repository is wanted, without a tag"],
    ["node/", "a slash at the end: the last part of the repository is missing"],
    [`node@${SHA256}`, "a digest cannot be chosen for a target, it is the source's"],
    ["r.azurecr.io/node", "it begins with a host; the target registry is named by `registry`"],
  ])("%j", (text, expected) => {
    expect(reason(() => parseUntaggedTarget(text))).toBe(expected);
  });
});
