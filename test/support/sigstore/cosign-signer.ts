/** Signs images as cosign does, in each of its forms, so that a test can change any part of the result. */
import { sign } from "node:crypto";
import type { Digest } from "../../../provider/reference/digest";
import type { NewCandidate } from "../signature-candidate";
import type { Keys } from "./certificate-authority";
import type { CertifiedSigner, SigstoreDeployment } from "./deployment";
import type { LogEntry } from "./transparency-log";

export const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";
export const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
export const SIGNATURE_ARTIFACT = "application/vnd.dev.cosign.artifact.sig.v1+json";

const base64 = (bytes: Buffer) => bytes.toString("base64");

/** The payload of simple signing. */
export function payloadFor(digest: string): string {
  return JSON.stringify({
    critical: {
      identity: { "docker-reference": "ghcr.io/owner/app" },
      image: { "docker-manifest-digest": digest },
      type: "cosign container image signature",
    },
    optional: null,
  });
}

/** The in-toto statement of a bundle. */
export function statementFor(digest: string, predicateType = "https://sigstore.dev/cosign/sign/v1"): string {
  return JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { [digest.split(":")[0] ?? ""]: digest.split(":")[1] } }],
    predicateType,
    predicate: {},
  });
}

/** What is signed of a statement: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md */
export function preAuthEncoding(payload: string, payloadType = "application/vnd.in-toto+json"): Buffer {
  const length = Buffer.byteLength(payload);
  return Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${length} ${payload}`);
}

/** A signature with ECDSA and SHA-256, or the hash function of another key. */
export function signBytes(keys: Keys, bytes: Buffer | string, hash: string | null = "sha256"): Buffer {
  return sign(hash, Buffer.from(bytes), keys.privateKey);
}

/** The JSON of a bundle, all of whose parts a test may replace. */
export interface BundleJson {
  mediaType: string;
  verificationMaterial: {
    publicKey?: { hint: string };
    certificate?: { rawBytes: string };
    tlogEntries?: LogEntry[];
    timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  dsseEnvelope?: { payload: string; payloadType: string; signatures: { sig: string; keyid?: string }[] };
  messageSignature?: { messageDigest: { algorithm: string; digest: string }; signature: string };
}

export function bundleByKey(keys: Keys, statement: string, hash: string | null = "sha256"): BundleJson {
  const signature = signBytes(keys, preAuthEncoding(statement), hash);
  return { mediaType: BUNDLE, verificationMaterial: { publicKey: { hint: "" } }, ...envelope(statement, signature) };
}

/** How the time of signing is proven: by the log's promise, by its second version and a timestamp, or by a timestamp alone. */
export type Proof = "log" | "tiles" | "tiles, by hash" | "timestamp";

export function bundleByCertificate(
  deployment: SigstoreDeployment,
  signer: CertifiedSigner,
  statement: string,
  at: Date,
  proof: Proof = "log",
): BundleJson {
  const signed = preAuthEncoding(statement);
  const signature = signBytes(signer.keys, signed);
  const logged = { signature, verifier: signer.certificate };
  const { log, timestamps } = deployment;
  const entries: Readonly<Record<Proof, () => LogEntry[]>> = {
    log: () => [log.logEnvelope(Buffer.from(statement), logged, at)],
    tiles: () => [log.logEnvelopeV2(Buffer.from(statement), logged)],
    "tiles, by hash": () => [log.logHashV2(signed, logged)],
    timestamp: () => [],
  };
  const rfc3161Timestamps = proof === "log" ? [] : [{ signedTimestamp: base64(timestamps.timestamp(signature, at)) }];
  return {
    mediaType: BUNDLE,
    verificationMaterial: {
      certificate: { rawBytes: base64(signer.certificate.der) },
      tlogEntries: entries[proof](),
      timestampVerificationData: { rfc3161Timestamps },
    },
    ...envelope(statement, signature),
  };
}

/** The annotations of a simple signing layer that was signed with a certificate. */
export function annotationsByCertificate(
  deployment: SigstoreDeployment,
  signer: CertifiedSigner,
  payload: string,
  at: Date,
): Record<string, string> {
  const signature = signBytes(signer.keys, payload);
  const entry = deployment.log.logHash(Buffer.from(payload), { signature, verifier: signer.certificate }, at);
  return {
    "dev.cosignproject.cosign/signature": base64(signature),
    "dev.sigstore.cosign/certificate": signer.certificate.pem,
    "dev.sigstore.cosign/bundle": logAnnotation(entry),
  };
}

/** A log entry as cosign writes it into an annotation. */
export function logAnnotation({
  canonicalizedBody,
  integratedTime,
  logIndex,
  logId,
  inclusionPromise,
}: LogEntry): string {
  return JSON.stringify({
    SignedEntryTimestamp: inclusionPromise?.signedEntryTimestamp,
    Payload: {
      body: canonicalizedBody,
      integratedTime: Number(integratedTime),
      logIndex: Number(logIndex),
      logID: Buffer.from(logId.keyId, "base64").toString("hex"),
    },
  });
}

/** A bundle as a referrer of an image. */
export function bundleReferrer(subject: Digest, bundle: BundleJson | string): NewCandidate {
  const content = typeof bundle === "string" ? bundle : JSON.stringify(bundle);
  const configType = "application/vnd.oci.empty.v1+json";
  return { subject, artifactType: BUNDLE, configType, layers: [{ mediaType: BUNDLE, content }] };
}

/** What cosign's tag points to. */
export function signatureTag(
  ...signatures: readonly { readonly payload: string; readonly annotations: Readonly<Record<string, string>> }[]
): NewCandidate {
  return {
    layers: signatures.map(({ payload, annotations }) => ({
      mediaType: SIMPLE_SIGNING,
      content: payload,
      annotations,
    })),
  };
}

/** One signature of cosign's tag, by a key. */
export function simpleSigning(keys: Keys, digest: string, hash: string | null = "sha256") {
  const payload = payloadFor(digest);
  return { payload, annotations: { "dev.cosignproject.cosign/signature": base64(signBytes(keys, payload, hash)) } };
}

function envelope(statement: string, signature: Buffer): Required<Pick<BundleJson, "dsseEnvelope">> {
  const payload = base64(Buffer.from(statement));
  return {
    dsseEnvelope: { payload, payloadType: "application/vnd.in-toto+json", signatures: [{ sig: base64(signature) }] },
  };
}
