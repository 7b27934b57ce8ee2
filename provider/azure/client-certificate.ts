/**
 * The certificate file of a service principal, PEM or PFX, as azure-native reads it. Decrypted keys stay in memory.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { azureFailure } from "../failure/azure";
import { ImportError } from "../failure/failure";
import type { CredentialChoice } from "./credential-choice";
import { type CertificateFile, openPfx, type Unopened } from "./pfx";
import { nameOf } from "./settings";

const PASSWORD = nameOf("clientCertificatePassword");

const MAX_BYTES = 1_000_000;

const NAME_A_CERTIFICATE = "Use a file with the certificate and its private key";

/** The reason and the hint. */
const REASONS: Readonly<Record<Unopened, readonly [string, string]>> = {
  "unknown form": ["which is not a valid PEM or PFX file", NAME_A_CERTIFICATE],
  "unsupported cipher": [
    "which uses an unsupported cipher",
    "Export it again with `openssl pkcs12 -export`, without a cipher option",
  ],
  "needs a password": ["which requires a password", `Set ${PASSWORD}`],
  "wrong password": ["which does not open with the given password", `Correct ${PASSWORD}`],
};

/** Reads the file as PEM without a password: the certificate, those of its issuers, and the key. */
export async function readClientCertificate(choice: CredentialChoice & { kind: "certificate" }): Promise<string> {
  const invalid = (reason: string, hint: string) =>
    new ImportError(azureFailure.configurationInvalid(choice.from, `points to ${choice.path}, ${reason}`, hint));
  const unreadable = ({ code, message }: NodeJS.ErrnoException) => {
    const reason = code === "ENOENT" ? "which does not exist" : `which cannot be read: ${code ?? message}`;
    throw invalid(reason, `Check ${choice.from}, and the permissions of the file`);
  };
  // Checked first, because opening a named pipe would wait for its writer.
  const found = await stat(choice.path).catch(unreadable);
  if (!found.isFile()) throw invalid("which is not a regular file", NAME_A_CERTIFICATE);
  if (found.size > MAX_BYTES) throw invalid("which is larger than 1 MB", NAME_A_CERTIFICATE);
  const file = await readFile(choice.path).catch(unreadable);
  const { password = "" } = choice;
  const opened = file.includes("-----BEGIN ") ? openPem(file.toString("utf8"), password) : openPfx(file, password);
  if (typeof opened === "string") throw invalid(...REASONS[opened]);

  const { key, certificates } = opened;
  if (key?.asymmetricKeyType !== "rsa") {
    throw invalid("which contains no RSA private key", "Export the certificate together with its private key");
  }
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (!own) {
    throw invalid("which contains no certificate for its private key", "Put the certificate and its key into one file");
  }
  // The thumbprint of the first one is sent to Entra.
  const chain = [own, ...certificates.filter((certificate) => certificate !== own)];
  return [...chain.map(String), key.export({ type: "pkcs8", format: "pem" })].join("");
}

function openPem(text: string, password: string): CertificateFile | Unopened {
  const key = openPemKey(text, password);
  if (typeof key === "string") return key;
  // OpenSSL's older label, and that of `openssl x509 -trustout`, contain the same certificate.
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
