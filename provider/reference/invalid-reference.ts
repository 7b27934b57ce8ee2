/** The error of every parser in this folder. */

/** A text that is not what its parser reads. `reason` is a predicate, as in `source: must not be empty`, and repeats no credential. */
export class InvalidReference extends Error {
  override readonly name = "InvalidReference";

  /** @param hint - What to write instead, where the reason does not tell. */
  constructor(
    readonly reason: string,
    readonly hint?: string,
  ) {
    super(reason);
  }
}

/** The error as an {@link InvalidReference}, or `undefined` for any other error. */
export function asInvalidReference(error: unknown): InvalidReference | undefined {
  return error instanceof Error && error.name === "InvalidReference" ? (error as InvalidReference) : undefined;
}

/** The reason of an {@link InvalidReference}, or `undefined` for any other error. */
export function reasonOf(error: unknown): string | undefined {
  return asInvalidReference(error)?.reason;
}
