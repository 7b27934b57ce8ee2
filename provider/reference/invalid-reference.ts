/** The error of every parser in this folder. */

/** A text that is not what its parser reads. `reason` is a predicate, as in `source: must not be empty`, and repeats no credential. */
export class InvalidReference extends Error {
  override readonly name = "InvalidReference";

  constructor(readonly reason: string) {
    super(reason);
  }
}

/** The reason of an {@link InvalidReference}, or `undefined` for any other error. */
export function reasonOf(error: unknown): string | undefined {
  return error instanceof Error && error.name === "InvalidReference" ? (error as InvalidReference).reason : undefined;
}
