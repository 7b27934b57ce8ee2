import { unknownValue } from "@pulumi/pulumi/runtime";
import { hasUnknown, unknown } from "../provider/unknown";

test("the marker is the engine's", () => {
  expect(unknown).toBe(unknownValue);
});

test.each<[unknown, boolean]>([
  [unknown, true],
  [[1, [unknown]], true],
  [{ a: { b: [null, { c: unknown }] } }, true],
  ["known", false],
  [`prefix-${unknown}`, false],
  [{ a: [1, null, undefined, true, "text"] }, false],
  [null, false],
  [undefined, false],
])("hasUnknown(%j) is %p", (value, expected) => {
  expect(hasUnknown(value)).toBe(expected);
});
