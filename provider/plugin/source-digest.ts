/** Finds out which digest to import. */
import { type Failure, isUnavailable } from "../failure/failure";
import { digestNotKept, recordedDigestKept } from "../failure/source";
import type { Digest } from "../reference/digest";
import { isSameSource, type Source, sourceKey } from "../resource/source";
import type { Arguments, DigestResult, Inputs, Lookup } from "../resource/state";
import { hasUnknown, UNKNOWN, unknownAs } from "../resource/unknown";
import type { DigestResolver } from "../source/resolve-digest";
import type { CheckContext, Resolved } from "./check-context";
import { asksForImport } from "./plan";

/** What the source says, as far as it goes into the inputs. Empty while only the target can tell the digest. */
export type SourceDigests = Pick<Inputs, "sourceDigest" | "indexDigest">;

/** Reads the source where the program did not. */
export type SourceReader = Pick<DigestResolver, "resolve" | "resolvePlatform">;

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
 */
export async function findSourceDigest(
  args: Arguments,
  source: Source | undefined,
  { keep, lookup, keepsSource, preview, readsTarget }: CheckContext,
  old: Partial<Inputs>,
  reader: SourceReader,
): Promise<Resolved<SourceDigests>> {
  if (keep !== undefined) return { value: { ...recordedDigests(old), sourceDigest: keep } };
  if (source === undefined || hasUnknown(lookup)) return { value: { sourceDigest: unknownAs() } };
  const recorded = isSameSource(args, old) ? recordedDigests(old) : {};
  const fromProgram = resolvedByProgram(args, source, lookup);
  if (fromProgram === undefined && keepsSource && recorded.sourceDigest !== undefined) return { value: recorded };

  const held: DigestResult = fromProgram ?? (readsTarget ? {} : await reader.resolve(source));
  const found = await ofPlatform(held, args, source, recorded, reader);
  if (found.failure) return keepRecorded(found.failure, args, recorded, old.sourceDigest);
  if (found.digest !== undefined) {
    const indexDigest = args.platform ? held.digest : undefined;
    return { value: { sourceDigest: found.digest, ...(indexDigest && { indexDigest }) } };
  }
  return { value: preview && asksForImport(args, old) ? { sourceDigest: unknownAs() } : {} };
}

function recordedDigests({ sourceDigest, indexDigest }: Partial<Inputs>): SourceDigests {
  return { ...(sourceDigest && { sourceDigest }), ...(indexDigest && { indexDigest }) };
}

/** What the program resolved, unless a transform changed the source or added credentials afterwards. */
function resolvedByProgram(args: Arguments, source: Source, lookup: Lookup | undefined): DigestResult | undefined {
  if (lookup?.source !== sourceKey(args)) return undefined;
  const lackedCredentials = lookup.withCredentials === false && source.credentials !== undefined;
  return lookup.failure && lackedCredentials ? undefined : lookup;
}

/** The digest of the platform, if there is one. The image is not read again while its digest is the recorded one. */
async function ofPlatform(
  held: DigestResult,
  { platform }: Arguments,
  source: Source,
  recorded: SourceDigests,
  reader: SourceReader,
): Promise<DigestResult> {
  if (!platform || held.digest === undefined) return held;
  if (platform === UNKNOWN) return { digest: unknownAs<Digest>() };
  if (recorded.sourceDigest !== undefined && recorded.indexDigest === held.digest) {
    return { digest: recorded.sourceDigest };
  }
  return reader.resolvePlatform(source, held.digest, platform);
}

/** Applies `onSourceUnavailable` to a look-up that failed. */
function keepRecorded(
  failure: Failure,
  args: Arguments,
  recorded: SourceDigests,
  ofAnySource: Digest | undefined,
): Resolved<SourceDigests> {
  if (!isUnavailable(failure)) return { value: {}, failure };
  const policy = args.onSourceUnavailable ?? "fail";
  const { sourceDigest } = recorded;
  if (policy === "keep" && sourceDigest) return { value: recorded, warning: recordedDigestKept(failure, sourceDigest) };
  const whose = sourceDigest ? "of this source" : ofAnySource && "of another source";
  return { value: {}, failure: digestNotKept(failure, policy, whose) };
}
