/** The grammar of digests. */
import { isDigest, parseDigest } from "../../../provider/reference/digest";

test.each([`sha256:${"0a".repeat(32)}`, `sha512:${"0a".repeat(64)}`])("%s is a digest", (text) => {
  expect(parseDigest(text)).toBe(text);
  expect(isDigest(text)).toBe(true);
});

test.each([
  ["", /^must have a digest of the form/],
  ["22", /^must have a digest of the form/],
  [":ff", /^must have a digest of the form/],
  ["md5:ff", /^must have a digest with the algorithm/],
  ["toString:ff", /^must have a digest with the algorithm/],
  [`sha256:${"0".repeat(63)}`, /, not 63$/],
  [`sha512:${"0".repeat(64)}`, /^must have a sha512 digest with 128 .*, not 64$/],
  [`sha256:${"0".repeat(63)}A`, /lower case$/],
  [`sha256:${"0".repeat(63)}\n`, /^must have a digest with hexadecimal digits/],
])("%j is not a digest", (text, expected) => {
  expect(() => parseDigest(text)).toThrow(expected);
  expect(isDigest(text)).toBe(false);
});
