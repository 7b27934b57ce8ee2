/** Decides whether a digest that takes the place of the recorded one is imported. A change of `triggers` lets it in once. */
import { sourceFailure } from "../failure/source";
import type { Digest } from "../reference/digest";
import { type Candidate, candidateSince, cooldownOf, parseCandidate, printCandidate } from "../resource/cooldown";
import { printSource, type Source } from "../resource/source";
import type { Arguments, Inputs } from "../resource/state";
import { hasUnknown, unknownAs } from "../resource/unknown";
import { type Resolved, recordedDigests, type SourceDigests } from "./check-context";
import { triggersChanged } from "./plan";

/** What the source holds now. */
export interface FoundDigests extends Pick<SourceDigests, "indexDigest"> {
  readonly sourceDigest: Digest;
}

/** The clocks by which a cooldown is measured, in milliseconds since the epoch. */
export interface Clocks {
  readonly now: number;
  /** When the registry got the digest, where it tells. Read only for a digest that is seen for the first time. */
  readonly pushTime: () => Promise<number | undefined>;
}

/** Whether the recorded digest stays, whatever the source holds. */
export function keepsRecorded(args: Arguments, recorded: Partial<Inputs>): boolean {
  return args.onSourceMove === "keep" && recorded.sourceDigest !== undefined && !triggersChanged(args, recorded);
}

/**
 * Applies `cooldown`, and then `onSourceMove` (except for `"keep"`), to what the source holds now.
 *
 * | the digest                                      | what happens                                    |
 * | ----------------------------------------------- | ----------------------------------------------- |
 * | is the recorded one, or nothing is recorded     | imported                                        |
 * | is another one, and triggers changed            | imported                                        |
 * | has not waited for the time of `cooldown`       | recorded as `candidate`; the recorded one stays |
 * | is not to replace the recorded one (`"fail"`)   | fails                                           |
 * | otherwise                                       | imported                                        |
 */
export async function acceptMove(
  found: FoundDigests,
  recorded: Partial<Inputs>,
  args: Arguments,
  source: Source,
  { now, pushTime }: Clocks,
): Promise<Resolved<SourceDigests>> {
  const { sourceDigest = found.sourceDigest } = recorded;
  if (found.sourceDigest === sourceDigest || triggersChanged(args, recorded)) return { value: found };
  if (hasUnknown([args.onSourceMove, args.cooldown])) return { value: { ...found, sourceDigest: unknownAs() } };
  const cooldown = cooldownOf(args);
  if (cooldown > 0) {
    const candidate = await toCandidate(found, parseCandidate(recorded.candidate), { now, pushTime });
    if (now < candidate.since + cooldown) {
      return { value: { ...recordedDigests(recorded), candidate: printCandidate(candidate) } };
    }
  }
  if (args.onSourceMove !== "fail") return { value: found };
  return { value: {}, failure: sourceFailure.moved(printSource(source), found.sourceDigest, sourceDigest) };
}

/** Another candidate than the recorded one starts to wait when it was pushed, or else now. */
async function toCandidate(
  { sourceDigest: digest, indexDigest }: FoundDigests,
  recorded: Candidate | undefined,
  { now, pushTime }: Clocks,
): Promise<Candidate> {
  const since = recorded?.digest === digest ? recorded.since : Math.min(now, (await pushTime()) ?? now);
  return candidateSince(since, { digest, ...(indexDigest && { indexDigest }) });
}
