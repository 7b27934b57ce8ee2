/**
 * Digests of manifests.
 *
 * ```
 * digest := "sha256:" 64 × hex | "sha512:" 128 × hex
 * hex    := [0-9a-f]
 * ```
 */
import { InvalidReference } from "./invalid-reference";

declare const brand: unique symbol;

/** The content address of a manifest, such as `sha256:9f86d0…`. A plain string in state. */
export type Digest = string & { readonly [brand]: "Digest" };

const HEX_DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

export function parseDigest(text: string): Digest {
  const colon = text.indexOf(":");
  if (colon < 1) throw new InvalidReference("must have a digest of the form sha256:<64 hexadecimal digits>");

  const length = Object.hasOwn(HEX_DIGITS, text.slice(0, colon)) ? HEX_DIGITS[text.slice(0, colon)] : undefined;
  if (length === undefined) throw new InvalidReference("must have a digest with the algorithm sha256 or sha512");

  const hex = text.slice(colon + 1);
  if (!/^[0-9a-f]*$/.test(hex)) {
    throw new InvalidReference(
      /^[0-9a-fA-F]*$/.test(hex)
        ? "must have a digest in lower case"
        : "must have a digest with hexadecimal digits (0-9, a-f) after its algorithm",
    );
  }
  if (hex.length !== length) {
    throw new InvalidReference(
      `must have a ${text.slice(0, colon)} digest with ${length} hexadecimal digits, not ${hex.length}`,
    );
  }
  return text as Digest;
}

/** Whether a text is a digest. */
export function isDigest(text: string): text is Digest {
  return /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
}
