/** Finds the manifest of one platform in the image that a reference names. */
import { ImportError } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { sourceFailure } from "../failure/source";
import type { Digest } from "../reference/digest";
import { printImage } from "../reference/image-name";
import { isSamePlatform } from "../reference/platform";
import { entryFor, type RegistryClient } from "../registry/client";
import { printSource, printSourceRegistry, type Source } from "../resource/source";

/**
 * The digest of the platform's entry in an index; that of a single image if its configuration says the platform.
 *
 * @param digest - The index, or the single image.
 * @throws ImportError that lists the platforms that there are.
 */
export async function findPlatform(
  client: RegistryClient,
  source: Source,
  digest: Digest,
  platform: string,
): Promise<Digest> {
  const { repository } = source;
  const manifest = await client.manifest(repository, digest);
  if (manifest === undefined) {
    const reference = `${printSourceRegistry(source)}/${printImage({ repository, digest })}`;
    throw new ImportError(registryFailure.notFound("source", reference));
  }
  const entry = entryFor(manifest, platform);
  if (entry !== undefined) return entry.digest;
  const platforms = await client.platforms(repository, manifest);
  const isSingle = manifest.config !== undefined;
  if (isSingle && platforms.some((one) => isSamePlatform(one, platform))) return digest;
  throw new ImportError(sourceFailure.platformNotFound(printSource(source), platform, platforms));
}
