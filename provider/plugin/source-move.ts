/** Decides whether a digest that takes the place of the recorded one is imported. A change of `triggers` lets it in once. */
import { sourceFailure } from "../failure/source";
import type { Digest } from "../reference/digest";
import { printSource, type Source } from "../resource/source";
import type { Arguments, Inputs } from "../resource/state";
import { hasUnknown, unknownAs } from "../resource/unknown";
import type { Resolved, SourceDigests } from "./check-context";
import { triggersChanged } from "./plan";

/** What the source holds now. */
export interface FoundDigests extends SourceDigests {
  readonly sourceDigest: Digest;
}

/** Whether the recorded digest stays, whatever the source holds. */
export function keepsRecorded(args: Arguments, recorded: Partial<Inputs>): boolean {
  return args.onSourceMove === "keep" && recorded.sourceDigest !== undefined && !triggersChanged(args, recorded);
}

/** Applies `onSourceMove`, except for `"keep"`, to what the source holds now. */
export function acceptMove(
  found: FoundDigests,
  recorded: Partial<Inputs>,
  args: Arguments,
  source: Source,
): Resolved<SourceDigests> {
  const { sourceDigest = found.sourceDigest } = recorded;
  if (found.sourceDigest === sourceDigest || triggersChanged(args, recorded)) return { value: found };
  if (hasUnknown(args.onSourceMove)) return { value: { ...found, sourceDigest: unknownAs() } };
  if (args.onSourceMove !== "fail") return { value: found };
  return { value: {}, failure: sourceFailure.moved(printSource(source), found.sourceDigest, sourceDigest) };
}
