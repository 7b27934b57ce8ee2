/** A response that breaks a rule, so that no retry helps: it is too large, or redirects where it must not. */
export class UnusableResponse extends Error {
  override readonly name = "UnusableResponse";
}
