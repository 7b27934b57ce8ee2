import { isDigest, parseDigest } from "../../../provider/reference/digest";

test.each([`sha256:${"0a".repeat(32)}`, `sha512:${"0a".repeat(64)}`])("%s is a digest", (text) => {
  expect(parseDigest(text)).toBe(text);
  expect(isDigest(text)).toBe(true);
});

test.each([
  ["", /^a digest reads/],
  ["22", /^a digest reads/],
  [":ff", /^a digest reads/],
  ["md5:ff", /^the algorithm/],
  ["toString:ff", /^the algorithm/],
  [`sha256:${"0".repeat(63)}`, /this one has 63$/],
  [`sha512:${"0".repeat(64)}`, /^a sha512 digest has 128 .* has 64$/],
  [`sha256:${"0".repeat(63)}A`, /lower case$/],
  [`sha256:${"0".repeat(63)}\n`, /^a digest consists of/],
])("%j is none", (text, expected) => {
  expect(() => parseDigest(text)).toThrow(expected);
  expect(isDigest(text)).toBe(false);
});
