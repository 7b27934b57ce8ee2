/** Signs envelopes, by default as Notation does, and everything else on demand. */
import { constants, createHash, type KeyObject, sign } from "node:crypto";
import type { SignatureCandidate, SignatureManifest } from "../../../provider/signature/candidate";
import type { SignedImage } from "../../../provider/signature/notation";
import { digestOf } from "../../support/fixtures";
import type { Issued } from "./notation-certificates";

const { encode, Tag } = require("cbor2") as typeof import("cbor2", { with: { "resolution-mode": "import" }});

export const JWS = "application/jose+json";
export const COSE = "application/cose";
export const ARTIFACT_TYPE = "application/vnd.cncf.notary.signature";
export const SIGNED_AT = "2026-11-01T00:00:00Z";

export const IMAGE = {
  digest: digestOf("a"),
  mediaType: "application/vnd.oci.image.index.v1+json",
  size: 654,
} satisfies SignedImage;

/** What is signed, and by whom: everything that a forger may choose. */
export interface Signing {
  readonly chain: readonly Issued[];
  /** The key that signs; by default that of the first certificate. */
  readonly key?: KeyObject;
  readonly payload?: object;
  /** Members of the protected header; `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly unprotected?: Readonly<Record<string, unknown>>;
  readonly timestamp?: (signature: Buffer) => Buffer;
  readonly sign?: (bytes: Buffer, key: KeyObject) => Buffer;
}

export interface Signed {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

const HASHES: Readonly<Record<string, string>> = { prime256v1: "sha256", secp384r1: "sha384" };

/** As JWS and COSE want it: RSASSA-PSS or ECDSA, with the hash that belongs to the key. */
export function signAs(bytes: Buffer, key: KeyObject): Buffer {
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ed25519") return sign(null, bytes, key);
  if (modulusLength === 0) return sign(HASHES[namedCurve] ?? "sha256", bytes, { key, dsaEncoding: "ieee-p1363" });
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return sign("sha256", bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}

function algorithmOf(key: KeyObject): "PS256" | "ES384" | "ES256" {
  if (key.asymmetricKeyType === "rsa") return "PS256";
  return key.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "ES384" : "ES256";
}

const HEADERS = {
  "io.cncf.notary.signingScheme": "notary.x509",
  "io.cncf.notary.signingTime": SIGNED_AT,
};
const CRITICAL = ["io.cncf.notary.signingScheme"];
const PAYLOAD_TYPE = "application/vnd.cncf.notary.payload.v1+json";

function keyOf({ chain, key }: Signing): KeyObject {
  const signer = key ?? chain[0]?.key;
  if (signer === undefined) throw new Error("nobody signs");
  return signer;
}

function payloadOf({ payload = { targetArtifact: IMAGE } }: Signing): Buffer {
  return Buffer.from(JSON.stringify(payload));
}

const base64url = (value: Buffer | object) =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString("base64url");

export function signJws(signing: Signing, members: Readonly<Record<string, unknown>> = {}): Signed {
  const key = keyOf(signing);
  const protectedText = base64url({
    alg: algorithmOf(key),
    cty: PAYLOAD_TYPE,
    crit: CRITICAL,
    ...HEADERS,
    ...signing.headers,
  });
  const payload = base64url(payloadOf(signing));
  const signature = (signing.sign ?? signAs)(Buffer.from(`${protectedText}.${payload}`), key);
  const header = {
    x5c: signing.chain.map(({ der }) => der.toString("base64")),
    ...(signing.timestamp && {
      "io.cncf.notary.timestampSignature": signing.timestamp(signature).toString("base64"),
    }),
    ...signing.unprotected,
  };
  const envelope = { payload, protected: protectedText, header, signature: base64url(signature), ...members };
  return { mediaType: JWS, bytes: Buffer.from(JSON.stringify(envelope)) };
}

/** The members of a JWS envelope, changed. */
export function changeJws({ bytes }: Signed, change: (envelope: Record<string, string>) => object): Signed {
  return { mediaType: JWS, bytes: Buffer.from(JSON.stringify(change(JSON.parse(bytes.toString())))) };
}

export const bytesOf = (bytes: Buffer) => new Uint8Array(bytes);
export const seconds = (time: string) => new Tag(1, new Date(time).getTime() / 1000);

const ALGORITHMS = { PS256: -37, ES256: -7, ES384: -35 };

/** The four parts of a COSE_Sign1. */
export type Parts = readonly [Uint8Array, ReadonlyMap<unknown, unknown>, Uint8Array, Uint8Array];

/** @param headers - Replace the default ones: labels are numbers or texts. */
export function coseParts(signing: Signing, headers: readonly (readonly [unknown, unknown])[] = []): Parts {
  const key = keyOf(signing);
  const all = new Map<unknown, unknown>([
    [1, ALGORITHMS[algorithmOf(key)]],
    [2, CRITICAL],
    [3, PAYLOAD_TYPE],
    ["io.cncf.notary.signingScheme", "notary.x509"],
    ["io.cncf.notary.signingTime", seconds(SIGNED_AT)],
    ...headers,
  ]);
  const present = new Map([...all].filter(([, value]) => value !== undefined));
  return signCoseHeader(signing, encode(present));
}

/** Signs a protected header that is given in CBOR. */
export function signCoseHeader(signing: Signing, protectedBytes: Uint8Array): Parts {
  const payload = bytesOf(payloadOf(signing));
  const toBeSigned = Buffer.from(encode(["Signature1", protectedBytes, new Uint8Array(0), payload]));
  const signature = (signing.sign ?? signAs)(toBeSigned, keyOf(signing));
  const unprotected = new Map<unknown, unknown>([
    [33, signing.chain.map(({ der }) => bytesOf(der))],
    ...(signing.timestamp
      ? [["io.cncf.notary.timestampSignature", bytesOf(signing.timestamp(signature))] as const]
      : []),
  ]);
  return [protectedBytes, unprotected, payload, bytesOf(signature)];
}

export function signCose(signing: Signing, headers: readonly (readonly [unknown, unknown])[] = []): Signed {
  return coseOf(new Tag(18, coseParts(signing, headers)));
}

export function coseOf(message: unknown): Signed {
  return { mediaType: COSE, bytes: Buffer.from(encode(message)) };
}

/** The manifest around an envelope. */
export function candidateOf(
  { mediaType, bytes }: Signed,
  change: Partial<SignatureManifest> = {},
): SignatureCandidate & { readonly read: () => number } {
  let reads = 0;
  const digest = digestOf("b");
  const layer = { mediaType, digest, size: bytes.length, annotations: {} };
  const manifest: SignatureManifest = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: ARTIFACT_TYPE,
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("c") },
    subject: { digest: IMAGE.digest },
    layers: [layer],
    annotations: {},
    ...change,
  };
  const blob = async () => {
    reads += 1;
    return bytes;
  };
  return {
    digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` as typeof digest,
    manifest,
    blob,
    read: () => reads,
  };
}
