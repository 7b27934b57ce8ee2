/** Selects referrers by the type of their artifact. */

/** Whether a type is one of those that are wanted, each exact or with a `*` at the end. Without any, every type is. */
export function matchesArtifactType(type: string, wanted: readonly string[] | undefined): boolean {
  return (
    wanted === undefined || wanted.some((one) => (one.endsWith("*") ? type.startsWith(one.slice(0, -1)) : type === one))
  );
}
