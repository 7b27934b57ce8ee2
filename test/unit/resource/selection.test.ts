/** Selections of tags: which ones, in which order, and what may be wrong with the arguments. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import fc from "fast-check";
import { formatFailure } from "../../../provider/failure/failure";
import { type Selection, selectionProblems, selectTags } from "../../../provider/resource/selection";
import { UNKNOWN } from "../../../provider/resource/unknown";

const hex = "0123456789abcdef".repeat(4);

/** Tags of real repositories. */
const real = [
  "latest",
  "3",
  "3.17",
  "3.18.0",
  "3.19-alpine",
  "v1.14.0",
  "v1.15.0-rc.1",
  "v1.15.0",
  "v1.15.0-amd64",
  "1.27.3-alpine",
  "1.27.3-alpine3.20",
  "edge-26.1.2",
  "stable-2.14.10",
  "2024.08.1",
  "22.04",
  "0.51.0-kafka-4.1.0",
  `sha256-${hex}.sig`,
  `sha256-${hex}`,
  "20240101",
  "v20230407",
  "1.2.3.4",
  "9.7-1773204619",
];

describe("real tags", () => {
  test.each<[Selection, string[]]>([
    [{ semver: ">=3.17" }, ["2024.08.1", "22.04", "3.18.0", "3.17"]],
    [{ semver: ">=1.14 <2" }, ["v1.15.0", "v1.14.0"]],
    [
      { semver: ">=1.14 <2", prerelease: true },
      ["1.27.3-alpine3.20", "1.27.3-alpine", "v1.15.0", "v1.15.0-rc.1", "v1.15.0-amd64", "v1.14.0"],
    ],
    [{ semver: "1.x", extract: "(\\d+\\.\\d+\\.\\d+)-alpine" }, ["1.27.3-alpine"]],
    [{ semver: ">=2.13.4", extract: "stable-(.*)" }, ["stable-2.14.10"]],
    [{ extract: "[a-z]+-(.*)" }, ["edge-26.1.2", "stable-2.14.10"]],
    [{ semver: ">=0.51.0", extract: "(\\d+\\.\\d+\\.\\d+)-kafka-.*" }, ["0.51.0-kafka-4.1.0"]],
    [{ match: "v1\\..*" }, ["v1.14.0", "v1.15.0", "v1.15.0-amd64", "v1.15.0-rc.1"]],
    [{ match: "v1\\..*", exclude: ".*-.*" }, ["v1.14.0", "v1.15.0"]],
    [{ newest: 3 }, ["2024.08.1", "22.04", "3.18.0"]],
    [{ newest: 2, prerelease: true, match: "\\d\\..*" }, ["9.7-1773204619", "3.19-alpine"]],
    [{ semver: "9.x", prerelease: true }, ["9.7-1773204619"]],
    [{ semver: "22.04" }, ["22.04"]],
    [{ match: "latest" }, ["latest"]],
    [{ match: "latest", newest: 1 }, []],
    [{ exclude: ".*[.0-9].*" }, ["latest"]],
  ])("%j takes %j", (selection, expected) => {
    expect(selectTags(real, selection)).toEqual(expected);
  });
});

