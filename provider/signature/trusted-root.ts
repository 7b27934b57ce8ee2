/** Reads a trusted root that the user passes: the certificates and log keys of a Sigstore deployment. */
import { createPublicKey, X509Certificate } from "node:crypto";
import { isObject, parseJson } from "../json";
import { InvalidReference } from "../reference/invalid-reference";

/** The JSON of a trusted root: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto */
export type TrustedRootJson = Readonly<Record<string, unknown>>;

/**
 * Checks a trusted root, without loading Sigstore's packages: arguments are parsed in every run.
 *
 * @param value - `trusted_root.json` as text or as an object.
 * @throws InvalidReference with the reason.
 */
export function parseTrustedRoot(value: unknown): TrustedRootJson {
  const root = typeof value === "string" ? parseJson(value) : value;
  if (!isObject(root)) {
    throw new InvalidReference(
      typeof value === "string"
        ? "is not valid JSON"
        : "must be the content of a trusted_root.json, as text or as an object",
    );
  }
  const [authorities, timestampAuthorities] = [
    objects(root.certificateAuthorities),
    objects(root.timestampAuthorities),
  ];
  const [logs, certificateLogs] = [objects(root.tlogs), objects(root.ctlogs)];
  if (authorities.length === 0) throw new InvalidReference("must have certificateAuthorities");
  if (logs.length + timestampAuthorities.length === 0) {
    throw new InvalidReference("must have tlogs or timestampAuthorities: one of them tells the time of a signature");
  }
  for (const { certChain } of [...authorities, ...timestampAuthorities]) {
    if (!isChain(certChain)) {
      throw new InvalidReference("must have a valid certChain for each certificate and timestamp authority");
    }
  }
  for (const { publicKey } of [...logs, ...certificateLogs]) {
    if (!isLogKey(publicKey)) throw new InvalidReference("must have a valid publicKey for each log");
  }
  return root;
}

function isChain(chain: unknown): boolean {
  const certificates = isObject(chain) ? objects(chain.certificates) : [];
  return (
    certificates.length > 0 &&
    certificates.every(({ rawBytes }) => canRead(rawBytes, (der) => new X509Certificate(der)))
  );
}

function isLogKey(publicKey: unknown): boolean {
  const encodings = ["spki", "pkcs1"] as const;
  return (
    isObject(publicKey) &&
    encodings.some((type) => canRead(publicKey.rawBytes, (key) => createPublicKey({ key, format: "der", type })))
  );
}

function canRead(base64: unknown, read: (bytes: Buffer) => unknown): boolean {
  try {
    return typeof base64 === "string" && read(Buffer.from(base64, "base64")) !== undefined;
  } catch {
    return false;
  }
}

function objects(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
