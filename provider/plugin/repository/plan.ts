/**
 * Decides what a change of the inputs of an `ImportedRepository` asks for: images to import, and tags that leave.
 *
 * Pure functions, no I/O. Each image is planned as that of an `ImportedImage`.
 */
import { isDeepStrictEqual } from "node:util";
import type { Digest } from "../../reference/digest";
import {
  ofTargets,
  type RepositoryInputs,
  type RepositoryOutputs,
  selectionKey,
  toImageInputs,
  toImageOutputs,
} from "../../resource/repository-state";
import { type Inputs, type Outputs, targetNames } from "../../resource/state";
import { parseTagRecords, type TagRecord, type TagRecords } from "../../resource/tag-records";
import { hasUnknown, UNKNOWN } from "../../resource/unknown";
import { type Change, isReplacementProbe, planChange } from "../plan";

/** An image to import: tags that get the same digest, and hold the same one until then. */
export interface ImageChange {
  readonly tags: readonly string[];
  readonly inputs: Inputs;
  /** What the state says of these tags; `undefined` when it has none of them. */
  readonly recorded: Outputs | undefined;
}

/** What has to happen so that the state matches the inputs. */
export interface RepositoryPlan {
  readonly change: Change;
  /** The images to import, to lock, or otherwise to change in the registry. */
  readonly changed: readonly ImageChange[];
  /** The images of which at most the state changes. */
  readonly unchanged: readonly ImageChange[];
  /** The images of the state whose tags are no longer wanted. */
  readonly leaving: readonly Outputs[];
}

/**
 * Compares inputs with the state; `undefined` when there is none.
 *
 * @param previous - In a create: the state of the resource that it replaces.
 */
export function planRepository(
  desired: RepositoryInputs,
  recorded: RepositoryOutputs | undefined,
  previous: RepositoryOutputs | undefined = recorded,
): RepositoryPlan {
  const none = { changed: [], unchanged: [], leaving: [] };
  if (recorded !== undefined && isReplacement(desired, recorded)) return { change: "replace", ...none };
  if (desired.tags === UNKNOWN) return { change: "apply", ...none };
  const [wanted, known] = [parseTagRecords(desired), parseTagRecords(previous ?? {})];
  const images = toImages(wanted, known).map((tags) => toImageChange(tags, desired, wanted, previous, known));
  const changes = images.map((image) => ({ image, change: recorded === undefined ? "apply" : changeOf(image) }));
  const changed = changes.flatMap(({ image, change }) => (change === "apply" ? image : []));
  const unchanged = changes.flatMap(({ image, change }) => (change === "apply" ? [] : image));
  const leaving =
    recorded === undefined ? [] : imagesOf(recorded, known, (tag) => !wanted.has(tag)).map(({ image }) => image);
  const isApplied = changed.length > 0 || leaving.length > 0;
  const isRecorded = changes.some(({ change }) => change !== "unchanged") || recordDiffers(desired, recorded);
  return { change: isApplied ? "apply" : isRecorded ? "record" : "unchanged", changed, unchanged, leaving };
}

/** Another registry or repository, or one that is about to be replaced. */
function isReplacement(desired: RepositoryInputs, recorded: RepositoryOutputs): boolean {
  const differs = (one: string, other: string) => one !== UNKNOWN && one !== other;
  return (
    isReplacementProbe(desired) ||
    differs(desired.loginServer, recorded.loginServer) ||
    differs(desired.targetRepository, recorded.targetRepository)
  );
}

function toImageChange(
  tags: readonly string[],
  desired: RepositoryInputs,
  wanted: TagRecords,
  recorded: RepositoryOutputs | undefined,
  known: TagRecords,
): ImageChange {
  const [first = ""] = tags;
  const inputs = toImageInputs(desired, tags, wanted.get(first) as TagRecord);
  const record = known.get(first);
  if (recorded === undefined || record === undefined) return { tags, inputs, recorded: undefined };
  const held = new Map(tags.map((tag) => [tag, known.get(tag)?.held]));
  return { tags, inputs, recorded: toImageOutputs(recorded, held, record) };
}

/** Each tag of an image alone, for tags of which somebody else holds some. */
export function splitImage({ tags, inputs, recorded }: ImageChange): ImageChange[] {
  return tags.map((tag, at) => {
    const targetTags = [targetNames(inputs)[at] ?? ""];
    return { tags: [tag], inputs: { ...inputs, targetTags }, recorded: recorded && ofTargets(recorded, targetTags) };
  });
}

function changeOf({ inputs, recorded }: ImageChange): Change {
  return recorded === undefined ? "apply" : planChange(inputs, recorded);
}

/** Groups tags that are imported together: one operation of Azure sets any number of tags. */
function toImages(wanted: TagRecords, known: TagRecords): string[][] {
  return groupBy(wanted.keys(), (tag) => JSON.stringify([factsOf(wanted.get(tag)), factsOf(known.get(tag))]));
}

/** The images of a state, of some of its tags: all tags that were imported with the same digest are one. */
export function imagesOf(
  recorded: RepositoryOutputs,
  records: TagRecords,
  isIncluded: (tag: string) => boolean = () => true,
): { readonly tags: readonly string[]; readonly image: Outputs }[] {
  const tags = [...records.keys()].filter(isIncluded);
  return groupBy(tags, (tag) => JSON.stringify(factsOf(records.get(tag)))).map((group) => {
    const held = new Map<string, Digest | undefined>(group.map((tag) => [tag, records.get(tag)?.held]));
    return { tags: group, image: toImageOutputs(recorded, held, records.get(group[0] ?? "") as TagRecord) };
  });
}

/** What tags of one image have in common. What a tag holds now, and what waits for it, differs from tag to tag. */
function factsOf(record: TagRecord | undefined): unknown {
  if (record === undefined) return null;
  const { digest, referrers, referrersFingerprint, signature, signedBy, isPending } = record;
  return [digest, referrers, referrersFingerprint, signature, signedBy, isPending];
}

/** Whether something that belongs to no image is to be recorded. */
function recordDiffers(desired: RepositoryInputs, recorded: RepositoryOutputs | undefined): boolean {
  if (recorded === undefined || hasUnknown([desired.source, desired.triggers])) return true;
  const spell = ({
    candidates,
    verified,
    stripPrefix,
    tagSuffix,
    allowShrink,
    timeouts,
    ...args
  }: RepositoryInputs) => [
    selectionKey({ ...args, tags: [] }),
    [candidates, verified, stripPrefix, tagSuffix, allowShrink ?? false, timeouts],
  ];
  return !isDeepStrictEqual(spell(desired), spell(recorded));
}

function groupBy(tags: Iterable<string>, keyOf: (tag: string) => string): string[][] {
  const groups = new Map<string, string[]>();
  for (const tag of tags) {
    const key = keyOf(tag);
    const group = groups.get(key);
    if (group) group.push(tag);
    else groups.set(key, [tag]);
  }
  return [...groups.values()];
}
