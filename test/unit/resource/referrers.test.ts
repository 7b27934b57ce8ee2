/** What refers to an image, as it is recorded and compared. */
import fc from "fast-check";
import {
  mergeReferrers,
  missingReferrers,
  parseReferrers,
  printReferrers,
  type Referrer,
  referrersPolicy,
} from "../../../provider/resource/referrers";
import { digestOf } from "../../support/fixtures";

const [one, two, three] = [digestOf("1"), digestOf("2"), digestOf("3")];
const tag = `${one.replace(":", "-")}.sig`;

test.each([
  [undefined, undefined],
  [null, undefined],
  [false, undefined],
  [true, { tags: true }],
  [{}, { tags: true }],
  [{ tags: false }, { tags: false }],
  [{ artifactTypes: ["a/b"] }, { tags: true, artifactTypes: ["a/b"] }],
])("referrersPolicy of %j", (referrers, policy) => {
  expect(referrersPolicy(referrers)).toEqual(policy);
});

test("the text has one sorted line for each", () => {
  const referrers = [
    { digest: two, artifactType: "b/b" },
    { digest: three, tag, artifactType: "c/c" },
    { digest: two, artifactType: "a/a" },
    { digest: two, artifactType: "b/b" },
  ];
  expect(printReferrers(referrers)).toBe(`a/a ${two}\nb/b ${two}\n${tag} ${three}`);
  expect(printReferrers([])).toBe("");
});

test("what was printed is read back", () => {
  const referrer = fc.constantFrom<Referrer>(
    { digest: one, artifactType: "a/a" },
    { digest: two, artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json" },
    { digest: three, tag },
  );
  fc.assert(
    fc.property(fc.uniqueArray(referrer), (referrers) => {
      expect(new Set(parseReferrers(printReferrers(referrers)))).toEqual(new Set(referrers));
    }),
  );
  expect(parseReferrers(undefined)).toEqual([]);
});

test.each(["", "no media type", "a/b\nevil/line sha256:1", "a/b c", `${"a".repeat(200)}/b`, "\u001b[31m/red"])(
  "a type that is no media type is not recorded: %j",
  (artifactType) => {
    expect(printReferrers([{ digest: one, artifactType }])).toBe(`unknown/unknown ${one}`);
  },
);

test("what is recorded stays, and a tag holds what was found last", () => {
  const recorded = `a/a ${one}\n${tag} ${two}`;
  const found = [
    { digest: three, tag },
    { digest: two, artifactType: "b/b" },
  ];
  expect(mergeReferrers(recorded, found)).toBe(`a/a ${one}\nb/b ${two}\n${tag} ${three}`);
  expect(mergeReferrers(undefined, [])).toBe("");
});

test("a referrer is missing when its digest, or that of its tag, is not recorded", () => {
  const recorded = `a/a ${one}\n${tag} ${two}`;
  expect(missingReferrers(recorded, recorded)).toEqual([]);
  expect(missingReferrers(`other/type ${one}`, recorded)).toEqual([]);
  expect(missingReferrers(`a/a ${two}\n${tag} ${three}`, recorded)).toEqual([
    { digest: two, artifactType: "a/a" },
    { digest: three, tag },
  ]);
  expect(missingReferrers(undefined, recorded)).toEqual([]);
});
