/**
 * Values that are unknown in a preview.
 *
 * The engine puts this marker, at any depth, where a value depends on a resource that does not exist yet. It is the constant
 * of `@pulumi/pulumi/runtime`, repeated here so that pure code need not load the SDK; a test compares the two.
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The marker in place of a value of any type. */
export function unknownAs<T>(): T {
  return UNKNOWN as unknown as T;
}

/** Whether the value is unknown, or holds an unknown value at any depth. */
export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
