/**
 * The certificate file of a service principal, PEM or PFX, as azure-native reads it. What is decrypted stays in memory.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { azureFailure, ImportError } from "../failure";
import type { CredentialChoice } from "./credential-choice";
import { type CertificateFile, openPfx, type Unopened } from "./pfx";
import { nameOf } from "./settings";

const PASSWORD = nameOf("clientCertificatePassword");

/** Reads the file as PEM without a password: the certificate, those of its issuers, and the key. */
export async function readClientCertificate(choice: CredentialChoice & { kind: "certificate" }): Promise<string> {
  const refuse = (reason: string, remedy: string) =>
    new ImportError(azureFailure.configurationInvalid(choice.from, `names ${choice.path}, ${reason}`, remedy));
  const file = await readFile(choice.path).catch(({ code, message }: NodeJS.ErrnoException) => {
    const reason = code === "ENOENT" ? "which does not exist" : `which cannot be read: ${code ?? message}`;
    throw refuse(reason, `correct ${choice.from}, or the file's place and permissions`);
  });
  const { password = "" } = choice;
  const opened = file.includes("-----BEGIN ") ? openPem(file.toString("utf8"), password) : openPfx(file, password);
  if (opened === "unknown form") {
    throw refuse("which is no PEM or PFX file, or a damaged one", "name a file with certificate and private key");
  }
  if (opened === "needs a password") throw refuse("which needs a password", `set ${PASSWORD}`);
  if (opened === "wrong password") throw refuse("which its password does not open", `correct ${PASSWORD}`);

  const { key, certificates } = opened;
  if (key?.asymmetricKeyType !== "rsa") {
    throw refuse("which holds no RSA private key", "export the certificate together with its private key");
  }
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (!own) {
    throw refuse("which holds no certificate for its private key", "put the certificate and its key into one file");
  }
  // Entra is told the first one's thumbprint.
  const chain = [own, ...certificates.filter((certificate) => certificate !== own)];
  return [...chain.map(String), key.export({ type: "pkcs8", format: "pem" })].join("");
}

function openPem(text: string, password: string): CertificateFile | Unopened {
  const [key] = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----/s.exec(text) ?? [];
  const certificates = text.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
  try {
    return {
      key: key === undefined ? undefined : createPrivateKey({ key, passphrase: password }),
      certificates: certificates.map((certificate) => new X509Certificate(certificate)),
    };
  } catch {
    if (!key?.includes("ENCRYPTED")) return "unknown form";
    return password ? "wrong password" : "needs a password";
  }
}
