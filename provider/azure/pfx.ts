/** Opens PFX files (PKCS #12) with node-forge, since Node.js cannot list what they contain. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { asn1, pkcs12, pki } from "node-forge";

/** The content of a certificate file. */
export interface CertificateFile {
  readonly key: KeyObject | undefined;
  /** Those of the issuers too, in any order. */
  readonly certificates: readonly X509Certificate[];
}

/** Why a certificate file cannot be opened. */
export type Unopened = "unknown form" | "unsupported cipher" | "needs a password" | "wrong password";

/** Opens a PFX file as Windows, Key Vault and `openssl pkcs12 -export` write it. */
export function openPfx(file: Buffer, password: string): CertificateFile | Unopened {
  const { asn1, pki } = forge();
  try {
    const bags = decrypt(asn1.fromDer(file.toString("latin1")), password).safeContents.flatMap((safe) => safe.safeBags);
    const keys = bags.flatMap(({ key }) => (key ? [createPrivateKey(pki.privateKeyToPem(key))] : []));
    const certificates = bags
      .filter(({ type }) => type === pki.oids.certBag)
      // node-forge does not parse certificates other than RSA ones; they are passed on as they are.
      .map((bag) => asn1.toDer(bag.cert ? signedForm(bag.cert) : bag.asn1).getBytes())
      .map((der) => new X509Certificate(Buffer.from(der, "latin1")));
    return { key: keys[0], certificates };
  } catch (error) {
    const { message } = error as Error;
    if (/unsupported (OID|key derivation|encryption scheme|PRF|MAC)/i.test(message)) return "unsupported cipher";
    if (!/MAC could not be verified|decrypt/.test(message)) return "unknown form";
    return password ? "wrong password" : "needs a password";
  }
}

/**
 * The certificate as its issuer signed it. node-forge re-encodes the parameters of an RSASSA-PSS signature, which changes
 * the thumbprint; the signed part contains an identical copy of the algorithm (RFC 5280, 4.1.1.2).
 */
function signedForm({ tbsCertificate, signature }: pki.Certificate): asn1.Asn1 {
  const { asn1 } = forge();
  const { UNIVERSAL } = asn1.Class;
  const { SEQUENCE, BITSTRING } = asn1.Type;
  const algorithm = (tbsCertificate.value as asn1.Asn1[]).find(({ type }) => type === SEQUENCE);
  if (!algorithm) throw new Error("a certificate without a signature algorithm");
  const signatureValue = asn1.create(UNIVERSAL, BITSTRING, false, `\0${signature}`);
  return asn1.create(UNIVERSAL, SEQUENCE, true, [tbsCertificate, algorithm, signatureValue]);
}

/** A missing password differs from an empty one in PKCS #12, so both are tried where none is set. */
function decrypt(file: asn1.Asn1, password: string): pkcs12.Pkcs12Pfx {
  try {
    return decryptAs(file, password);
  } catch (error) {
    if (password || !isMacRefused(error)) throw error;
    return decryptAs(file, undefined);
  }
}

function decryptAs(file: asn1.Asn1, password: string | undefined): pkcs12.Pkcs12Pfx {
  const { pkcs12 } = forge();
  try {
    return pkcs12.pkcs12FromAsn1(file, false, password);
  } catch (error) {
    if (isMacRefused(error)) throw error;
    // The MAC and the older ciphers use the password in UTF-16, modern ciphers in UTF-8, and node-forge always the same.
    // The MAC matches, so it is dropped for the second attempt.
    const withoutMac = { ...file, value: file.value.slice(0, 2) };
    return pkcs12.pkcs12FromAsn1(withoutMac, false, Buffer.from(password ?? "", "utf8").toString("latin1"));
  }
}

function isMacRefused(error: unknown): boolean {
  return /MAC could not be verified/.test((error as Error).message);
}

/** Loaded only for a PFX file, because loading it takes time. */
function forge(): typeof import("node-forge") {
  return require("node-forge");
}
