/** Signatures in cosign's first form: a layer is what was signed, its annotations are the signature. */
import { createHash, X509Certificate } from "node:crypto";
import { isObject } from "../json";
import type { LayerDescriptor } from "./candidate";
import type { CertifiedSignature, CosignSignature } from "./cosign-signature";
import { Rejection } from "./rejection";
import { sigstoreBundle } from "./sigstore";
import { parseStrictJson } from "./strict-json";

/** https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
export const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";

const SIGNATURE = "dev.cosignproject.cosign/signature";
const CERTIFICATE = "dev.sigstore.cosign/certificate";
const LOG_ENTRY = "dev.sigstore.cosign/bundle";
const TIMESTAMP = "dev.sigstore.cosign/rfc3161timestamp";

/** Reads a signature from a layer and its annotations. */
export function readSimpleSigning({ annotations }: LayerDescriptor, payload: Buffer): CosignSignature {
  const encoded = annotations[SIGNATURE];
  if (encoded === undefined) throw new Rejection(`has no annotation ${SIGNATURE}`);
  const signature = decodeBase64(encoded, `the annotation ${SIGNATURE}`);
  const certificate = annotations[CERTIFICATE];
  return {
    digests: [readDigest(payload)],
    signed: payload,
    signature,
    ...(certificate && { certified: () => asBundle(annotations, certificate, payload, signature) }),
  };
}

function readDigest(payload: Buffer): string {
  const content = parseStrictJson(payload);
  const critical = isObject(content) ? content.critical : undefined;
  if (!isObject(critical) || critical.type !== "cosign container image signature") {
    throw new Rejection("has a payload that is not the JSON of a cosign signature");
  }
  const digest = isObject(critical.image) ? critical.image["docker-manifest-digest"] : undefined;
  if (typeof digest !== "string") throw new Rejection("has a payload without a digest");
  return digest;
}

/**
 * Certificate, log entry and timestamp as the bundle that cosign writes today. The annotation with the certificate's chain
 * is not needed: the trusted root has the intermediate certificates.
 */
function asBundle(
  annotations: Readonly<Record<string, string>>,
  certificate: string,
  payload: Buffer,
  signature: Buffer,
): CertifiedSignature {
  const logEntry = annotations[LOG_ENTRY];
  const timestamp = annotations[TIMESTAMP];
  const bundle = sigstoreBundle().bundleFromJSON({
    mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: readCertificate(certificate) }] },
      tlogEntries: logEntry ? [readLogEntry(logEntry)] : [],
      timestampVerificationData: { rfc3161Timestamps: timestamp ? [readTimestamp(timestamp)] : [] },
    },
    messageSignature: {
      messageDigest: { algorithm: "SHA2_256", digest: createHash("sha256").update(payload).digest("base64") },
      signature: signature.toString("base64"),
    },
  });
  return { bundle, artifact: payload };
}

function readCertificate(pem: string): string {
  try {
    return new X509Certificate(pem).raw.toString("base64");
  } catch {
    throw new Rejection("has a certificate that cannot be decoded");
  }
}

/** An entry of Rekor as cosign stores it: https://github.com/sigstore/cosign/blob/main/pkg/cosign/bundle/rekor.go */
function readLogEntry(json: string): unknown {
  const entry = parseStrictJson(Buffer.from(json));
  const { Payload: content, SignedEntryTimestamp: promise } = isObject(entry) ? entry : {};
  const { body, integratedTime, logIndex, logID } = isObject(content) ? content : {};
  const kind = parseStrictJson(Buffer.from(String(body), "base64"));
  if (!isObject(kind) || typeof logID !== "string") throw new Rejection("has a log entry that cannot be decoded");
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, "hex").toString("base64") },
    kindVersion: { kind: kind.kind, version: kind.apiVersion },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: promise },
    canonicalizedBody: body,
  };
}

function readTimestamp(json: string): unknown {
  const timestamp = parseStrictJson(Buffer.from(json));
  if (!isObject(timestamp) || typeof timestamp.SignedRFC3161Timestamp !== "string") {
    throw new Rejection("has a timestamp that cannot be decoded");
  }
  return { signedTimestamp: timestamp.SignedRFC3161Timestamp };
}

function decodeBase64(text: string, what: string): Buffer {
  if (text === "" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new Rejection(`has no valid base64 in ${what}`);
  }
  return Buffer.from(text, "base64");
}
