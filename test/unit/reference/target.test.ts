/** The grammar of targets. */
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
    ["node", "must have a tag: node:…"],
    ["node:", "must have a tag after the colon"],
    [":22", "must have a repository"],
    ["node:22:1", "must have only one tag"],
    ["", "must not be empty"],
    ["Node:22", "must have a repository in lower case: node"],
    [`node@${SHA256}`, "must not contain a digest: it comes from the source"],
    [`node:22@${SHA256}`, "must not contain a digest: it comes from the source"],
    ["myregistry.azurecr.io/node:22", "must not start with a host: the target registry is set by `registry`"],
    ["localhost:5000/node:22", "must not start with a host: the target registry is set by `registry`"],
    ["https://myregistry.azurecr.io/node:22", "must not start with https://"],
    ["node :22", "must not contain white space"],
  ])("%j", (text, expected) => {
    expect(reason(() => parseTaggedTarget(text))).toBe(expected);
  });
});

describe("parseUntaggedTarget", () => {
  test("accepts a path", () => {
    expect(parseUntaggedTarget("team/app")).toEqual({ name: "team/app", repository: "team/app" });
  });

  test.each([
    ["node:22", "must be a repository without a tag"],
    ["node/", "must have a repository that does not end with a slash"],
    [`node@${SHA256}`, "must not contain a digest: it comes from the source"],
    ["r.azurecr.io/node", "must not start with a host: the target registry is set by `registry`"],
  ])("%j", (text, expected) => {
    expect(reason(() => parseUntaggedTarget(text))).toBe(expected);
  });
});
