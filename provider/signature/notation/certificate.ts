/** Certificates, parsed as far as the Notary Project has rules about them. */
import { type KeyObject, X509Certificate } from "node:crypto";
import { parsing } from "../rejection";
import { algorithmOf, type Der, explicit, Fields, HASHES, type Hash, listOf, octets, parseDer, setOf } from "./der";
import { ATTRIBUTE_TYPES, formatName, type NameAttribute, type Subject } from "./distinguished-name";

export interface Certificate {
  readonly der: Buffer;
  readonly key: KeyObject;
  readonly serialNumber: Buffer;
  readonly subject: Subject;
  /** The names in DER, by which a certificate and its issuer are compared. */
  readonly subjectName: Buffer;
  readonly issuerName: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Hash that the issuer signed with; `undefined` for SHA-1 and anything else that is not permitted. */
  readonly signatureHash: Hash | undefined;
  readonly basicConstraints?: { readonly critical: boolean; readonly isCa: boolean; readonly pathLength?: number };
  readonly keyUsage?: { readonly critical: boolean; readonly usages: readonly KeyUsage[] };
  /** Object identifiers of the purposes. */
  readonly extendedKeyUsage?: { readonly critical: boolean; readonly purposes: readonly string[] };
  /** Whether the issuer's key made the signature. */
  readonly isSignedBy: (issuer: Certificate) => boolean;
}

/** In the order of the bits: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3 */
const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

export function parseCertificate(der: Buffer): Certificate {
  return parsing("a certificate", () => {
    const x509 = new X509Certificate(der);
    const signed = new Fields(parseDer(der));
    const fields = new Fields(signed.next());
    fields.tagged(0); // version
    const serialNumber = fields.next().value;
    fields.next(); // signature algorithm, once more
    const issuerName = fields.next().toDER();
    const [notBefore, notAfter] = listOf(fields.next()).map((time) => time.toDate());
    const subjectName = fields.next();
    fields.next(); // public key
    fields.tagged(1); // unique identifiers
    fields.tagged(2);
    const extensions = fields.tagged(3);
    if (notBefore === undefined || notAfter === undefined) throw new Error("the validity is missing");
    return {
      der,
      key: x509.publicKey,
      serialNumber,
      subject: readSubject(subjectName),
      subjectName: subjectName.toDER(),
      issuerName,
      notBefore,
      notAfter,
      signatureHash: readSignatureHash(signed.next()),
      ...(extensions && readExtensions(explicit(extensions))),
      isSignedBy: (issuer) => x509.verify(issuer.key),
    };
  });
}

/** A certificate's subject as reasons quote it. */
export function nameOf({ subject }: Certificate): string {
  return formatName(subject);
}

export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  return certificate.issuerName.equals(issuer.subjectName) && certificate.isSignedBy(issuer);
}

export function isSelfSigned(certificate: Certificate): boolean {
  return isIssuedBy(certificate, certificate);
}

function readSubject(name: Der): NameAttribute[] {
  return listOf(name)
    .flatMap(setOf)
    .map((attribute) => {
      const fields = new Fields(attribute);
      const oid = fields.next().toOID();
      return { type: ATTRIBUTE_TYPES[oid] ?? oid, value: readText(fields.next()) };
    });
}

/** The string types of a DirectoryString, and IA5String. */
function readText({ tag, value }: Der): string {
  switch (tag.isUniversal() && !tag.constructed ? tag.number : undefined) {
    case 0x0c: // UTF8String
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
    case 0x13: // PrintableString
    case 0x14: // TeletexString
    case 0x16: // IA5String
      return value.toString("latin1");
    case 0x1e: // BMPString
      return Buffer.from(value).swap16().toString("utf16le");
    default:
      throw new Error("a name is not a text");
  }
}

const RSASSA_PSS = "1.2.840.113549.1.1.10";
const SIGNATURE_HASHES: Readonly<Record<string, Hash>> = {
  "1.2.840.113549.1.1.11": "sha256", // RSASSA-PKCS1-v1_5
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256", // ECDSA
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

function readSignatureHash(identifier: Der): Hash | undefined {
  const fields = new Fields(identifier);
  const oid = fields.next().toOID();
  if (oid !== RSASSA_PSS) return SIGNATURE_HASHES[oid];
  // Without the parameter, the hash is SHA-1: https://www.rfc-editor.org/rfc/rfc4055#section-3.1
  const hash = new Fields(fields.next()).tagged(0);
  return hash && HASHES[algorithmOf(explicit(hash))];
}

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";

/**
 * Reads the three extensions that count. The others must be ignored, even critical ones.
 * https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md#other-requirements
 */
function readExtensions(list: Der): Pick<Certificate, "basicConstraints" | "keyUsage" | "extendedKeyUsage"> {
  const extensions = new Map<string, { readonly critical: boolean; readonly bytes: Buffer }>();
  for (const extension of listOf(list)) {
    const fields = new Fields(extension);
    const oid = fields.next().toOID();
    if (extensions.has(oid)) throw new Error("an extension occurs twice");
    const critical = fields.optional(({ tag }) => tag.isBoolean())?.toBoolean() ?? false;
    extensions.set(oid, { critical, bytes: octets(fields.next()) });
  }
  const read = <T extends object>(oid: string, content: (value: Der) => T) => {
    const extension = extensions.get(oid);
    return extension && { critical: extension.critical, ...content(parseDer(extension.bytes)) };
  };
  const basicConstraints = read(BASIC_CONSTRAINTS, readBasicConstraints);
  const keyUsage = read(KEY_USAGE, readKeyUsage);
  const extendedKeyUsage = read(EXTENDED_KEY_USAGE, (value) => ({ purposes: listOf(value).map((one) => one.toOID()) }));
  return {
    ...(basicConstraints && { basicConstraints }),
    ...(keyUsage && { keyUsage }),
    ...(extendedKeyUsage && { extendedKeyUsage }),
  };
}

function readBasicConstraints(value: Der): { readonly isCa: boolean; readonly pathLength?: number } {
  const fields = new Fields(value);
  const isCa = fields.optional(({ tag }) => tag.isBoolean())?.toBoolean() ?? false;
  const pathLength = fields.optional(({ tag }) => tag.isInteger())?.toInteger();
  return { isCa, ...(pathLength !== undefined && { pathLength: Number(pathLength) }) };
}

function readKeyUsage(value: Der): { readonly usages: readonly KeyUsage[] } {
  const bits = value.toBitString();
  return { usages: KEY_USAGES.filter((_, bit) => bits[bit] === 1) };
}
