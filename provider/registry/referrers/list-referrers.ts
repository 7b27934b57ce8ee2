/** Lists what refers to one manifest, in as few requests as possible. */
import type { Digest } from "../../reference/digest";
import type { RegistryApi } from "../api";
import type { Referrer } from "../manifest";
import { type CosignTag, findCosignTags } from "./cosign-tags";
import { requireBounded } from "./limits";
import { listByApi } from "./referrers-api";
import { findReferrersIndex } from "./tag-schema";

export interface ListOptions {
  /**
   * Whether to look for cosign's tags.
   *
   * @default true
   */
  readonly tags?: boolean;
  /**
   * The index that was found last time, where the registry has no referrers API: it is not read again while it is the same. `"any"`
   * if it need not be read at all, because its digest tells enough.
   */
  readonly knownIndex?: Digest | "any" | undefined;
}

/** What refers to a manifest directly. */
export interface ReferrerList {
  /** By digest, each once. `undefined` while the index is `knownIndex`: they are those of last time. */
  readonly referrers: readonly Referrer[] | undefined;
  /** In the order signature, attestation, SBOM. */
  readonly cosignTags: readonly CosignTag[];
  /** Whether the registry lists them itself; otherwise clients do, in an index. */
  readonly hasApi: boolean;
  /** That index, if there is one. */
  readonly index?: Digest;
}

/** One GET of the referrers API, or else one HEAD of the tag schema, and one HEAD for each of cosign's tags. */
export async function listReferrers(
  api: RegistryApi,
  repository: string,
  digest: Digest,
  { tags = true, knownIndex }: ListOptions = {},
  signal?: AbortSignal,
): Promise<ReferrerList> {
  const [list, cosignTags] = await Promise.all([
    listAnyway(api, repository, digest, knownIndex, signal),
    tags ? findCosignTags(api, repository, digest, signal) : [],
  ]);
  return { ...list, cosignTags };
}

async function listAnyway(
  api: RegistryApi,
  repository: string,
  digest: Digest,
  knownIndex: Digest | "any" | undefined,
  signal: AbortSignal | undefined,
): Promise<Omit<ReferrerList, "cosignTags">> {
  const listed = await listByApi(api, repository, digest, signal);
  if (listed) return { referrers: sorted(api, listed), hasApi: true };
  const index = await findReferrersIndex(api, repository, digest, knownIndex, signal);
  if (!index) return { referrers: [], hasApi: false };
  return { referrers: index.referrers && sorted(api, index.referrers), hasApi: false, index: index.digest };
}

function sorted(api: RegistryApi, list: readonly Referrer[]): Referrer[] {
  requireBounded(api, list);
  const byDigest = new Map(list.map((referrer) => [referrer.digest, referrer]));
  return [...byDigest.values()].sort((one, other) => (one.digest < other.digest ? -1 : 1));
}
