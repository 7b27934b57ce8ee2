/** Finds what may be signatures of an image: its referrers, and what is behind cosign's tag. */
import { failureOf, ImportError } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { signatureFailure } from "../failure/signature";
import type { Digest } from "../reference/digest";
import { printImage } from "../reference/image-name";
import type { Referrer, RegistryClient } from "../registry/client";
import { printSourceRegistry, type Source } from "../resource/source";
import type { SignatureCandidate } from "../signature/candidate";
import type { FoundSignatures, UnreadCandidate } from "../signature/found-signatures";
import { readSignatureManifest } from "./signature-manifest";

/** More manifests are not read: an image has a few signatures. */
const MOST_MANIFESTS = 50;

/**
 * Reads each manifest, because a list may be wrong about their types. One that cannot be read is a candidate, too: it must not
 * look as if the image were not signed.
 *
 * @param tags - Whether to look for cosign's tag.
 * @throws ImportError where the registry does not list what refers to the image.
 */
export async function findSignatures(
  client: RegistryClient,
  source: Source,
  image: Digest,
  tags: boolean,
): Promise<FoundSignatures> {
  const { repository } = source;
  const list = await client.listReferrers(repository, image, { tags });
  const tagged = list.cosignTags.filter(({ tag }) => tag.endsWith(".sig"));
  const listed = [...(list.referrers ?? [])].sort((one, other) => likelihood(other) - likelihood(one));
  const digests = [...new Set([...tagged, ...listed].map(({ digest }) => digest))];
  const candidates = await Promise.all(
    digests.slice(0, MOST_MANIFESTS).map((digest) => readCandidate(client, source, digest)),
  );
  const [unread] = digests.slice(MOST_MANIFESTS);
  return {
    candidates: [...candidates.flat(), ...(unread ? [tooMany(unread, digests.length)] : [])],
    searched: {
      referrers: list.hasApi ? "its referrers" : "its referrers by the tag schema",
      cosignTag: `the tag ${image.replace(":", "-")}.sig`,
    },
  };
}

/** What looks like a signature in the list is read first. */
function likelihood({ artifactType = "" }: Referrer): number {
  return /sigstore|cosign|notary/.test(artifactType) ? 1 : 0;
}

/** The manifest; nothing for one that was deleted, as lists may name them. */
async function readCandidate(
  client: RegistryClient,
  source: Source,
  digest: Digest,
): Promise<readonly (SignatureCandidate | UnreadCandidate)[]> {
  const { repository } = source;
  try {
    const manifest = await client.manifest(repository, digest);
    if (manifest === undefined) return [];
    const blob: SignatureCandidate["blob"] = async (layer, maxBytes) => {
      const content = await client.blob(repository, layer.digest, maxBytes);
      if (content !== undefined) return content;
      const reference = `${printSourceRegistry(source)}/${printImage({ repository, digest: layer.digest })}`;
      throw new ImportError(registryFailure.notFound("source", reference));
    };
    return [{ digest, manifest: readSignatureManifest(manifest), blob }];
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return [{ digest, failure }];
  }
}

/** Stands for all that were not read. */
function tooMany(digest: Digest, count: number): UnreadCandidate {
  return { digest, failure: signatureFailure.tooMany(digest, count, MOST_MANIFESTS) };
}
