/** Reads what refers to an image in its registry. */
import { createHash } from "node:crypto";
import { type Failure, failureOf, ImportError } from "../failure/failure";
import { whenAskedForReferrers } from "../failure/source";
import type { Digest } from "../reference/digest";
import { printImage } from "../reference/image-name";
import type { CollectedReferrers, RegistryClient } from "../registry/client";
import type { ReferrersPolicy } from "../resource/referrers";
import { printSourceRegistry, type Source } from "../resource/source";

/**
 * Identifies what refers to a manifest directly: the same text means that nothing came or went. By one GET, or one HEAD where the
 * registry has no referrers API, and one HEAD for each of cosign's tags.
 */
export async function fingerprintReferrers(
  client: RegistryClient,
  source: Source,
  digest: Digest,
  tags: boolean,
): Promise<string> {
  const { repository } = source;
  const list = await client
    .listReferrers(repository, digest, { tags, knownIndex: "any" })
    .catch((error) => throwNotListed(error, source, digest));
  const listed = list.index ?? (list.referrers ?? []).map((referrer) => referrer.digest);
  const found = JSON.stringify([digest, listed, list.cosignTags.map((one) => [one.tag, one.digest])]);
  return createHash("sha256").update(found).digest("hex").slice(0, 32);
}

/** Everything that refers to an image, to its platforms, and to what refers to it. */
export async function collectReferrers(
  client: RegistryClient,
  source: Source,
  digest: Digest,
  policy: ReferrersPolicy,
): Promise<CollectedReferrers> {
  return client
    .collectReferrers(source.repository, digest, policy)
    .catch((error) => throwNotListed(error, source, digest));
}

function throwNotListed(error: unknown, source: Source, digest: Digest): never {
  const failure = failureOf(error);
  if (failure === undefined) throw error;
  throw new ImportError(ofReferrers(failure, source, digest));
}

/** Says what was asked for, which the failure of a registry does not. */
function ofReferrers(failure: Failure, source: Source, digest: Digest): Failure {
  const image = `${printSourceRegistry(source)}/${printImage({ repository: source.repository, digest })}`;
  return failure.object === image ? failure : whenAskedForReferrers(failure, image);
}
