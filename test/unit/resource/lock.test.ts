/** What is recorded about locks, and compared. */
import { type Lock, lockDiffers, lockParts, partialLock, recordedLock, toLock } from "../../../provider/resource/lock";
import { unknownAs } from "../../../provider/resource/unknown";

const [none, both] = [
  { write: false, delete: false },
  { write: true, delete: true },
];
const all = { write: true, delete: true };

test.each<[Lock | null | undefined, object]>([
  [undefined, none],
  [null, none],
  [false, none],
  [true, both],
  [{}, none],
  [{ write: true }, { write: true, delete: false }],
  [
    { delete: true, write: false },
    { write: false, delete: true },
  ],
])("lockParts of %j", (lock, parts) => {
  expect(lockParts(lock)).toEqual(parts);
});

test.each<[Lock | undefined, Lock | undefined, boolean]>([
  [undefined, undefined, false],
  [undefined, false, false],
  [{}, undefined, false],
  [true, all, false],
  [true, undefined, true],
  [undefined, true, true],
  [{ write: true }, { delete: true }, true],
  [true, { ...all, unlocked: ["a:1"] }, true],
  [undefined, { ...all, unlocked: ["a:1"] }, true],
  [{ ...all, unlocked: ["a:1"] }, { ...all, unlocked: ["a:1"] }, false],
  [unknownAs<Lock>(), true, true],
  [{ write: unknownAs<boolean>() }, undefined, true],
])("lockDiffers: %j from %j: %s", (desired, recorded, differs) => {
  expect(lockDiffers(desired, recorded)).toBe(differs);
});

test("a target that is recorded as not locked has no part of the lock", () => {
  const lock = { write: true, unlocked: ["a:1"] };
  expect([recordedLock(lock, "a:1"), recordedLock(lock, "a:2")]).toEqual([none, { write: true, delete: false }]);
});

test.each<[Parameters<typeof toLock>, Lock | undefined]>([
  [[both], true],
  [[none], undefined],
  [[none, ["a:1"]], undefined],
  [[{ write: true, delete: false }], { write: true, delete: false }],
  [[both, ["b:1", "a:1"]], { ...all, unlocked: ["a:1", "b:1"] }],
])("toLock of %j", (args, lock) => {
  expect(toLock(...args)).toEqual(lock);
});

test("an operation that ended halfway leaves every part that a target may have", () => {
  expect(partialLock({ write: true }, { delete: true }, [])).toBe(true);
  expect(partialLock(true, undefined, ["a:1"])).toEqual({ ...all, unlocked: ["a:1"] });
  expect(partialLock(false, undefined, ["a:1"])).toBeUndefined();
});
