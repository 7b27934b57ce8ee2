/** Finds out what refers to the image at its source, and has to come along with it. */
import { type Failure, isUnavailable } from "../failure/failure";
import { recordedReferrersKept, referrersNotKept } from "../failure/source";
import { mergeReferrers, type ReferrersPolicy, referrersPolicy } from "../resource/referrers";
import { isSameSource, type Source, sourceKey } from "../resource/source";
import type { Arguments, Inputs, Lookup, ReferrersResult } from "../resource/state";
import { hasUnknown, UNKNOWN, unknownAs } from "../resource/unknown";
import type { DigestResolver } from "../source/resolve-digest";
import type { CheckContext, Resolved, SourceDigests } from "./check-context";
import { triggersChanged } from "./plan";

/** What the inputs say about referrers. */
export type RecordedReferrers = Pick<Inputs, "referrers" | "referrersFingerprint">;

/**
 * Finds out what refers to the image that is to be imported. Everything is read only when something came or went that refers to
 * the image directly, when other types are wanted, or when `triggers` changed.
 */
export async function findReferrers(
  args: Arguments,
  source: Source | undefined,
  digests: Resolved<SourceDigests>,
  { keepReferrers, lookup, readsTarget }: CheckContext,
  old: Partial<Inputs>,
  reader: Pick<DigestResolver, "listReferrers" | "collectReferrers">,
): Promise<Resolved<RecordedReferrers>> {
  const digest = digests.value.sourceDigest;
  const recorded = old.sourceDigest === digest ? recordedReferrers(old) : {};
  if (keepReferrers) return { value: recordedReferrers(old) };
  if (readsTarget) return { value: {} };
  if (hasUnknown(args.referrers)) return { value: { referrers: unknownAs() } };
  const policy = referrersPolicy(args.referrers);
  if (policy === undefined || source === undefined || digest === undefined) return { value: {} };
  if (digest === UNKNOWN) return { value: { referrers: unknownAs() } };
  // The digest was kept, because the source does not respond.
  if (digests.warning !== undefined) return { value: recorded };

  const listed =
    listedByProgram(args, source, lookup, digest, policy) ?? (await reader.listReferrers(source, digest, policy.tags));
  if (listed.failure) return keepRecorded(listed.failure, args, old, recorded);
  const referrersFingerprint = fingerprintOf(listed, policy);
  if (recorded.referrersFingerprint === referrersFingerprint && !triggersChanged(args, old)) return { value: recorded };
  const collected = await reader.collectReferrers(source, digest, policy);
  // The source no longer has an image that the program stays with.
  const isGone = collected.failure?.code === "SOURCE_NOT_FOUND" && recorded.referrers !== undefined;
  if (isGone) return { value: { ...recorded, referrersFingerprint } };
  if (collected.failure) return keepRecorded(collected.failure, args, old, recorded);
  const referrers = mergeReferrers(recorded.referrers, collected.referrers ?? []);
  return { value: { referrers, referrersFingerprint } };
}

/** Identifies what is listed, and what of it is wanted: below the image there may be cosign's tags that the list does not name. */
function fingerprintOf({ fingerprint }: ReferrersResult, { tags, artifactTypes }: ReferrersPolicy): string {
  return [fingerprint, ...(tags ? [] : ["without-tags"]), ...(artifactTypes ?? [])].join(" ");
}

function recordedReferrers({ referrers, referrersFingerprint }: Partial<Inputs>): RecordedReferrers {
  return {
    ...(referrers !== undefined && { referrers }),
    ...(referrersFingerprint !== undefined && { referrersFingerprint }),
  };
}

/** What the program found, unless it looked for something else, or without the credentials that a transform added. */
function listedByProgram(
  args: Arguments,
  source: Source,
  lookup: Lookup | undefined,
  digest: string,
  { tags }: ReferrersPolicy,
): ReferrersResult | undefined {
  const listed = lookup?.source === sourceKey(args) ? lookup.referrers : undefined;
  if (listed?.digest !== digest || listed.tags !== tags) return undefined;
  const lackedCredentials = lookup?.withCredentials === false && source.credentials !== undefined;
  return listed.failure && lackedCredentials ? undefined : listed;
}

/** Applies `onSourceUnavailable` where what refers to the image could not be read. */
function keepRecorded(
  failure: Failure,
  args: Arguments,
  old: Partial<Inputs>,
  recorded: RecordedReferrers,
): Resolved<RecordedReferrers> {
  const isRecorded = recorded.referrers !== undefined && isSameSource(args, old);
  if (!isUnavailable(failure)) return { value: {}, failure };
  if (isRecorded && args.onSourceUnavailable === "keep") {
    return { value: recorded, warning: recordedReferrersKept(failure) };
  }
  return { value: {}, failure: isRecorded ? referrersNotKept(failure) : failure };
}
