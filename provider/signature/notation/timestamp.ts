/** Timestamps that prove when a signature existed: https://www.rfc-editor.org/rfc/rfc3161 */
import { createHash } from "node:crypto";
import { parsing, quoted, Rejection } from "../rejection";
import { type Certificate, nameOf } from "./certificate";
import { checkChain, findChain, invalidDuring } from "./chain";
import { algorithmOf, type Der, Fields, HASHES, isSequence, listOf, octets, parseDer } from "./der";
import { parseSignedData, type SignedData, verifySignedData } from "./signed-data";

/** The period in which the signature was timestamped: a moment, widened by the accuracy of the clock. */
export interface Timestamp {
  readonly earliest: Date;
  readonly latest: Date;
}

const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
const SIGNING_TIME = "1.2.840.113549.1.9.5";
/** Promises an accuracy of one second: https://www.rfc-editor.org/rfc/rfc3628#section-5.2 */
const BASELINE_POLICY = "0.4.0.2023.1.1";

/** Verifies that a timestamp is over these bytes and by an authority below one of the roots. */
export function verifyTimestamp(token: Buffer, signature: Buffer, roots: readonly Certificate[]): Timestamp {
  const [signedData, info] = parsing("a timestamp", () => {
    const data = parseSignedData(token);
    if (data.contentType !== TST_INFO) throw new Error("its content is not a TSTInfo");
    return [data, readInfo(data.content)] as const;
  });
  if (info.hash === undefined)
    throw new Rejection("has a timestamp with a hash other than SHA-256, SHA-384 and SHA-512");
  if (!createHash(info.hash).update(signature).digest().equals(info.hashedMessage)) {
    throw new Rejection("has a timestamp of another signature");
  }

  const leaf = parsing("a timestamp", () => findSigner(signedData));
  verifySignedData(signedData, leaf);
  const chain = findChain(leaf, signedData.certificates, roots);
  if (chain === undefined) {
    throw new Rejection(
      `has a timestamp by ${quoted(nameOf(leaf))}, which no certificate of trustStore.tsa has issued`,
    );
  }
  checkChain(chain, "timestamping");
  for (const time of [info.time, signingTimeOf(signedData)]) {
    const invalid = time && invalidDuring(chain, time, time);
    if (invalid) throw new Rejection(`has a timestamp outside the validity of ${quoted(nameOf(invalid))}`);
  }
  return {
    earliest: new Date(info.time.getTime() - info.accuracy),
    latest: new Date(info.time.getTime() + info.accuracy),
  };
}

/** https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2 */
function readInfo(content: Buffer) {
  const fields = new Fields(parseDer(content));
  if (fields.next().toInteger() !== 1n) throw new Error("its version is not 1");
  const policy = fields.next().toOID();
  const imprint = new Fields(fields.next());
  const hash = HASHES[algorithmOf(imprint.next())];
  const hashedMessage = octets(imprint.next());
  fields.next(); // serial number
  const time = readTime(fields.next());
  const accuracy = fields.optional(isSequence);
  return {
    hash,
    hashedMessage,
    time,
    accuracy: accuracy ? readAccuracy(accuracy) : policy === BASELINE_POLICY ? 1000 : 0,
  };
}

/** Fractions of a second can have any number of digits. */
function readTime({ tag, value }: Der): Date {
  const time = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(value.toString("latin1"));
  const [, year, month, day, hour, minute, second, fraction = ""] = time ?? [];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`);
  if (!tag.isGeneralizedTime() || Number.isNaN(date.getTime())) throw new Error("its time is malformed");
  return date;
}

/** Milliseconds, rounded up. */
function readAccuracy(accuracy: Der): number {
  const fields = new Fields(accuracy);
  const seconds = fields.optional(({ tag }) => tag.isInteger());
  const parts = [seconds, fields.tagged(0), fields.tagged(1)].map((part) => readNumber(part));
  const [inSeconds = 0, milliseconds = 0, microseconds = 0] = parts;
  return inSeconds * 1000 + milliseconds + Math.ceil(microseconds / 1000);
}

/** A non-negative integer, whatever its tag. */
function readNumber(part: Der | undefined): number {
  if (part === undefined) return 0;
  const { value } = part;
  if (value.length === 0 || value.length > 4 || value.readInt8(0) < 0) throw new Error("its accuracy is malformed");
  return value.readUIntBE(0, value.length);
}

/**
 * The certificate of the signer, which the signed attribute identifies by its hash: https://www.rfc-editor.org/rfc/rfc5816
 */
function findSigner({ certificates, signer }: SignedData): Certificate {
  const attribute = signer.attributes.get(SIGNING_CERTIFICATE_V2);
  if (attribute === undefined) throw new Error("it lacks the signed attribute signing-certificate-v2");
  const [first] = listOf(new Fields(attribute).next());
  if (first === undefined) throw new Error("its signed attribute signing-certificate-v2 is empty");
  const fields = new Fields(first);
  const algorithm = fields.optional(isSequence);
  const hash = algorithm ? HASHES[algorithmOf(algorithm)] : "sha256";
  const digest = octets(fields.next());
  if (hash === undefined) throw new Error("its hash is not SHA-256, SHA-384 or SHA-512");
  const found = certificates.find(({ der }) => createHash(hash).update(der).digest().equals(digest));
  if (found === undefined) throw new Error("it does not contain the certificate of its signer");
  return found;
}

function signingTimeOf({ signer }: SignedData): Date | undefined {
  return signer.attributes.get(SIGNING_TIME)?.toDate();
}