describe("versions", () => {
  test.each<[string, string[], Selection, string[]]>([
    ["a comma means and", ["1.28.9", "1.29.0", "1.34.1", "1.35.0"], { semver: ">=1.29, <1.35" }, ["1.34.1", "1.29.0"]],
    ["|| means or", ["1.0.0", "2.4.0", "2.6.0", "3.0.0"], { semver: "v1.x || >=2.5.0, <3" }, ["2.6.0", "1.0.0"]],
    ["missing numbers are 0", ["1.29.0", "1.29", "1.29.1"], { newest: 3 }, ["1.29.1", "1.29.0", "1.29"]],
    ["a v does not count", ["1.2.0", "v1.2.1", "v1.2.0"], { newest: 3 }, ["v1.2.1", "v1.2.0", "1.2.0"]],
    [
      "the fourth number orders",
      ["1.2.3.9", "1.2.3.10", "1.2.3"],
      { semver: "1.2.3" },
      ["1.2.3.10", "1.2.3.9", "1.2.3"],
    ],
    ["five numbers are no version", ["1.2.3.4.5"], { newest: 1 }, []],
    [
      "leading zeros do not count",
      ["2024.08.1", "2024.8.01", "2024.10.1"],
      { semver: ">=2024.08" },
      ["2024.10.1", "2024.8.01", "2024.08.1"],
    ],
    [
      "build metadata as Helm writes it does not count",
      ["1.2.3_4", "1.2.3_5-x", "1.2.4"],
      { newest: 3 },
      ["1.2.4", "1.2.3_5-x", "1.2.3_4"],
    ],
    [
      "pre-releases are lower",
      ["1.2.0", "1.2.0-rc.9", "1.2.0-rc.10"],
      { newest: 3, prerelease: true },
      ["1.2.0", "1.2.0-rc.10", "1.2.0-rc.9"],
    ],
    [
      "a range below a version has none of its pre-releases",
      ["2.0.0-rc.1", "1.9.0-rc.1"],
      { semver: "<2", prerelease: true },
      ["1.9.0-rc.1"],
    ],
    ["a pre-release in a range does not admit any", ["1.2.0-rc.2"], { semver: ">=1.2.0-rc.1" }, []],
    [
      "pre-releases with leading zeros count",
      ["1.2.0-01", "1.2.0-2"],
      { newest: 2, prerelease: true },
      ["1.2.0-2", "1.2.0-01"],
    ],
    ["an extracted pre-release is one", ["a-1.2.0-rc.1", "a-1.1.0"], { extract: "a-(.*)" }, ["a-1.1.0"]],
    ["extract matches the whole tag", ["x-1.2.0", "1.2.0-x"], { extract: "(\\d+\\.\\d+)\\.\\d+" }, []],
    ["a group that took no part is no version", ["stable"], { extract: "stable(-.*)?" }, []],
    ["huge numbers are no versions", ["99999999999999999999.1", "1.2.3.99999999999999999999"], { newest: 2 }, []],
    [
      "other texts are no versions",
      ["1.2.3-a..b", "1.2.3rc1", "1.2.3-", "v", "1.", "1.x", "V1.2.3"],
      { newest: 9, prerelease: true },
      [],
    ],
  ])("%s", (_title, tags, selection, expected) => {
    expect(selectTags(tags, selection)).toEqual(expected);
    expect(selectTags([...tags].reverse(), selection)).toEqual(expected);
  });
});

test("without a selection all tags count but those of signatures and referrers", () => {
  expect(selectTags([...real, "sha256-abc.sig"], {})).toEqual(
    [...real.filter((tag) => !tag.includes(hex)), "sha256-abc.sig"].sort(),
  );
});

test("JSON can leave arguments out by null", () => {
  const nothing = { match: null, exclude: null, extract: null, semver: null, prerelease: null, newest: null };
  expect(selectionProblems(nothing)).toEqual([]);
  expect(selectTags(["b", "a"], nothing as unknown as Selection)).toEqual(["a", "b"]);
});

test("an expression that takes a backtracking engine for ever is decided", () => {
  expect(selectTags([`${"a".repeat(40)}!`], { match: "(a+)+" })).toEqual([]);
});

describe("any tags", () => {
  const number = fc.constantFrom("0", "1", "01", "2", "10");
  const version = fc
    .tuple(
      fc.constantFrom("", "v"),
      fc.array(number, { minLength: 1, maxLength: 5 }),
      fc.constantFrom("", "", "-rc.1", "-rc.01", "-alpine", "_4"),
    )
    .map(([v, numbers, suffix]) => v + numbers.join(".") + suffix);
  const tags = fc.array(fc.oneof({ weight: 4, arbitrary: version }, fc.stringMatching(/^[a-z0-9_][a-z0-9_.-]{0,9}$/)));
  const selection: fc.Arbitrary<Selection> = fc.record(
    {
      match: fc.constantFrom(".*", "v?1.*"),
      exclude: fc.constantFrom(".*-alpine", "v.*"),
      extract: fc.constantFrom("(.*?)(?:-alpine)?", "v(.*)"),
      semver: fc.constantFrom("*", ">=1, <10", "1.x || 2.x"),
      prerelease: fc.boolean(),
      newest: fc.integer({ min: 1, max: 4 }),
    },
    { requiredKeys: [] },
  );

  test("the selection is part of them, each once, and their order does not matter", () => {
    fc.assert(
      fc.property(tags, selection, fc.func(fc.integer()), (given, selection, rank) => {
        const selected = selectTags(given, selection);
        expect(given).toEqual(expect.arrayContaining(selected));
        expect(new Set(selected).size).toBe(selected.length);
        const shuffled = [...given, ...given].sort((one, other) => rank(one) - rank(other));
        expect(selectTags(shuffled, selection)).toEqual(selected);
      }),
    );
  });

  test("the order is total: it does not depend on what else is there, and newest takes its beginning", () => {
    const kept = fc.func<[string], boolean>(fc.boolean());
    fc.assert(
      fc.property(tags, selection, kept, (given, { newest = 1, ...rest }, keeps) => {
        const isKept = (tag: string) => keeps(tag);
        const versions = { semver: "*", ...rest };
        const selected = selectTags(given, versions);
        expect(selectTags(given.filter(isKept), versions)).toEqual(selected.filter(isKept));
        expect(selectTags(given, { ...versions, newest })).toEqual(selected.slice(0, newest));
      }),
    );
  });
});

