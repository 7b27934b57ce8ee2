/** Issues certificates, by default as the Notary Project wants them. */
import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { bitString, bits, boolean, generalizedTime, integer, octets, oid, sequence, set, tagged, utf8 } from "./der";

export interface Issued {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  readonly name: Buffer;
  readonly issuerName: Buffer;
  readonly serialNumber: number;
}

const TYPES = { C: "2.5.4.6", ST: "2.5.4.8", L: "2.5.4.7", O: "2.5.4.10", OU: "2.5.4.11", CN: "2.5.4.3" };
export type NameParts = readonly (readonly [keyof typeof TYPES, string])[];

export const WABBIT = [
  ["C", "US"],
  ["ST", "WA"],
  ["O", "Wabbit Networks"],
] as const satisfies NameParts;

const KEYS = {
  p256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  p384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  secp256k1: () => generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
  rsa1024: () => generateKeyPairSync("rsa", { modulusLength: 1024 }),
  rsa2048: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  rsa2560: () => generateKeyPairSync("rsa", { modulusLength: 2560 }),
  ed25519: () => generateKeyPairSync("ed25519"),
};
export type KeyKind = keyof typeof KEYS;

/** Object identifiers of ECDSA and RSASSA-PKCS1-v1_5 with a hash. */
const SIGNATURES = {
  ec: { sha1: "1.2.840.10045.4.1", sha256: "1.2.840.10045.4.3.2", sha512: "1.2.840.10045.4.3.4" },
  rsa: { sha1: "1.2.840.113549.1.1.5", sha256: "1.2.840.113549.1.1.11", sha512: "1.2.840.113549.1.1.13" },
};
export type SignatureHash = keyof (typeof SIGNATURES)["ec"];

export function signatureAlgorithm(key: KeyObject, hash: SignatureHash): string {
  return SIGNATURES[key.asymmetricKeyType === "rsa" ? "rsa" : "ec"][hash];
}

export const extension = {
  make: (id: string, critical: boolean, value: Buffer) =>
    sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value)),
  basicConstraints: (isCa: boolean, { critical = true, pathLength = Number.NaN } = {}) => {
    const fields = [...(isCa ? [boolean(true)] : []), ...(pathLength >= 0 ? [integer(pathLength)] : [])];
    return extension.make("2.5.29.19", critical, sequence(...fields));
  },
  /** Bits as in RFC 5280: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign. */
  keyUsage: (usages: readonly number[], { critical = true } = {}) =>
    extension.make("2.5.29.15", critical, bits(...usages)),
  extendedKeyUsage: (purposes: readonly string[], { critical = false } = {}) =>
    extension.make("2.5.29.37", critical, sequence(...purposes.map(oid))),
};
export const PURPOSE = {
  any: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  OCSPSigning: "1.3.6.1.5.5.7.3.9",
};

export const CA_EXTENSIONS = [extension.basicConstraints(true), extension.keyUsage([5, 6])];
export const LEAF_EXTENSIONS = [extension.keyUsage([0]), extension.extendedKeyUsage([PURPOSE.codeSigning])];
export const TSA_EXTENSIONS = [
  extension.keyUsage([0]),
  extension.extendedKeyUsage([PURPOSE.timeStamping], { critical: true }),
];

export interface Wish {
  readonly name?: NameParts;
  /** Without an issuer, the certificate is self-signed. */
  readonly issuer?: Issued;
  /** Another key than that of the issuer. */
  readonly signedBy?: KeyObject;
  readonly key?: KeyKind;
  /** A certificate of the same key, in place of a new one. */
  readonly keyOf?: Issued;
  /** RSASSA-PSS with this hash, in place of RSASSA-PKCS1-v1_5. */
  readonly pss?: "sha1" | "sha256";
  /** The string type of the name. */
  readonly text?: (text: string) => Buffer;
  readonly hash?: SignatureHash;
  readonly extensions?: readonly Buffer[];
  readonly from?: string;
  readonly to?: string;
}

let issued = 0;

export function issue(commonName: string, wish: Wish = {}): Issued {
  const { issuer, key = "p256", hash = "sha256", from = "2026-01-01", to = "2030-01-01" } = wish;
  const privateKey = wish.keyOf?.key ?? KEYS[key]().privateKey;
  const signer = wish.signedBy ?? issuer?.key ?? privateKey;
  const name = encodeName([...(wish.name ?? WABBIT), ["CN", commonName]], wish.text);
  const issuerName = issuer?.name ?? name;
  const algorithm = wish.pss ? pssAlgorithm(wish.pss) : sequence(oid(signatureAlgorithm(signer, hash)));
  issued += 1;
  const content = sequence(
    tagged(0, integer(2)),
    integer(issued),
    algorithm,
    issuerName,
    sequence(generalizedTime(new Date(from)), generalizedTime(new Date(to))),
    name,
    createPublicKey(privateKey).export({ format: "der", type: "spki" }),
    tagged(3, sequence(...(wish.extensions ?? LEAF_EXTENSIONS))),
  );
  const der = sequence(
    content,
    algorithm,
    bitString(wish.pss ? signPss(wish.pss, content, signer) : sign(hash, content, signer)),
  );
  return { der, pem: pemOf(der), key: privateKey, name, issuerName, serialNumber: issued };
}

function pemOf(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

function encodeName(parts: NameParts, text = utf8): Buffer {
  return sequence(...parts.map(([type, value]) => set(sequence(oid(TYPES[type]), text(value)))));
}

/** https://www.rfc-editor.org/rfc/rfc4055#section-3.1: SHA-1 is what the parameters say when they say nothing. */
export function pssAlgorithm(hash: "sha1" | "sha256"): Buffer {
  const sha256 = sequence(oid("2.16.840.1.101.3.4.2.1"));
  const mgf1 = sequence(oid("1.2.840.113549.1.1.8"), sha256);
  const parameters = hash === "sha1" ? [] : [tagged(0, sha256), tagged(1, mgf1), tagged(2, integer(32))];
  return sequence(oid("1.2.840.113549.1.1.10"), sequence(...parameters));
}

export function signPss(hash: "sha1" | "sha256", bytes: Buffer, key: KeyObject): Buffer {
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return sign(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}
