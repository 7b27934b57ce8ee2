/** Digests: sha256 and sha512. */
import { createHash } from "node:crypto";

const digestPattern = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

/** Whether the text is a digest of a supported algorithm. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

export function digestOf(bytes: Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Whether the bytes have that digest. */
export function hasDigest(bytes: Uint8Array, digest: string): boolean {
  return isDigest(digest) && digestOf(bytes, digest.slice(0, digest.indexOf(":"))) === digest;
}
