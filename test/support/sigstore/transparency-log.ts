/** A transparency log, as Rekor of a Sigstore deployment in its two versions. */
import { generateKeyPairSync, sign } from "node:crypto";
import { type Keys, newKeys, sha256, spki } from "./certificate-authority";

/** What the log stores about a signature. */
export interface LoggedSignature {
  readonly signature: Buffer;
  /** The key or certificate of the signer, as PEM and as DER. */
  readonly verifier: { readonly pem: string; readonly der: Buffer };
}

/** An entry as JSON of a bundle. */
export interface LogEntry {
  logIndex: string;
  logId: { keyId: string };
  kindVersion: { kind: string; version: string };
  integratedTime: string;
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof: {
    logIndex: string;
    rootHash: string;
    treeSize: string;
    hashes: string[];
    checkpoint: { envelope: string };
  };
  canonicalizedBody: string;
}

const HOST = "rekor.example";
const base64 = (bytes: Buffer) => bytes.toString("base64");

export class TransparencyLog {
  readonly keys: Keys = newKeys();
  /** The keys of version 2. */
  readonly tileKeys: Keys = generateKeyPairSync("ed25519");
  readonly url = `https://${HOST}`;
  readonly tileUrl = `https://tiles.${HOST}`;

  /** A statement in an envelope: https://github.com/sigstore/rekor/tree/main/pkg/types/dsse */
  logEnvelope(payload: Buffer, { signature, verifier }: LoggedSignature, date: Date): LogEntry {
    return this.#entry("dsse", date, {
      envelopeHash: { algorithm: "sha256", value: sha256(payload, signature).toString("hex") },
      payloadHash: { algorithm: "sha256", value: sha256(payload).toString("hex") },
      signatures: [{ signature: base64(signature), verifier: base64(Buffer.from(verifier.pem)) }],
    });
  }

  /** Anything else: https://github.com/sigstore/rekor/tree/main/pkg/types/hashedrekord */
  logHash(artifact: Buffer, { signature, verifier }: LoggedSignature, date: Date): LogEntry {
    return this.#entry("hashedrekord", date, {
      data: { hash: { algorithm: "sha256", value: sha256(artifact).toString("hex") } },
      signature: { content: base64(signature), publicKey: { content: base64(Buffer.from(verifier.pem)) } },
    });
  }

  /** A statement in version 2, which tells no time: https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md */
  logEnvelopeV2(payload: Buffer, { signature, verifier }: LoggedSignature): LogEntry {
    const signatures = [
      {
        content: base64(signature),
        verifier: { x509Certificate: { rawBytes: base64(verifier.der) }, keyDetails: "PKIX_ECDSA_P256_SHA_256" },
      },
    ];
    const spec = { dsseV002: { payloadHash: { algorithm: "SHA2_256", digest: base64(sha256(payload)) }, signatures } };
    return this.#entryV2("dsse", spec);
  }

  /** The same, as later servers store it: by the hash of what is signed. */
  logHashV2(signed: Buffer, { signature, verifier }: LoggedSignature): LogEntry {
    const certificate = { x509Certificate: { rawBytes: base64(verifier.der) }, keyDetails: "PKIX_ECDSA_P256_SHA_256" };
    const data = { algorithm: "SHA2_256", digest: base64(sha256(signed)) };
    const spec = { hashedRekordV002: { data, signature: { content: base64(signature), verifier: certificate } } };
    return this.#entryV2("hashedrekord", spec);
  }

  #entry(kind: string, date: Date, spec: object): LogEntry {
    const body = Buffer.from(JSON.stringify({ apiVersion: "0.0.1", kind, spec }));
    const logId = sha256(spki(this.keys));
    const integratedTime = Math.floor(date.getTime() / 1000);
    // In the order of RFC 8785.
    const promised = { body: base64(body), integratedTime, logID: logId.toString("hex"), logIndex: 7 };
    return {
      logIndex: "7",
      logId: { keyId: base64(logId) },
      kindVersion: { kind, version: "0.0.1" },
      integratedTime: String(integratedTime),
      inclusionPromise: {
        signedEntryTimestamp: base64(sign("sha256", Buffer.from(JSON.stringify(promised)), this.keys.privateKey)),
      },
      inclusionProof: inclusionProof(body, HOST, this.keys, "sha256"),
      canonicalizedBody: base64(body),
    };
  }

  #entryV2(kind: string, spec: object): LogEntry {
    const body = Buffer.from(JSON.stringify({ apiVersion: "0.0.2", kind, spec }));
    return {
      logIndex: "0",
      logId: { keyId: base64(sha256(spki(this.tileKeys))) },
      kindVersion: { kind, version: "0.0.2" },
      integratedTime: "0",
      inclusionProof: inclusionProof(body, `tiles.${HOST}`, this.tileKeys, null),
      canonicalizedBody: base64(body),
    };
  }
}

/** In a log of two entries, of which this is the second: https://www.rfc-editor.org/rfc/rfc6962#section-2.1.1 */
function inclusionProof(body: Buffer, name: string, keys: Keys, hash: string | null): LogEntry["inclusionProof"] {
  const sibling = sha256(Buffer.from("another entry"));
  const root = sha256(Buffer.from([1]), sibling, sha256(Buffer.from([0]), body));
  const note = `${name} - 1\n2\n${base64(root)}\n`;
  const signature = Buffer.concat([sha256(spki(keys)).subarray(0, 4), sign(hash, Buffer.from(note), keys.privateKey)]);
  const envelope = `${note}\n\u2014 ${name} ${base64(signature)}\n`;
  return { logIndex: "1", rootHash: base64(root), treeSize: "2", hashes: [base64(sibling)], checkpoint: { envelope } };
}
