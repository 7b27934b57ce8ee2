/** Why a text is not the name that it should be. `reason` is a clause that fits behind `"source: "`; it never repeats a credential. */
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
