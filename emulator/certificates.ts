/** The certificate authority that signs the certificates of the emulated hosts. */
import "reflect-metadata";
import { KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 24 * 60 * 60 * 1000;

/** A certificate authority. Its private key never leaves memory. */
export interface CertificateAuthority {
  /** The public certificate, PEM. */
  readonly certificate: string;
  /** The TLS context of a server with a certificate for `host`. */
  contextFor(host: string): Promise<SecureContext>;
}

/** Creates a certificate authority for the lifetime of the emulator. */
export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  x509.cryptoProvider.set(webcrypto);
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 30 * day) };
  const caKeys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=acr-emulator",
    ...validity,
    signingAlgorithm: algorithm,
    keys: caKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const caPem = ca.toString("pem");

  // All hosts share one key: generating one per host costs time, and their certificates differ in the name anyway.
  const hostKeys = await newKeys();
  const hostKeyPem = KeyObject.from(hostKeys.privateKey).export({ type: "pkcs8", format: "pem" });
  const contexts = new Map<string, Promise<SecureContext>>();

  async function createContext(host: string): Promise<SecureContext> {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: `CN=${host.length <= 64 ? host : "emulated host"}`,
      issuer: ca.subject,
      ...validity,
      signingAlgorithm: algorithm,
      signingKey: caKeys.privateKey,
      publicKey: hostKeys.publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: isIP(host) ? "ip" : "dns", value: host }]),
        await x509.SubjectKeyIdentifierExtension.create(hostKeys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
      ],
    });
    return createSecureContext({ key: hostKeyPem, cert: `${certificate.toString("pem")}\n${caPem}` });
  }

  return {
    certificate: caPem,
    contextFor(host) {
      const context = contexts.get(host) ?? createContext(host);
      contexts.set(host, context);
      return context;
    },
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40; // RFC 5280: positive, and DER forbids a leading zero byte
  return bytes.toString("hex");
}
