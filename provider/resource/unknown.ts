/**
 * Values that are not known yet.
 *
 * In a preview the engine puts this marker where a value depends on something still to be created, at any depth. It is
 * the constant of `@pulumi/pulumi/runtime`, repeated here so that the pure rooms need not load the SDK; a test compares them.
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether the value is, or holds at any depth, something that is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
