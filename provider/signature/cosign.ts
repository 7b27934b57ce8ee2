/** Decides whether a manifest holds a signature by cosign that counts for an image. */
import { failureOf } from "../failure/failure";
import type { Digest } from "../reference/digest";
import type { LayerDescriptor, SignatureCandidate, SignatureManifest, Verdict } from "./candidate";
import type { CosignIdentity } from "./cosign-identity";
import { type CosignKey, isSignedBy } from "./cosign-key";
import { type CosignPolicy, type CosignSigner, isKey } from "./cosign-policy";
import type { CosignSignature } from "./cosign-signature";
import { verifyKeyless } from "./keyless";
import { printable, Rejection, rejectionReason, summarize } from "./rejection";
import { BUNDLE_PREFIX, readSigstoreBundle } from "./sigstore-bundle";
import { readSimpleSigning, SIMPLE_SIGNING } from "./simple-signing";

/** The type of the first form as a referrer, which `cosign sign --registry-referrers-mode=oci-1-1` writes. */
const SIGNATURE_ARTIFACT = "application/vnd.dev.cosign.artifact.sig.v1+json";

const LARGEST_LAYER = 1024 * 1024;
/** Each further signature of an image is a further layer behind cosign's tag. */
const MOST_LAYERS = 20;

/** Whether a manifest may hold signatures by cosign; any other one is no candidate. */
export function isCosignManifest({ artifactType, config, layers }: SignatureManifest): boolean {
  return [artifactType, config?.mediaType, ...layers.map(({ mediaType }) => mediaType)].some(
    (type = "") => type === SIGNATURE_ARTIFACT || type === SIMPLE_SIGNING || type.startsWith(BUNDLE_PREFIX),
  );
}

/**
 * Verifies the signatures in a candidate; one that counts is enough. All forms of cosign 2 and 3 are read: simple signing
 * and Sigstore bundles, by key and by identity. By key, no transparency log is asked for, as with
 * `cosign verify --insecure-ignore-tlog`: whom a key belongs to is the user's own knowledge.
 *
 * @param subject - Digest of the image.
 * @throws ImportError when none counts and a layer could not be read: it might have been the one.
 */
export async function verifyCosign(
  subject: Digest,
  { manifest, blob }: SignatureCandidate,
  { anyOf }: CosignPolicy,
): Promise<Verdict> {
  if (manifest.subject !== undefined && manifest.subject.digest !== subject) {
    return { rejected: `refers to ${manifest.subject.digest}, not to this image` };
  }
  if (manifest.layers.length === 0) return { rejected: "has no layers" };
  const read = onceEach((layer) => blob(layer, LARGEST_LAYER));
  const reasons: string[] = [];
  let unreadable: unknown;
  // The newest first: cosign appends.
  for (const layer of manifest.layers.slice(-MOST_LAYERS).reverse()) {
    try {
      const signature = await readSignature(layer, read);
      if (!signature.digests.includes(subject)) {
        throw new Rejection(`signs ${signature.digests[0] ?? "nothing"}, not this image`);
      }
      return { signedBy: printable(await acceptedSigner(signature, anyOf)) };
    } catch (error) {
      if (failureOf(error) === undefined) reasons.push(rejectionReason(error));
      else unreadable ??= error;
    }
  }
  if (unreadable !== undefined) throw unreadable;
  const unread = manifest.layers.length > MOST_LAYERS ? ` (only the newest ${MOST_LAYERS} signatures were read)` : "";
  return { rejected: summarize(reasons) + unread };
}

/** Reads a signature from a layer, whose media type tells the form. */
async function readSignature(
  layer: LayerDescriptor,
  read: (layer: LayerDescriptor) => Promise<Buffer>,
): Promise<CosignSignature> {
  const isBundle = layer.mediaType.startsWith(BUNDLE_PREFIX);
  if (!isBundle && layer.mediaType !== SIMPLE_SIGNING)
    throw new Rejection(`has a layer of the type ${layer.mediaType}`);
  if (layer.size > LARGEST_LAYER) throw new Rejection(`has a layer of ${layer.size} bytes, which is too large`);
  const content = await read(layer);
  return isBundle ? readSigstoreBundle(content) : readSimpleSigning(layer, content);
}

/** Who made the signature: a fingerprint or an identity. */
async function acceptedSigner(signature: CosignSignature, anyOf: readonly CosignSigner[]): Promise<string> {
  const reasons: string[] = [];
  for (const signer of anyOf) {
    try {
      return isKey(signer) ? verifyByKey(signature, signer) : await verifyByIdentity(signature, signer);
    } catch (error) {
      reasons.push(rejectionReason(error));
    }
  }
  throw new Rejection(summarize(reasons));
}

function verifyByKey({ signed, signature, certified }: CosignSignature, key: CosignKey): string {
  if (isSignedBy(key, signed, signature)) return key.fingerprint;
  throw new Rejection(
    certified ? "was made with a certificate, not with a key" : `was not made with the key ${key.fingerprint}`,
  );
}

async function verifyByIdentity({ certified }: CosignSignature, identity: CosignIdentity): Promise<string> {
  if (certified === undefined) throw new Rejection("was made with a key, not with a certificate");
  return verifyKeyless(certified(), identity);
}

/** Signatures of one image by one tool have equal layers, which differ in their annotations only. */
function onceEach(read: (layer: LayerDescriptor) => Promise<Buffer>): (layer: LayerDescriptor) => Promise<Buffer> {
  const contents = new Map<Digest, Promise<Buffer>>();
  return (layer) => {
    const content = contents.get(layer.digest) ?? read(layer);
    contents.set(layer.digest, content);
    return content;
  };
}
