/** The marker of unknown values, compared with that of the SDK. */
import { unknownValue } from "@pulumi/pulumi/runtime";
import { hasUnknown, UNKNOWN } from "../../../provider/resource/unknown";

test("the marker is the engine's", () => {
  expect(UNKNOWN).toBe(unknownValue);
});

test.each<[unknown, boolean]>([
  [UNKNOWN, true],
  [[1, [UNKNOWN]], true],
  [{ a: { b: [null, { c: UNKNOWN }] } }, true],
  ["known", false],
  [`prefix-${UNKNOWN}`, false],
  [{ a: [1, null, undefined, true, "text"] }, false],
  [null, false],
  [undefined, false],
])("hasUnknown(%j) is %p", (value, expected) => {
  expect(hasUnknown(value)).toBe(expected);
});
