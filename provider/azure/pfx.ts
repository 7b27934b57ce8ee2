import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { asn1, pkcs12, pki } from "node-forge";

/** What a certificate file holds. */
export interface CertificateFile {
  readonly key: KeyObject | undefined;
  /** Also those of the issuers, in any order. */
  readonly certificates: readonly X509Certificate[];
}

/** Why a certificate file cannot be opened. */
export type Unopened = "unknown form" | "unsupported cipher" | "needs a password" | "wrong password";

/** Opens a PFX file (PKCS#12), as Windows, Key Vault and `openssl pkcs12 -export` write it. */
export function openPfx(file: Buffer, password: string): CertificateFile | Unopened {
  const { asn1, pki } = forge();
  try {
    const bags = decrypt(asn1.fromDer(file.toString("latin1")), password).safeContents.flatMap((safe) => safe.safeBags);
    const keys = bags.flatMap(({ key }) => (key ? [createPrivateKey(pki.privateKeyToPem(key))] : []));
    const certificates = bags
      .filter(({ type }) => type === pki.oids.certBag)
      // A certificate of another kind than RSA is not understood, and handed on as it is.
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
 * The certificate as its issuer signed it. node-forge would write the parameters of an RSASSA-PSS signature its own
 * way, which changes the thumbprint; the signed part repeats the algorithm with them, word for word (RFC 5280, 4.1.1.2).
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

/** A password is UTF-16 to the MAC and to the old ciphers, UTF-8 to those of today; and none is not the empty one. */
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
    // node-forge spells the password in one way for all. The MAC is right: without it only the ciphers are asked.
    const withoutMac = { ...file, value: file.value.slice(0, 2) };
    return pkcs12.pkcs12FromAsn1(withoutMac, false, Buffer.from(password ?? "", "utf8").toString("latin1"));
  }
}

function isMacRefused(error: unknown): boolean {
  return /MAC could not be verified/.test((error as Error).message);
}

/** Loaded for a PFX file alone, like the Azure SDK for Azure alone. */
function forge(): typeof import("node-forge") {
  return require("node-forge");
}
