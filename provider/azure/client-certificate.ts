/**
 * The certificate file of a service principal, PEM or PFX, as azure-native reads it. What is decrypted stays in memory.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { azureFailure, ImportError } from "../failure/failure";
import type { CredentialChoice } from "./credential-choice";
import { type CertificateFile, openPfx, type Unopened } from "./pfx";
import { nameOf } from "./settings";

const PASSWORD = nameOf("clientCertificatePassword");

const LARGEST = 1_000_000;

/** The reason and the remedy. */
const REFUSALS: Readonly<Record<Unopened, readonly [string, string]>> = {
  "unknown form": ["which is no PEM or PFX file, or a damaged one", "name a file with certificate and private key"],
  "unsupported cipher": [
    "which uses a cipher that is not supported",
    "write it anew with `openssl pkcs12 -export`, without the option of a cipher",
  ],
  "needs a password": ["which needs a password", `set ${PASSWORD}`],
  "wrong password": ["which its password does not open", `correct ${PASSWORD}`],
};

/** Reads the file as PEM without a password: the certificate, those of its issuers, and the key. */
export async function readClientCertificate(choice: CredentialChoice & { kind: "certificate" }): Promise<string> {
  const refuse = (reason: string, remedy: string) =>
    new ImportError(azureFailure.configurationInvalid(choice.from, `names ${choice.path}, ${reason}`, remedy));
  const unreadable = ({ code, message }: NodeJS.ErrnoException) => {
    const reason = code === "ENOENT" ? "which does not exist" : `which cannot be read: ${code ?? message}`;
    throw refuse(reason, `correct ${choice.from}, or the file's place and permissions`);
  };
  // Asked before: to open a named pipe waits for its writer.
  const found = await stat(choice.path).catch(unreadable);
  if (!found.isFile()) throw refuse("which is no regular file", "name a file with certificate and private key");
  if (found.size > LARGEST) throw refuse("which is larger than 1 MB", "name a file with certificate and private key");
  const file = await readFile(choice.path).catch(unreadable);
  const { password = "" } = choice;
  const opened = file.includes("-----BEGIN ") ? openPem(file.toString("utf8"), password) : openPfx(file, password);
  if (typeof opened === "string") throw refuse(...REFUSALS[opened]);

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
  const key = openPemKey(text, password);
  if (typeof key === "string") return key;
  // OpenSSL's older label, and the one of `openssl x509 -trustout`, hold the same certificate.
  const certificates = text.matchAll(/-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----.+?-----END \1-----/gs);
  try {
    return { key, certificates: [...certificates].map(([certificate]) => new X509Certificate(certificate)) };
  } catch {
    return "unknown form";
  }
}

function openPemKey(text: string, passphrase: string): KeyObject | undefined | Unopened {
  const [key] = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----/s.exec(text) ?? [];
  if (key === undefined) return undefined;
  try {
    return createPrivateKey({ key, passphrase });
  } catch (error) {
    if (!key.includes("ENCRYPTED")) return "unknown form";
    if ((error as NodeJS.ErrnoException).code === "ERR_OSSL_EVP_UNSUPPORTED") return "unsupported cipher";
    return passphrase ? "wrong password" : "needs a password";
  }
}
