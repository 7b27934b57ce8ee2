/** JSON Web Tokens: decode, sign, verify. */
import { generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from "node:crypto";

export type Claims = Readonly<Record<string, unknown>>;

/** A decoded token; nothing about it is verified. */
export interface DecodedToken {
  readonly header: Claims;
  readonly claims: Claims;
  readonly signed: string;
  readonly signature: Buffer;
}

export function decodeToken(token: string): DecodedToken | undefined {
  const [header, claims, signature, ...rest] = token.split(".");
  if (!header || !claims || !signature || rest.length > 0) return undefined;
  try {
    return {
      header: JSON.parse(Buffer.from(header, "base64url").toString()),
      claims: JSON.parse(Buffer.from(claims, "base64url").toString()),
      signed: `${header}.${claims}`,
      signature: Buffer.from(signature, "base64url"),
    };
  } catch {
    return undefined;
  }
}

/** The key of an issuer. ECDSA, since generating an RSA key takes up to a second. */
export class SigningKey {
  readonly #id = randomUUID();
  readonly #privateKey: KeyObject;
  readonly publicKey: KeyObject;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#privateKey = privateKey;
    this.publicKey = publicKey;
  }

  sign(claims: Claims): string {
    const header = encode({ typ: "JWT", alg: "ES256", kid: this.#id });
    const signed = `${header}.${encode(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: this.#privateKey, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  }

  verify(token: DecodedToken): boolean {
    return verify(
      "sha256",
      Buffer.from(token.signed),
      { key: this.publicKey, dsaEncoding: "ieee-p1363" },
      token.signature,
    );
  }

  /** The document behind `jwks_uri`. */
  keySet(): object {
    return { keys: [{ ...this.publicKey.export({ format: "jwk" }), kid: this.#id, use: "sig", alg: "ES256" }] };
  }
}

function encode(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
