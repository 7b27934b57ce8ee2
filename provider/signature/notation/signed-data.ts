/** CMS signed data with one signer, as timestamps use it: https://www.rfc-editor.org/rfc/rfc5652#section-5 */
import { constants, createHash, type KeyObject, type SigningOptions, verify } from "node:crypto";
import { Rejection } from "../rejection";
import { type Certificate, parseCertificate } from "./certificate";
import { MAX_CERTIFICATES } from "./chain";
import {
  algorithmOf,
  type Der,
  explicit,
  Fields,
  HASHES,
  type Hash,
  isSequence,
  octets,
  only,
  parseDer,
  setOf,
} from "./der";

/** Signed data as it is read. Nothing in it is verified. */
export interface SignedData {
  readonly contentType: string;
  readonly content: Buffer;
  readonly certificates: readonly Certificate[];
  readonly signer: Signer;
}

interface Signer {
  readonly issuerName: Buffer;
  readonly serialNumber: Buffer;
  readonly hash: Hash;
  readonly attributes: ReadonlyMap<string, Der>;
  /** The attributes in the encoding that is signed. */
  readonly signedBytes: Buffer;
  readonly signatureAlgorithm: string;
  readonly signature: Buffer;
}

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";

/** Parses signed data. Throws when it is malformed, or in a form that RFC 3161 does not permit. */
export function parseSignedData(bytes: Buffer): SignedData {
  const contentInfo = new Fields(parseDer(bytes));
  if (contentInfo.next().toOID() !== SIGNED_DATA) throw new Error("it is not signed data");
  const fields = new Fields(explicit(contentInfo.next()));
  fields.next(); // version
  fields.next(); // digest algorithms; the signer names its own
  const content = new Fields(fields.next());
  const contentType = content.next().toOID();
  const contentBytes = octets(explicit(content.next()));
  const certificates = (fields.tagged(0)?.subs ?? []).filter(isSequence);
  if (certificates.length > MAX_CERTIFICATES) throw new Error(`it has more than ${MAX_CERTIFICATES} certificates`);
  fields.tagged(1); // revocation lists
  return {
    contentType,
    content: contentBytes,
    certificates: certificates.map((certificate) => parseCertificate(certificate.toDER())),
    signer: readSigner(only(setOf(fields.next()), "signer")),
  };
}

function readSigner(signerInfo: Der): Signer {
  const fields = new Fields(signerInfo);
  fields.next(); // version
  const identifier = new Fields(fields.next());
  const issuerName = identifier.next().toDER();
  const serialNumber = identifier.next().value;
  const hash = HASHES[algorithmOf(fields.next())];
  if (hash === undefined) throw new Error("its hash is not SHA-256, SHA-384 or SHA-512");
  const attributes = fields.tagged(0);
  if (attributes === undefined) throw new Error("it has no signed attributes");
  return {
    issuerName,
    serialNumber,
    hash,
    attributes: readAttributes(attributes),
    signedBytes: asSet(attributes),
    signatureAlgorithm: algorithmOf(fields.next()),
    signature: octets(fields.next()),
  };
}

/** Every attribute that a timestamp needs has one value, and occurs once: https://www.rfc-editor.org/rfc/rfc5652#section-5.3 */
function readAttributes(attributes: Der): ReadonlyMap<string, Der> {
  const found = new Map<string, Der>();
  for (const attribute of attributes.subs) {
    const fields = new Fields(attribute);
    const type = fields.next().toOID();
    if (found.has(type)) throw new Error("a signed attribute occurs twice");
    found.set(type, only(setOf(fields.next()), "value of a signed attribute"));
  }
  return found;
}

/** What is signed has the tag of a SET: https://www.rfc-editor.org/rfc/rfc5652#section-5.4 */
function asSet(attributes: Der): Buffer {
  const bytes = Buffer.from(attributes.toDER());
  bytes[0] = 0x31;
  return bytes;
}

/** Verifies that the owner of the certificate signed the content. */
export function verifySignedData(
  { contentType, content, signer }: SignedData,
  { key, ...certificate }: Certificate,
): void {
  const { attributes } = signer;
  const isNamed =
    certificate.issuerName.equals(signer.issuerName) && certificate.serialNumber.equals(signer.serialNumber);
  if (!isNamed) throw new Rejection("has a timestamp that names another certificate as its signer");
  const digest = attributes.get(MESSAGE_DIGEST);
  if (attributes.get(CONTENT_TYPE)?.toOID() !== contentType || digest === undefined) {
    throw new Rejection("has a timestamp without the signed attributes content-type and message-digest");
  }
  if (!createHash(signer.hash).update(content).digest().equals(octets(digest))) {
    throw new Rejection("has a timestamp whose content was changed");
  }
  const scheme = signatureScheme(signer, key);
  if (scheme === undefined) throw new Rejection("has a timestamp with an unsupported signature algorithm");
  if (!verify(scheme.hash, signer.signedBytes, { key, ...scheme.options }, signer.signature)) {
    throw new Rejection("has a timestamp whose signature is wrong");
  }
}

interface SignatureScheme {
  readonly hash: Hash;
  readonly keyType: "rsa" | "ec";
  readonly options?: SigningOptions;
}

/** How the signature is to be verified; `undefined` when the algorithm is not supported or does not belong to the key. */
function signatureScheme(
  { signatureAlgorithm, hash }: Signer,
  { asymmetricKeyType }: KeyObject,
): SignatureScheme | undefined {
  const scheme = SCHEMES[signatureAlgorithm]?.(hash);
  return scheme?.keyType === asymmetricKeyType && scheme?.hash === hash ? scheme : undefined;
}

const rsa = (hash: Hash): SignatureScheme => ({ hash, keyType: "rsa" });
const ecdsa = (hash: Hash): SignatureScheme => ({ hash, keyType: "ec" });
const PSS: SigningOptions = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

/** By object identifier; those without a hash of their own use that of the signer. */
const SCHEMES: Readonly<Record<string, (hash: Hash) => SignatureScheme>> = {
  "1.2.840.113549.1.1.1": rsa,
  "1.2.840.113549.1.1.10": (hash) => ({ ...rsa(hash), options: PSS }),
  "1.2.840.113549.1.1.11": () => rsa("sha256"),
  "1.2.840.113549.1.1.12": () => rsa("sha384"),
  "1.2.840.113549.1.1.13": () => rsa("sha512"),
  "1.2.840.10045.4.3.2": () => ecdsa("sha256"),
  "1.2.840.10045.4.3.3": () => ecdsa("sha384"),
  "1.2.840.10045.4.3.4": () => ecdsa("sha512"),
};
