import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { asn1, pkcs12 } from "node-forge";

/** What a certificate file holds. */
export interface CertificateFile {
  readonly key: KeyObject | undefined;
  /** Also those of the issuers, in any order. */
  readonly certificates: readonly X509Certificate[];
}

/** Why a certificate file cannot be opened. */
export type Unopened = "unknown form" | "needs a password" | "wrong password";

/** Opens a PFX file (PKCS#12), as Windows, Key Vault and `openssl pkcs12 -export` write it. */
export function openPfx(file: Buffer, password: string): CertificateFile | Unopened {
  const { asn1, pki } = forge();
  try {
    const bags = decrypt(asn1.fromDer(file.toString("latin1")), password).safeContents.flatMap((safe) => safe.safeBags);
    const keys = bags.flatMap(({ key }) => (key ? [createPrivateKey(pki.privateKeyToPem(key))] : []));
    const certificates = bags
      .filter(({ type }) => type === pki.oids.certBag)
      // A certificate of another kind than RSA is not understood, and handed on as it is.
      .map((bag) => asn1.toDer(bag.cert ? pki.certificateToAsn1(bag.cert) : bag.asn1).getBytes())
      .map((der) => new X509Certificate(Buffer.from(der, "latin1")));
    return { key: keys[0], certificates };
  } catch (error) {
    if (!/MAC could not be verified|decrypt/.test((error as Error).message)) return "unknown form";
    return password ? "wrong password" : "needs a password";
  }
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
