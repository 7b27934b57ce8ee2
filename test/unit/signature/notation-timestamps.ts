/** Makes timestamps, by default as an authority does, and everything else on demand. */
import { createHash, type KeyObject, sign } from "node:crypto";
import { generalizedTime, integer, octets, oid, sequence, set, tagged } from "./der";
import { type Issued, pssAlgorithm, type SignatureHash, signatureAlgorithm, signPss } from "./notation-certificates";

const OID = {
  signedData: "1.2.840.113549.1.7.2",
  tstInfo: "1.2.840.113549.1.9.16.1.4",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingTime: "1.2.840.113549.1.9.5",
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
};
export const HASH_OID = {
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha512: "2.16.840.1.101.3.4.2.3",
};

export interface Stamping {
  readonly tsa: Issued;
  /** Certificates in the token besides that of the authority. */
  readonly others?: readonly Issued[];
  readonly time?: string;
  readonly key?: KeyObject;
  /** Seconds, milliseconds with the tag 0x80, microseconds with the tag 0x81. */
  readonly accuracy?: readonly Buffer[];
  readonly policy?: string;
  readonly version?: number;
  readonly contentType?: string;
  readonly imprintHash?: SignatureHash;
  readonly digestHash?: SignatureHash;
  readonly signatureHash?: SignatureHash;
  /** The certificate that the signed attribute names, and that of the signer's identifier. */
  readonly attributeOf?: Issued | null;
  readonly signerOf?: Issued;
  readonly withCertificates?: boolean;
  readonly withMessageDigest?: boolean;
  readonly withAttributes?: boolean;
  readonly signingTime?: string;
  /** What the signed attribute says the content is. */
  readonly attributeType?: string;
  readonly moreAttributes?: readonly Buffer[];
  readonly pss?: boolean;
  readonly signers?: number;
  /** Changes the content after it was signed. */
  readonly tamper?: (content: Buffer) => Buffer;
  readonly spoilSignature?: boolean;
}

const hashOf = (hash: SignatureHash, bytes: Buffer) => createHash(hash).update(bytes).digest();
const algorithm = (id: string) => sequence(oid(id));
export const attribute = (id: string, value: Buffer) => sequence(oid(id), set(value));

/** A token over the bytes: RFC 3161, 2.4.2. */
export function timestampOf(bytes: Buffer, stamping: Stamping): Buffer {
  const {
    tsa,
    others = [],
    contentType = OID.tstInfo,
    digestHash = "sha256",
    tamper = (content) => content,
  } = stamping;
  const content = infoOf(bytes, stamping);
  const signerInfo = signerInfoOf(content, stamping);
  const certificates = [tsa, ...others].map(({ der }) => der);
  return sequence(
    oid(OID.signedData),
    tagged(
      0,
      sequence(
        integer(3),
        set(algorithm(HASH_OID[digestHash])),
        sequence(oid(contentType), tagged(0, octets(tamper(content)))),
        ...(stamping.withCertificates === false ? [] : [tagged(0, ...certificates)]),
        set(...Array.from({ length: stamping.signers ?? 1 }, () => signerInfo)),
      ),
    ),
  );
}

function infoOf(bytes: Buffer, stamping: Stamping): Buffer {
  const { imprintHash = "sha256", accuracy, time = "2026-11-01T00:00:05Z" } = stamping;
  return sequence(
    integer(stamping.version ?? 1),
    oid(stamping.policy ?? "1.2.3.4"),
    sequence(algorithm(HASH_OID[imprintHash]), octets(hashOf(imprintHash, bytes))),
    integer(7),
    generalizedTime(new Date(time)),
    ...(accuracy ? [sequence(...accuracy)] : []),
  );
}

function signerInfoOf(content: Buffer, stamping: Stamping): Buffer {
  const { tsa, contentType = OID.tstInfo, digestHash = "sha256", signatureHash = digestHash, signingTime } = stamping;
  const { attributeOf = tsa, signerOf = tsa, key = tsa.key } = stamping;
  const attributes = [
    attribute(OID.contentType, oid(stamping.attributeType ?? contentType)),
    ...(stamping.withMessageDigest === false
      ? []
      : [attribute(OID.messageDigest, octets(hashOf(digestHash, content)))]),
    ...(attributeOf === null
      ? []
      : [attribute(OID.signingCertificateV2, sequence(sequence(sequence(octets(hashOf("sha256", attributeOf.der))))))]),
    ...(signingTime === undefined ? [] : [attribute(OID.signingTime, generalizedTime(new Date(signingTime)))]),
    ...(stamping.moreAttributes ?? []),
  ].sort(Buffer.compare);
  const withAttributes = stamping.withAttributes !== false;
  const bytes = withAttributes ? set(...attributes) : content;
  const signature = stamping.pss ? signPss("sha256", bytes, key) : sign(signatureHash, bytes, key);
  if (stamping.spoilSignature) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
  return sequence(
    integer(1),
    sequence(signerOf.issuerName, integer(signerOf.serialNumber)),
    algorithm(HASH_OID[digestHash]),
    ...(withAttributes ? [tagged(0, ...attributes)] : []),
    stamping.pss ? pssAlgorithm("sha256") : algorithm(signatureAlgorithm(key, signatureHash)),
    octets(signature),
  );
}

/** The same token with an indefinite length, which BER permits and DER does not. */
export function asBer(token: Buffer): Buffer {
  const content = token.subarray(token[1] === 0x82 ? 4 : 3);
  return Buffer.concat([Buffer.from([0x30, 0x80]), content, Buffer.alloc(2)]);
}
