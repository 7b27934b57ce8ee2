/** Public keys that sign images: reads them from PEM, and verifies signatures by them. */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { InvalidReference } from "../reference/invalid-reference";

/** A public key of cosign. */
export interface CosignKey {
  readonly publicKey: KeyObject;
  /** `sha256:` and the hash of the key as SubjectPublicKeyInfo, whatever its PEM looks like. */
  readonly fingerprint: string;
}

/** Encodings of a public key, by the label of its PEM (https://www.rfc-editor.org/rfc/rfc7468). */
const ENCODINGS: Readonly<Record<string, "spki" | "pkcs1">> = { "PUBLIC KEY": "spki", "RSA PUBLIC KEY": "pkcs1" };

const MINIMAL_RSA_BITS = 2048;

/**
 * Hash functions by the kind of key. cosign 2 uses SHA-256 with every curve, cosign 3 the one that belongs to the curve:
 * https://github.com/sigstore/sigstore-go/blob/main/pkg/verify/signature.go. Ed25519 has its own; with such a key, cosign 3
 * signs with Ed25519ph, which neither Node.js nor `cosign verify` supports.
 */
const HASHES: Readonly<Record<string, readonly (string | null)[]>> = {
  prime256v1: ["sha256"],
  secp384r1: ["sha384", "sha256"],
  secp521r1: ["sha512", "sha256"],
  rsa: ["sha256"],
  ed25519: [null],
};

/**
 * Parses a public key in PEM; white space around its lines does not matter.
 *
 * @throws InvalidReference with the reason. It does not repeat the text, which may be a private key.
 */
export function parseCosignKey(text: string): CosignKey {
  const publicKey = readPem(text);
  const kind = kindOf(publicKey);
  if (HASHES[kind] === undefined) {
    throw new InvalidReference(`must be an ECDSA (P-256, P-384, P-521), RSA or Ed25519 key, not ${kind}`);
  }
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? MINIMAL_RSA_BITS;
  if (bits < MINIMAL_RSA_BITS) throw new InvalidReference(`must have at least ${MINIMAL_RSA_BITS} bits, not ${bits}`);
  const spki = publicKey.export({ format: "der", type: "spki" });
  return { publicKey, fingerprint: `sha256:${createHash("sha256").update(spki).digest("hex")}` };
}

/** Whether the key has signed these bytes. */
export function isSignedBy({ publicKey }: CosignKey, bytes: Buffer, signature: Buffer): boolean {
  return (HASHES[kindOf(publicKey)] ?? []).some((hash) => {
    try {
      return verify(hash, bytes, publicKey, signature);
    } catch {
      // Some signatures of a wrong length are an error instead of `false`.
      return false;
    }
  });
}

function readPem(text: string): KeyObject {
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g)];
  const [, label = "", body = ""] = blocks[0] ?? [];
  if (/PRIVATE KEY/.test(text)) {
    throw new InvalidReference(
      "must be a public key, not a private one",
      "Print the public key: cosign public-key --key cosign.key. If the private key was committed, replace it",
    );
  }
  if (blocks.length > 1) throw new InvalidReference("must be one key", "Pass several keys as a list in keys");
  const encoding = Object.hasOwn(ENCODINGS, label) ? ENCODINGS[label] : undefined;
  if (encoding === undefined) {
    throw new InvalidReference(
      `must be a public key in PEM (-----BEGIN PUBLIC KEY-----)${label === "" ? "" : `, not ${label}`}`,
      "Pass the content of the file, not its path. To print a key that a KMS holds, run cosign public-key --key azurekms://…",
    );
  }
  try {
    return createPublicKey({ key: Buffer.from(body, "base64"), format: "der", type: encoding });
  } catch {
    throw new InvalidReference("is not a valid public key: its content cannot be decoded");
  }
}

/** The curve of an ECDSA key, the type of any other: `rsa`, `ed25519`, `dsa`, `rsa-pss`, … */
function kindOf(key: KeyObject): string {
  return key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? "unknown";
}
