import type { Azure } from "../azure/azure";
import type { ImportRequest } from "../azure/import-operation";
import { type Failure, failureOf, importFailure } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { printImage } from "../reference/image-name";
import type { SourceImage } from "../resource/source";

/**
 * Says to Azure where the image is. By digest whenever there is one: importing by tag is a race with whoever moves it.
 *
 * Credentials always go with the host they were given for. An Azure registry without credentials goes by its resource
 * ID, which Azure authorises with the identity of this run; one that cannot be found is asked as a stranger.
 */
export async function toImportSource(
  source: SourceImage,
  digest: Digest | undefined,
  azure: Azure,
): Promise<ImportRequest["source"]> {
  const { registry, repository, credentials } = source;
  const sourceImage = digest === undefined ? printImage(source) : printImage({ repository, digest });
  if (registry.host !== undefined) {
    if (credentials) return { registryUri: registry.host, credentials, sourceImage };
    const resourceId = (await azure.isAzureHost(registry.host)) && (await findSource(registry.host, azure));
    return resourceId ? { resourceId, sourceImage } : { registryUri: registry.host, sourceImage };
  }
  if (registry.id !== undefined && !credentials) return { resourceId: registry.id, sourceImage };
  const { id, loginServer } = await azure.findRegistry(registry.id ?? registry.name, "source");
  return credentials ? { registryUri: loginServer, credentials, sourceImage } : { resourceId: id, sourceImage };
}

/**
 * Why Azure may not read the source: the service merely says "denied". A registry that could not be found was asked as a
 * stranger; one with a closed network lets Azure in only by its resource ID, never with credentials.
 */
export async function explainSourceFailure(
  { registry, credentials }: SourceImage,
  failure: Failure,
  azure: Azure,
): Promise<Failure> {
  if (failure.code !== "SOURCE_ACCESS_DENIED") return failure;
  if (registry.host !== undefined && !(await azure.isAzureHost(registry.host))) return failure;
  try {
    const { isOpen, name } = await azure.findRegistry(registry.host ?? registry.id ?? registry.name, "source");
    return credentials && !isOpen ? importFailure.networkClosed("source", name) : failure;
  } catch (error) {
    return (credentials ? undefined : failureOf(error)) ?? failure;
  }
}

async function findSource(loginServer: string, azure: Azure): Promise<string | undefined> {
  try {
    return (await azure.findRegistry(loginServer, "source")).id;
  } catch (error) {
    if (failureOf(error)?.code === "REGISTRY_NOT_FOUND") return undefined;
    throw error;
  }
}
