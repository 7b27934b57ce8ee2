/** Looks for what refers to an image while the program runs. */
import type { Digest } from "../reference/digest";
import type { ParsedArguments } from "../resource/arguments";
import { referrersPolicy } from "../resource/referrers";
import { printSourceRegistry } from "../resource/source";
import type { ReferrersLookup, ReferrersResult } from "../resource/state";
import { hasUnknown } from "../resource/unknown";
import type { DigestResolver } from "../source/resolve-digest";

/** By the resolver, of which each run has its own. */
const lists = new WeakMap<DigestResolver, Map<string, Promise<ReferrersResult>>>();

/**
 * Looks for what refers to an image, once for all resources that import it. Not with `platform`: which manifest the platform has,
 * only `check` knows without a request.
 */
export async function lookUpReferrers(
  { args, source }: ParsedArguments,
  digest: Digest | undefined,
  resolver: DigestResolver,
): Promise<ReferrersLookup | undefined> {
  const policy = hasUnknown(args.referrers) ? undefined : referrersPolicy(args.referrers);
  if (policy === undefined || source === undefined || digest === undefined || args.platform) return undefined;
  const { tags } = policy;
  const found = lists.get(resolver) ?? new Map<string, Promise<ReferrersResult>>();
  lists.set(resolver, found);
  const key = JSON.stringify([printSourceRegistry(source), source.credentials, source.repository, digest, tags]);
  const list = found.get(key) ?? resolver.listReferrers(source, digest, tags);
  found.set(key, list);
  return { digest, tags, ...(await list) };
}
