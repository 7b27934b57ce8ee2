/** Makes certificates of service principals. */
import "reflect-metadata";
import { createPrivateKey } from "node:crypto";
import { X509CertificateGenerator } from "@peculiar/x509";

/** Returns a new certificate and its key as PEM, with a password also the encrypted key. */
export async function selfSigned(
  password: string,
): Promise<{ certificate: string; key: string; encryptedKey: string }> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=deployer",
    keys,
    signingAlgorithm: algorithm,
  });
  const key = createPrivateKey({
    key: Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
    format: "der",
    type: "pkcs8",
  });
  const pem = { type: "pkcs8", format: "pem" } as const;
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: key.export(pem).toString(),
    encryptedKey: password ? key.export({ ...pem, cipher: "aes-256-cbc", passphrase: password }).toString() : "",
  };
}
