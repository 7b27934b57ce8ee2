/** The parsed `source` argument, and when two sources are the same. */
import { isSameSource, longForm, parseSource, printSource } from "../../../provider/resource/source";
import type { Inputs } from "../../../provider/resource/state";

describe("isSameSource", () => {
  const same = (one: unknown, other: unknown) =>
    isSameSource({ source: one as Inputs["source"] }, { source: other as Inputs["source"] });
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

test("another platform of an image is another source", () => {
  const source = "node:22";
  expect(isSameSource({ source, platform: "linux/arm64" }, { source, platform: "linux/arm64" })).toBe(true);
  expect(isSameSource({ source, platform: "linux/arm64" }, { source })).toBe(false);
  expect(isSameSource({ source, platform: "linux/arm64" }, { source, platform: "linux/amd64" })).toBe(false);
});

test("longForm reads both forms alike", () => {
  expect(longForm("node:22")).toEqual({ image: "node:22" });
  expect(longForm({ image: "node:22" })).toEqual({ image: "node:22" });
});

test.each<[Inputs["source"], string]>([
  ["node:22", "docker.io/library/node:22"],
  [{ image: "app:1", registry: "Other.azurecr.io" }, "other.azurecr.io/app:1"],
  [{ image: "app:1", registry: "other" }, "other/app:1"],
  [
    {
      image: "app:1",
      registry: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/other",
    },
    "other/app:1",
  ],
])("parseSource and printSource: %j is %s", (source, printed) => {
  expect(printSource(parseSource(source))).toBe(printed);
});
