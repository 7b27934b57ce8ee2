/** The grammar of platforms. */
import { reasonOf } from "../../../provider/reference/invalid-reference";
import { isSamePlatform, parsePlatform } from "../../../provider/reference/platform";

test.each(["linux/amd64", "linux/arm/v7", "windows/amd64", "wasip1/wasm"])("accepts %s", (text) => {
  expect(parsePlatform(text)).toBe(text);
});

const shape = "must be an operating system and an architecture in lower case, such as linux/amd64 or linux/arm/v7";

test.each([
  ["", "must not be empty"],
  ["arm64", shape],
  ["linux/", shape],
  ["Linux/amd64", shape],
  ["linux/arm/v7/v8", shape],
  ["linux/amd64,linux/arm64", "must be one platform"],
  ["linux / amd64", "must not contain white space"],
])("%j %s", (text, expected) => {
  let reason: string | undefined;
  try {
    parsePlatform(text);
  } catch (error) {
    reason = reasonOf(error);
  }
  expect(reason).toBe(expected);
});

test.each([
  ["linux/arm64", "linux/arm64/v8", true],
  ["linux/arm", "linux/arm/v7", true],
  ["linux/amd64", "linux/amd64/v1", true],
  ["linux/amd64", "linux/amd64/v3", false],
  ["linux/arm64", "windows/arm64", false],
  ["linux/riscv64", "linux/riscv64", true],
])("%s and %s: same platform is %s", (one, other, expected) => {
  expect([isSamePlatform(one, other), isSamePlatform(other, one)]).toEqual([expected, expected]);
});
