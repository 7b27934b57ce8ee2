/**
 * Verifies signatures of the Notary Project, as Notation makes them.
 * https://github.com/notaryproject/specifications/blob/main/specs/trust-store-trust-policy.md#signature-verification
 */
import { isObject } from "../json";
import type { Digest } from "../reference/digest";
import type { LayerDescriptor, SignatureCandidate, SignatureManifest, Verdict } from "./candidate";
import { type Certificate, nameOf, parseCertificate } from "./notation/certificate";
import { checkChain, invalidDuring } from "./notation/chain";
import { COSE, openCose } from "./notation/cose";
import { matches } from "./notation/distinguished-name";
import { checkHeaders, type Envelope, verifySignature } from "./notation/envelope";
import { JWS, openJws } from "./notation/jws";
import { verifyTimestamp } from "./notation/timestamp";
import type { NotationPolicy } from "./notation-policy";
import { quoted, Rejection, rejectionReason } from "./rejection";
import { parseStrictJson } from "./strict-json";

/** The image whose signature is wanted. */
export interface SignedImage {
  readonly digest: Digest;
  readonly mediaType?: string;
  readonly size?: number;
}

const ARTIFACT_TYPE = "application/vnd.cncf.notary.signature";
/** Ten times what long chains need; a bound for the work that a signature can cause. */
const MAX_ENVELOPE_BYTES = 250_000;

/** Whether a manifest claims to be a signature of the Notary Project, in the current form or that of older versions. */
export function isNotationSignature({ artifactType, config }: SignatureManifest): boolean {
  return (artifactType ?? config?.mediaType) === ARTIFACT_TYPE;
}

/** Verifies one candidate. Throws only what `candidate.blob` throws. */
export async function verifyNotation(
  image: SignedImage,
  candidate: SignatureCandidate,
  policy: NotationPolicy,
  now: Date,
): Promise<Verdict> {
  let signature: LayerDescriptor;
  try {
    signature = findEnvelope(image, candidate.manifest);
  } catch (error) {
    return { rejected: rejectionReason(error) };
  }
  const bytes = await candidate.blob(signature, MAX_ENVELOPE_BYTES);
  try {
    return { signedBy: verifyEnvelope(image, openEnvelope(signature.mediaType, bytes), policy, now) };
  } catch (error) {
    return { rejected: rejectionReason(error) };
  }
}

function findEnvelope(image: SignedImage, manifest: SignatureManifest): LayerDescriptor {
  if (!isNotationSignature(manifest)) throw new Rejection("is not a signature of the Notary Project");
  const subject = manifest.subject?.digest;
  if (subject !== image.digest) throw new Rejection(`refers to ${subject ?? "nothing"}`);
  const [layer] = manifest.layers;
  if (layer === undefined || manifest.layers.length > 1) throw new Rejection("does not have exactly one layer");
  if (layer.size > MAX_ENVELOPE_BYTES) throw new Rejection(`is larger than ${MAX_ENVELOPE_BYTES} bytes`);
  return layer;
}

function openEnvelope(mediaType: string, bytes: Buffer): Envelope {
  if (mediaType === JWS) return openJws(bytes);
  if (mediaType === COSE) return openCose(bytes);
  throw new Rejection(`has an envelope of the type ${quoted(mediaType)}; supported are ${JWS} and ${COSE}`);
}

/** Returns the name of the signer. */
function verifyEnvelope(image: SignedImage, envelope: Envelope, policy: NotationPolicy, now: Date): string {
  const chain = verifySignature(envelope);
  const expiry = checkHeaders(envelope);
  checkPayload(image, envelope.payload);
  checkChain(chain, "code signing");
  checkTrust(chain, policy);
  if (expiry !== undefined && now >= expiry) throw new Rejection(`expired at ${expiry.toISOString()}`);
  checkTime(chain, envelope, policy, now);
  return nameOf(chain[0]);
}

/** https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md#payload */
function checkPayload(image: SignedImage, payload: Buffer): void {
  const content = parseStrictJson(payload);
  const target = isObject(content) ? content.targetArtifact : undefined;
  if (!isObject(target)) throw new Rejection("has a payload without a target artifact");
  for (const property of ["digest", "mediaType", "size"] as const) {
    const wanted = image[property];
    if (wanted !== undefined && target[property] !== wanted) {
      throw new Rejection(`is for an image with the ${property} ${quoted(target[property])}, not ${wanted}`);
    }
  }
}

function checkTrust(chain: readonly [Certificate, ...Certificate[]], { ca, trustedIdentities }: NotationPolicy): void {
  const [leaf] = chain;
  const name = quoted(nameOf(leaf));
  if (!chain.some(({ der }) => ca.some(({ raw }) => raw.equals(der)))) {
    const root = quoted(nameOf(chain.at(-1) ?? leaf));
    throw new Rejection(`is signed by ${name} below ${root}, which is not in trustStore.ca`);
  }
  if (trustedIdentities === "*") return;
  if (!trustedIdentities.some((identity) => matches(identity, leaf.subject))) {
    throw new Rejection(`is signed by ${name}, which is not among trustedIdentities`);
  }
}

/** Timestamps count when the policy has authorities for them, and then every signature must have one, as in Notation. */
function checkTime(chain: readonly Certificate[], envelope: Envelope, { tsa }: NotationPolicy, now: Date): void {
  if (tsa.length === 0) {
    const invalid = invalidDuring(chain, now, now);
    if (invalid) throw new Rejection(`has the certificate ${describeValidity(invalid, now)}`);
    return;
  }
  if (envelope.timestamp === undefined) throw new Rejection("has no timestamp, which trustStore.tsa requires");
  const roots = tsa.map(({ raw }) => parseCertificate(raw));
  const { earliest, latest } = verifyTimestamp(envelope.timestamp, envelope.signature, roots);
  const invalid = invalidDuring(chain, earliest, latest);
  if (invalid) {
    const certificate = describeValidity(invalid, earliest);
    throw new Rejection(`was timestamped at ${earliest.toISOString()} with the certificate ${certificate}`);
  }
}

function describeValidity(certificate: Certificate, time: Date): string {
  const { notBefore, notAfter } = certificate;
  const validity =
    time < notBefore ? `is valid from ${notBefore.toISOString()}` : `expired at ${notAfter.toISOString()}`;
  return `${quoted(nameOf(certificate))}, which ${validity}`;
}
