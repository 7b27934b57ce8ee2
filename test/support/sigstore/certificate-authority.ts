/** A certificate authority with a certificate transparency log, as Fulcio of a Sigstore deployment. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { bits, boolean, explicit, implicit, integer, octets, oid, sequence, set, utcTime, utf8 } from "./der";

const SIGNATURE_ALGORITHM = sequence(oid("1.2.840.10045.4.3.2"));
/** https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md */
const ISSUER_V1 = "1.3.6.1.4.1.57264.1.1";
const ISSUER_V2 = "1.3.6.1.4.1.57264.1.8";
const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";

export interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const newKeys = (): Keys => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
export const spki = ({ publicKey }: Keys): Buffer => publicKey.export({ format: "der", type: "spki" });
export const sha256 = (...bytes: readonly Buffer[]): Buffer =>
  createHash("sha256").update(Buffer.concat(bytes)).digest();

/** What goes into a certificate. */
export interface CertificateOptions {
  readonly subject: string;
  readonly issuer: string;
  /** By default ten minutes from then on. */
  readonly notBefore: Date;
  readonly notAfter?: Date;
  /** The log that promises to contain the certificate. */
  readonly log: Keys | "none";
  /** By default code signing. */
  readonly extendedKeyUsage?: string;
  /** With the older of the two extensions for the issuer only. */
  readonly oldIssuerExtension?: boolean;
}

export class CertificateAuthority {
  readonly certificate: Buffer;

  constructor(
    readonly name: string,
    readonly validFrom: Date,
    readonly keys = newKeys(),
  ) {
    this.certificate = this.#selfSigned(validFrom);
  }

  /** Issues a certificate for the key of an identity. */
  issue(key: Buffer, options: CertificateOptions): Buffer {
    const { subject, issuer, notBefore, notAfter = minutesAfter(notBefore, 10), log } = options;
    const extensions = [
      extension("2.5.29.15", bits(Buffer.from([0x80]), 7), true),
      extension("2.5.29.37", sequence(oid(options.extendedKeyUsage ?? CODE_SIGNING))),
      extension("2.5.29.17", sequence(implicit(subject.includes("://") ? 6 : 1, Buffer.from(subject))), true),
      extension("2.5.29.35", sequence(implicit(0, keyId(this.keys)))),
      extension(ISSUER_V1, Buffer.from(issuer)),
      ...(options.oldIssuerExtension ? [] : [extension(ISSUER_V2, utf8(issuer))]),
    ];
    const fields = { key, notBefore, notAfter, subject: sequence(), serial: randomBytes(8) };
    if (log === "none") return this.#sign(this.#toBeSigned({ ...fields, extensions }));

    const promise = certificateTimestamp(log, this.keys, this.#toBeSigned({ ...fields, extensions }), notBefore);
    const list = extension("1.3.6.1.4.1.11129.2.4.2", octets(withLength(withLength(promise))));
    return this.#sign(this.#toBeSigned({ ...fields, extensions: [...extensions, list] }));
  }

  /** Issues the certificate of a timestamp authority. */
  issueForTimestamps(key: Buffer, serial: Buffer): Buffer {
    const extensions = [
      extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.8")), true),
      extension("2.5.29.35", sequence(implicit(0, keyId(this.keys)))),
    ];
    const validity = { notBefore: this.validFrom, notAfter: minutesAfter(this.validFrom, 60 * 24 * 3650) };
    return this.#sign(this.#toBeSigned({ key, ...validity, subject: nameOf("timestamps"), serial, extensions }));
  }

  get issuerName(): Buffer {
    return nameOf(this.name);
  }

  #selfSigned(notBefore: Date): Buffer {
    const extensions = [
      extension("2.5.29.19", sequence(boolean(true)), true),
      extension("2.5.29.15", bits(Buffer.from([0x06]), 1), true),
      extension("2.5.29.14", octets(keyId(this.keys))),
    ];
    const validity = { notBefore, notAfter: minutesAfter(notBefore, 60 * 24 * 3650) };
    const fields = { key: spki(this.keys), ...validity, subject: this.issuerName, serial: randomBytes(8), extensions };
    return this.#sign(this.#toBeSigned(fields));
  }

  #toBeSigned(fields: {
    readonly key: Buffer;
    readonly notBefore: Date;
    readonly notAfter: Date;
    readonly subject: Buffer;
    readonly serial: Buffer;
    readonly extensions: readonly Buffer[];
  }): Buffer {
    return sequence(
      explicit(0, integer(2)),
      integer(fields.serial),
      SIGNATURE_ALGORITHM,
      this.issuerName,
      sequence(utcTime(fields.notBefore), utcTime(fields.notAfter)),
      fields.subject,
      fields.key,
      explicit(3, sequence(...fields.extensions)),
    );
  }

  #sign(toBeSigned: Buffer): Buffer {
    return sequence(toBeSigned, SIGNATURE_ALGORITHM, bits(sign("sha256", toBeSigned, this.keys.privateKey)));
  }
}

export function minutesAfter(date: Date, minutes: number): Date {
  return new Date(date.getTime() + minutes * 60_000);
}

const nameOf = (text: string) => sequence(set(sequence(oid("2.5.4.3"), utf8(text))));
const keyId = (keys: Keys) => sha256(spki(keys)).subarray(0, 20);

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

/** The promise of a log to contain a certificate: https://www.rfc-editor.org/rfc/rfc6962#section-3.2 */
function certificateTimestamp(log: Keys, issuer: Keys, toBeSigned: Buffer, date: Date): Buffer {
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(date.getTime()));
  const certificate = Buffer.concat([Buffer.from([0, toBeSigned.length >> 8, toBeSigned.length & 0xff]), toBeSigned]);
  const signed = Buffer.concat([
    Buffer.from([0, 0]),
    timestamp,
    Buffer.from([0, 1]),
    sha256(spki(issuer)),
    certificate,
    Buffer.from([0, 0]),
  ]);
  const signature = sign("sha256", signed, log.privateKey);
  const algorithm = Buffer.from([4, 3]);
  return Buffer.concat([
    Buffer.from([0]),
    sha256(spki(log)),
    timestamp,
    Buffer.from([0, 0]),
    algorithm,
    withLength(signature),
  ]);
}

function withLength(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([content.length >> 8, content.length & 0xff]), content]);
}
