/** Removes what was imported with an image, before the image itself is deleted. */
import type { Digest } from "../reference/digest";
import type { Repository } from "../reference/repository";
import { isIndexType, type Manifest, type RegistryClient } from "../registry/client";
import { parseReferrers, type Referrer } from "../resource/referrers";
import type { Outputs } from "../resource/state";
import { readSignatureManifest } from "../source/signature-manifest";

/**
 * Removes recorded referrers from a repository: cosign's tags that still hold our digest, and the manifests. What refers to a
 * manifest that has a tag, or that another index of the repository lists, stays; and so does what has another tag.
 *
 * @param indexes - The other indexes of the repository
 */
export async function removeReferrers(
  repository: Repository,
  { referrers: text, sourceDigest }: Outputs,
  client: RegistryClient,
  indexes: readonly Manifest[],
  signal: AbortSignal,
): Promise<void> {
  const referrers = parseReferrers(text);
  const listed = new Set(indexes.flatMap(({ entries }) => entries.map(({ digest }) => digest)));
  const manifests = await readManifests(repository, referrers, client, signal);
  const subjects = referrers.map(({ digest, tag }) => (tag ? subjectOf(tag) : manifests.get(digest)?.subject));
  const tagged = await findTagged(repository, subjects, referrers, client, signal);
  const isNeeded = (digest: Digest | undefined): boolean =>
    digest !== undefined &&
    digest !== sourceDigest &&
    (listed.has(digest) || tagged.has(digest) || isNeeded(manifests.get(digest)?.subject));
  for (const [at, { digest, tag }] of referrers.entries()) {
    if (listed.has(digest) || isNeeded(subjects[at])) continue;
    if (tag !== undefined && (await client.head(repository, tag, signal))?.digest === digest) {
      await client.untag(repository, tag, signal);
    }
    if (tag !== undefined && isImage(manifests.get(digest))) continue;
    const tags = await client.tagsOf(repository, digest, signal);
    if (tags.length === 0) await client.deleteManifest(repository, digest, signal);
  }
}

async function readManifests(
  repository: Repository,
  referrers: readonly Referrer[],
  client: RegistryClient,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, Manifest | undefined>> {
  const digests = [...new Set(referrers.map(({ digest }) => digest))];
  const read = async (digest: Digest) => [digest, await client.manifest(repository, digest, signal)] as const;
  return new Map(await Promise.all(digests.map(read)));
}

/** The subjects that have a tag, other than the recorded ones of cosign. The image itself has none when this is called. */
async function findTagged(
  repository: Repository,
  subjects: readonly (Digest | undefined)[],
  referrers: readonly Referrer[],
  client: RegistryClient,
  signal: AbortSignal,
): Promise<ReadonlySet<Digest>> {
  const recorded = new Set(referrers.map(({ tag }) => tag));
  const digests = [...new Set(subjects.flatMap((subject) => subject ?? []))];
  const tags = await Promise.all(digests.map((digest) => client.tagsOf(repository, digest, signal)));
  return new Set(digests.filter((_, at) => tags[at]?.some((tag) => !recorded.has(tag))));
}

/**
 * Whether a manifest is an image. A source can put any digest under cosign's tag, and somebody may have that image without a tag
 * in the target.
 */
function isImage(manifest: Manifest | undefined): boolean {
  if (manifest === undefined) return false;
  const { layers } = readSignatureManifest(manifest);
  return isIndexType(manifest.descriptor.mediaType) || layers.some(({ mediaType }) => IMAGE_LAYER.test(mediaType));
}

const IMAGE_LAYER = /^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\./;

/** `sha256-….sig` names the digest that the signature is for. */
function subjectOf(tag: string): Digest {
  return tag.slice(0, tag.lastIndexOf(".")).replace("-", ":") as Digest;
}
