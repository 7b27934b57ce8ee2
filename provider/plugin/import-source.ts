/** Names the source of an import to Azure, which copies the image itself. */
import type { Azure } from "../azure/azure";
import type { ImportSource } from "../azure/import-operation";
import { failureOf } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { printImage } from "../reference/image-name";
import { parseRegistryName } from "../reference/registry-name";
import type { Source } from "../resource/source";

/**
 * The `source` of an import request: by digest where it is known, because a tag can move during the import.
 *
 * Credentials go with the host that they were given for. An Azure registry without credentials goes by its resource ID,
 * which Azure authorizes with the identity of this run; one that is not found is imported anonymously by its login server.
 */
export async function toImportSource(
  { registry, credentials, ...image }: Source,
  digest: Digest | undefined,
  azure: Azure,
): Promise<ImportSource> {
  const sourceImage = printImage(digest === undefined ? image : { repository: image.repository, digest });
  if (credentials) {
    const registryUri =
      registry.kind === "host" ? registry.host : (await azure.findRegistry(registry, "source")).loginServer;
    return { registryUri, credentials, sourceImage };
  }
  if (registry.kind === "id") return { resourceId: registry.id, sourceImage };
  if (registry.kind === "name") {
    return { resourceId: (await azure.findRegistry(registry, "source")).id, sourceImage };
  }
  const resourceId = (await azure.isAzureHost(registry.host)) && (await findResourceId(registry.host, azure));
  return resourceId ? { resourceId, sourceImage } : { registryUri: registry.host, sourceImage };
}

async function findResourceId(loginServer: string, azure: Azure): Promise<string | undefined> {
  try {
    return (await azure.findRegistry(parseRegistryName(loginServer), "source")).id;
  } catch (error) {
    if (failureOf(error)?.code === "REGISTRY_NOT_FOUND") return undefined;
    throw error;
  }
}