describe("wrong arguments", () => {
  const hint = "  Hint: Write it as npm does: >=1.29 <1.35, ^1.29, 1.29.x, or several with ||. A comma means and";
  const noVersions = "prerelease: must not be set without semver, newest or extract: without them tags are no versions";
  test.each<[Record<string, unknown>, ...string[]]>([
    [{ match: "(a" }, "match: is not a valid RE2: missing closing ): `(a`"],
    [{ match: "a(?=b)" }, "match: is not a valid RE2: invalid or unsupported Perl syntax: `(?=`"],
    [{ match: "", exclude: 1 }, "match: must not be empty", "exclude: must be a string"],
    [
      { extract: "stable-.*" },
      "extract: must have a group, which is the version\n  Hint: Write it in parentheses: stable-(.*)",
    ],
    [{ extract: "(" }, "extract: is not a valid RE2: missing closing ): `(`"],
    ...["foo", "", "latest", "=>1", ">=1.2.3.4", ">=1.29 foo", ">=1.29,", "1.x ||"].map(
      (semver): [Record<string, unknown>, string] => [{ semver }, `semver: must be a range of versions\n${hint}`],
    ),
    [{ semver: 1 }, "semver: must be a string"],
    [{ semver: "*", prerelease: "yes" }, "prerelease: must be true or false"],
    [{ prerelease: false, match: "a" }, noVersions],
    ...[0, -1, 1.5, "3", Number.NaN].map((newest): [Record<string, unknown>, string] => [
      { newest },
      "newest: must be a whole number of 1 or more",
    ]),
    [
      { match: 1, extract: 2, semver: 3, prerelease: 4, newest: "5" },
      "match: must be a string",
      "extract: must be a string",
      "semver: must be a string",
      "prerelease: must be true or false",
      "newest: must be a whole number of 1 or more",
    ],
  ])("%j", (args, ...messages) => {
    const found = selectionProblems(args).map((problem) => formatFailure(problem).replace(" [INVALID_ARGUMENT]", ""));
    expect(found).toEqual(messages);
  });
});

test.each([
  {},
  { match: ".*", exclude: "a|b", extract: "(.*)", semver: ">= v0.3.0", prerelease: true, newest: 1 },
  { semver: "~1.2" },
  { semver: "1.2 - 1.4" },
  { semver: ">=22.04, <2025.01" },
  { match: UNKNOWN, exclude: UNKNOWN, extract: UNKNOWN, semver: UNKNOWN, prerelease: UNKNOWN, newest: UNKNOWN },
  { prerelease: true, semver: UNKNOWN },
])("%j is valid", (args) => {
  expect(selectionProblems(args)).toEqual([]);
});

test("packages are loaded only for a selection that needs them", () => {
  const file = JSON.stringify(path.resolve(__dirname, "../../../provider/resource/selection.ts"));
  const script = `
    const { selectionProblems, selectTags } = require(${file});
    const loaded = () => ["re2js", "semver"].filter((name) => Object.keys(require.cache).some((file) => file.includes("node_modules/" + name + "/")));
    const use = (selection) => { selectionProblems(selection); selectTags(["1.0"], selection); return loaded(); };
    console.log(JSON.stringify([use({}), use({ newest: 1 }), use({ match: ".*" })]));`;
  const output = execFileSync(process.execPath, ["--import", "tsx", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual([[], ["semver"], ["re2js", "semver"]]);
});
