/** Signatures in the form of cosign 3: a layer is a Sigstore bundle, which contains a signed in-toto statement. */
import { isObject } from "../json";
import type { CosignSignature } from "./cosign-signature";
import { Rejection } from "./rejection";
import { sigstoreBundle, sigstoreCore } from "./sigstore";
import { parseStrictJson } from "./strict-json";

/** How the media types of all versions begin: https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md */
export const BUNDLE_PREFIX = "application/vnd.dev.sigstore.bundle";

/** Both spellings of version 0.3. cosign does not accept an older one for an image either. */
const BUNDLE_TYPES: readonly unknown[] = [`${BUNDLE_PREFIX}.v0.3+json`, `${BUNDLE_PREFIX}+json;version=0.3`];

const STATEMENT_TYPES: readonly unknown[] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/**
 * The statement that an image was signed; any other one is an attestation, which may as well say that an image is bad.
 * `cosign verify` of cosign 3 counts them all: https://github.com/sigstore/cosign/blob/main/cmd/cosign/cli/verify/verify.go
 */
const SIGNED = "https://sigstore.dev/cosign/sign/v1";

/** Reads a signature from a bundle. */
export function readSigstoreBundle(bytes: Buffer): CosignSignature {
  const json = parseStrictJson(bytes);
  if (!isObject(json)) throw new Rejection("has a bundle that is not valid JSON, or repeats a key");
  if (!BUNDLE_TYPES.includes(json.mediaType)) throw new Rejection(`has a bundle of the type ${json.mediaType}`);
  const bundle = sigstoreBundle().bundleFromJSON(json);
  if (bundle.content.$case !== "dsseEnvelope") throw new Rejection("has a bundle without a statement");

  const { payloadType, payload, signatures } = bundle.content.dsseEnvelope;
  const digests = readStatement(payloadType, payload);
  const hasCertificate = bundle.verificationMaterial.content.$case !== "publicKey";
  return {
    digests,
    signed: sigstoreCore().dsse.preAuthEncoding(payloadType, payload),
    // Exactly one: the packages refuse a bundle with any other number.
    signature: signatures[0]?.sig ?? Buffer.alloc(0),
    ...(hasCertificate && { certified: () => ({ bundle }) }),
  };
}

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
function readStatement(payloadType: string, payload: Buffer): readonly string[] {
  const statement = parseStrictJson(payload);
  const isStatement =
    payloadType === "application/vnd.in-toto+json" && isObject(statement) && STATEMENT_TYPES.includes(statement._type);
  if (!isStatement) throw new Rejection("has a bundle that contains no in-toto statement");
  const { predicateType, subject } = statement;
  if (predicateType !== SIGNED) throw new Rejection(`is an attestation (${predicateType}), not a signature`);
  return (Array.isArray(subject) ? subject : [])
    .filter(isObject)
    .flatMap(({ digest }) =>
      isObject(digest) ? Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`) : [],
    );
}
