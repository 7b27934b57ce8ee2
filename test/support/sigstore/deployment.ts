/** A Sigstore deployment in this process: certificate authority, logs, timestamp authority, and the root that trusts them. */
import {
  CertificateAuthority,
  type CertificateOptions,
  type Keys,
  newKeys,
  sha256,
  spki,
} from "./certificate-authority";
import { TimestampAuthority } from "./timestamp-authority";
import { TransparencyLog } from "./transparency-log";

/** A key with a certificate that names its owner. */
export interface CertifiedSigner {
  readonly keys: Keys;
  readonly certificate: { readonly der: Buffer; readonly pem: string };
}

export type CertificateRequest = Omit<CertificateOptions, "log"> & Partial<Pick<CertificateOptions, "log">>;

const START = new Date("2026-01-01T00:00:00Z");
const base64 = (bytes: Buffer) => bytes.toString("base64");

export class SigstoreDeployment {
  readonly authority = new CertificateAuthority("certificate root", START);
  readonly certificateLog = newKeys();
  readonly log = new TransparencyLog();
  readonly timestamps = new TimestampAuthority(START);

  /** Certifies a new key; unless the options say otherwise, the certificate is in the log. */
  certify(options: CertificateRequest): CertifiedSigner {
    const keys = newKeys();
    const der = this.authority.issue(spki(keys), { log: this.certificateLog, ...options });
    return { keys, certificate: { der, pem: pemOf(der) } };
  }

  /** The JSON of https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto */
  get trustedRoot() {
    return {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [
        logJson(this.log.url, this.log.keys, "PKIX_ECDSA_P256_SHA_256"),
        logJson(this.log.tileUrl, this.log.tileKeys, "PKIX_ED25519"),
      ],
      certificateAuthorities: [authorityJson([this.authority.certificate])],
      ctlogs: [logJson("https://ct.example", this.certificateLog, "PKIX_ECDSA_P256_SHA_256")],
      timestampAuthorities: [authorityJson(this.timestamps.chain)],
    };
  }
}

function logJson(baseUrl: string, keys: Keys, keyDetails: string) {
  return {
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: base64(spki(keys)), keyDetails, validFor: { start: START.toISOString() } },
    logId: { keyId: base64(sha256(spki(keys))) },
  };
}

function authorityJson(chain: readonly Buffer[]) {
  return {
    subject: { organization: "example", commonName: "example" },
    uri: "https://authority.example",
    certChain: { certificates: chain.map((certificate) => ({ rawBytes: base64(certificate) })) },
    validFor: { start: START.toISOString() },
  };
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${base64(der)}\n-----END CERTIFICATE-----\n`;
}
