/**
 * The algorithm that follows from the key of a signing certificate: one for each kind and size.
 * https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md#algorithm-selection
 */
import { constants, type KeyObject, verify } from "node:crypto";
import type { Hash } from "./der";

/** Named as in JWS: https://www.rfc-editor.org/rfc/rfc7518#section-3.1 */
export type Algorithm = "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512";

interface SigningKey {
  readonly algorithm: Algorithm;
  readonly hash: Hash;
}

const SIGNING_KEYS: Readonly<Record<string, SigningKey>> = {
  "RSA 2048": { algorithm: "PS256", hash: "sha256" },
  "RSA 3072": { algorithm: "PS384", hash: "sha384" },
  "RSA 4096": { algorithm: "PS512", hash: "sha512" },
  "EC prime256v1": { algorithm: "ES256", hash: "sha256" },
  "EC secp384r1": { algorithm: "ES384", hash: "sha384" },
  "EC secp521r1": { algorithm: "ES512", hash: "sha512" },
};

/** What a key can sign with; `undefined` when the Notary Project does not permit it for signatures. */
export function signingKey(key: KeyObject): SigningKey | undefined {
  return SIGNING_KEYS[describeKey(key)];
}

/** Whether a key is strong enough for any certificate: RSA of 2048 bits or more, or a permitted curve. */
export function isStrongKey(key: KeyObject): boolean {
  const bits = key.asymmetricKeyType === "rsa" ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  return bits >= 2048 || signingKey(key) !== undefined;
}

export function describeKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === "rsa") return `RSA ${asymmetricKeyDetails?.modulusLength}`;
  if (asymmetricKeyType === "ec") return `EC ${asymmetricKeyDetails?.namedCurve}`;
  return String(asymmetricKeyType);
}

/** Verifies a signature in the form that JWS and COSE share. */
export function isSignature(bytes: Buffer, signature: Buffer, key: KeyObject, hash: Hash): boolean {
  return key.asymmetricKeyType === "ec"
    ? verify(hash, bytes, { key, dsaEncoding: "ieee-p1363" }, signature)
    : verify(
        hash,
        bytes,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
        signature,
      );
}
