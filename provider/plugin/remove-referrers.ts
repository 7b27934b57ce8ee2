/** Removes what was imported with an image, before the image itself is deleted. */
import type { Digest } from "../reference/digest";
import type { Repository } from "../reference/repository";
import type { Manifest, RegistryClient } from "../registry/client";
import { parseReferrers, type Referrer } from "../resource/referrers";
import type { Outputs } from "../resource/state";

/**
 * Removes recorded referrers from a repository: cosign's tags that still hold our digest, and the manifests. What refers to a
 * manifest that another index of the repository lists stays, and what has another tag.
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
  const subjects = await readSubjects(repository, referrers, client, signal);
  const isNeeded = (digest: Digest | undefined): boolean =>
    digest !== undefined && digest !== sourceDigest && (listed.has(digest) || isNeeded(subjects.get(digest)));
  for (const { digest, tag } of referrers) {
    if (listed.has(digest) || isNeeded(tag === undefined ? subjects.get(digest) : subjectOf(tag))) continue;
    if (tag !== undefined && (await client.head(repository, tag, signal))?.digest === digest) {
      await client.untag(repository, tag, signal);
    }
    const tags = await client.tagsOf(repository, digest, signal);
    if (tags.length === 0) await client.deleteManifest(repository, digest, signal);
  }
}

/** What each referrer refers to, as its manifest says. */
async function readSubjects(
  repository: Repository,
  referrers: readonly Referrer[],
  client: RegistryClient,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, Digest | undefined>> {
  const digests = [...new Set(referrers.map(({ digest }) => digest))];
  const manifests = await Promise.all(digests.map((digest) => client.manifest(repository, digest, signal)));
  return new Map(digests.map((digest, at) => [digest, manifests[at]?.subject]));
}

/** `sha256-….sig` names the digest that the signature is for. */
function subjectOf(tag: string): Digest {
  return tag.slice(0, tag.lastIndexOf(".")).replace("-", ":") as Digest;
}
