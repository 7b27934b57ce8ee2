/** Finds out which digest to import. */
import { type Failure, isUnavailable } from "../failure/failure";
import { digestNotKept, recordedDigestKept } from "../failure/source";
import type { Digest } from "../reference/digest";
import { cooldownOf, parseCandidate } from "../resource/cooldown";
import { isSameSource, type Source, sourceKey } from "../resource/source";
import type { Arguments, DigestResult, Inputs, Lookup } from "../resource/state";
import { hasUnknown, UNKNOWN, unknownAs } from "../resource/unknown";
import type { DigestResolver } from "../source/resolve-digest";
import { type CheckContext, type Resolved, recordedDigests, type SourceDigests } from "./check-context";
import { asksForImport } from "./plan";
import { acceptMove, keepsRecorded } from "./source-move";

/** Reads the source where the program did not. */
type SourceReader = Pick<DigestResolver, "resolve" | "resolvePlatform" | "pushTime">;

/**
 * Finds out which digest to import.
 *
 * | the source's digest                  | digest to import                                                 |
 * | ------------------------------------ | ---------------------------------------------------------------- |
 * | kept by `ignoreChanges`              | the recorded one                                                 |
 * | unknown, or the source is            | unknown                                                          |
 * | resolved by the program, else here   | this one; with `platform`, the manifest of that platform         |
 * | could not be resolved                | the recorded one where `onSourceUnavailable` keeps it, else none |
 * | to be read from the target           | none; unknown in the preview of a change                         |
 *
 * A digest that takes the place of a recorded one goes through {@link acceptMove}.
 */
export async function findSourceDigest(
  args: Arguments,
  source: Source | undefined,
  { keep, lookup, keepsSource, preview, readsTarget, now }: CheckContext,
  old: Partial<Inputs>,
  reader: SourceReader,
): Promise<Resolved<SourceDigests>> {
  if (keep !== undefined) return { value: { ...recordedDigests(old), sourceDigest: keep } };
  if (source === undefined || hasUnknown(lookup)) return { value: { sourceDigest: unknownAs() } };
  const recorded = isSameSource(args, old) ? old : {};
  const fromProgram = resolvedByProgram(args, source, lookup);
  if (fromProgram === undefined && keepsSource && recorded.sourceDigest !== undefined) {
    return { value: recordedDigests(recorded) };
  }

  const held: DigestResult = fromProgram ?? (readsTarget ? {} : await reader.resolve(source));
  if (held.digest !== undefined && keepsRecorded(args, recorded)) return { value: recordedDigests(recorded) };
  const found = await ofPlatform(held, args, source, recorded, reader);
  if (found.failure) return keepRecorded(found.failure, args, recorded, old.sourceDigest);
  if (found.digest === undefined) {
    return { value: preview && asksForImport(args, old) ? { sourceDigest: unknownAs() } : {} };
  }
  const indexDigest = args.platform ? held.digest : undefined;
  const digests = { sourceDigest: found.digest, ...(indexDigest && { indexDigest }) };
  const pushTime = () => reader.pushTime(source, held.digest ?? digests.sourceDigest);
  return acceptMove(digests, recorded, args, source, { now, pushTime });
}

/** What the program resolved, unless a transform changed the source or added credentials afterwards. */
function resolvedByProgram(args: Arguments, source: Source, lookup: Lookup | undefined): DigestResult | undefined {
  if (lookup?.source !== sourceKey(args)) return undefined;
  const lackedCredentials = lookup.withCredentials === false && source.credentials !== undefined;
  return lookup.failure && lackedCredentials ? undefined : lookup;
}

/** The digest of the platform, if there is one. An image that is recorded, as imported or as waiting, is not read again. */
async function ofPlatform(
  held: DigestResult,
  { platform }: Arguments,
  source: Source,
  recorded: Partial<Inputs>,
  reader: SourceReader,
): Promise<DigestResult> {
  if (!platform || held.digest === undefined) return held;
  if (platform === UNKNOWN) return { digest: unknownAs<Digest>() };
  if (recorded.sourceDigest !== undefined && recorded.indexDigest === held.digest) {
    return { digest: recorded.sourceDigest };
  }
  const candidate = parseCandidate(recorded.candidate);
  if (candidate?.indexDigest === held.digest) return { digest: candidate.digest };
  return reader.resolvePlatform(source, held.digest, platform);
}

/** Applies `onSourceUnavailable` to a look-up that failed. */
function keepRecorded(
  failure: Failure,
  args: Arguments,
  recorded: Partial<Inputs>,
  ofAnySource: Digest | undefined,
): Resolved<SourceDigests> {
  if (!isUnavailable(failure)) return { value: {}, failure };
  const policy = args.onSourceUnavailable ?? "fail";
  const { sourceDigest } = recorded;
  if (policy === "keep" && sourceDigest) {
    const candidate = cooldownOf(args) > 0 ? recorded.candidate : undefined;
    const value = { ...recordedDigests(recorded), ...(candidate && { candidate }) };
    return { value, warning: recordedDigestKept(failure, sourceDigest) };
  }
  const whose = sourceDigest ? "of this source" : ofAnySource && "of another source";
  return { value: {}, failure: digestNotKept(failure, policy, whose) };
}
