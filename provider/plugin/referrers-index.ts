/**
 * Brings along the lists of referrers that clients keep themselves, for a target without the referrers API: a registry that is
 * encrypted with a customer-managed key.
 *
 * https://learn.microsoft.com/azure/container-registry/container-registry-manage-artifact
 */
import { ImportError } from "../failure/failure";
import type { Digest } from "../reference/digest";
import type { Repository } from "../reference/repository";
import { isIndexType, type Manifest, type RegistryClient, referrersTag } from "../registry/client";
import { parseReferrers } from "../resource/referrers";
import type { Outputs } from "../resource/state";
import type { OperationContext } from "./context";
import { importReferrer } from "./import-referrers";
import type { ImageImport } from "./import-targets";
import type { ReferrerImport } from "./plan";

/**
 * Imports the lists of the source, once what they list has arrived. Only for a source that has such lists: Azure imports what
 * there is, and makes none.
 */
export async function importReferrersIndexes(
  imports: readonly ReferrerImport[],
  { digest, registry, desired }: ImageImport,
  context: OperationContext,
): Promise<void> {
  const { client } = registry;
  const repositories = [...new Set(imports.flatMap((one) => one.repositories))];
  const [first] = repositories;
  if (digest === undefined || first === undefined) return;
  // Where the target cannot be read, it is not known whether it has the API.
  if ((await registry.readDigests([], digest, context.signal)) === "unreadable") return;
  if (await hasReferrersApi(client, first, digest, context.signal)) return;
  const { indexes = [], failure } = await context.source.collectReferrers(desired.source, digest, { tags: false });
  if (failure) throw new ImportError(failure);
  const known = new Set(parseReferrers(desired.inputs.referrers).map((one) => one.digest));
  for (const index of indexes) {
    for (const repository of repositories) {
      const held = await client.manifest(repository, index.tag, context.signal);
      const targets = { [`${repository}:${index.tag}`]: held?.descriptor.digest ?? index.digest };
      const owned = held && listsOnly(held, known) ? { sourceDigest: held.descriptor.digest, targets } : undefined;
      const image = { digest, registry, desired };
      await importReferrer({ referrer: index, repositories: [repository] }, image, owned, context);
    }
  }
}

/** Removes the lists of an image, of its platforms and of its referrers that list nothing but what was imported with it. */
export async function removeReferrersIndexes(
  repository: Repository,
  { referrers, sourceDigest }: Outputs,
  client: RegistryClient,
  signal: AbortSignal,
): Promise<void> {
  const known = new Set(parseReferrers(referrers).map(({ digest }) => digest));
  if (known.size === 0 || (await hasReferrersApi(client, repository, sourceDigest, signal))) return;
  const image = await client.manifest(repository, sourceDigest, signal);
  const subjects = new Set([sourceDigest, ...(image?.entries ?? []).map(({ digest }) => digest), ...known]);
  for (const tag of [...subjects].map(referrersTag)) {
    const index = await client.manifest(repository, tag, signal);
    if (index === undefined || !listsOnly(index, known)) continue;
    const { digest } = index.descriptor;
    await client.untag(repository, tag, signal);
    const tags = await client.tagsOf(repository, digest, signal);
    if (tags.length === 0) await client.deleteManifest(repository, digest, signal);
  }
}

/** Whether what is under the tag of a list names nothing but these: one that names more is kept by somebody who signs in the target. */
function listsOnly({ descriptor, entries }: Manifest, known: ReadonlySet<Digest>): boolean {
  return isIndexType(descriptor.mediaType) && entries.every(({ digest }) => known.has(digest));
}

async function hasReferrersApi(
  client: RegistryClient,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<boolean> {
  return (await client.listReferrers(repository, digest, { tags: false, knownIndex: "any" }, signal)).hasApi;
}
