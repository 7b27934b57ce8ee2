/** Completes the valid arguments of an `ImportedRepository` with what is known before anything is imported: its tags. */
import type { Azure } from "../../azure/azure";
import { type Failure, formatFailure, isUnavailable } from "../../failure/failure";
import { repositoryFailure } from "../../failure/repository";
import { recordedTagsKept, tagPostponed, tagsNotKept } from "../../failure/source";
import type { Digest } from "../../reference/digest";
import { parseTag } from "../../reference/tag";
import type { ParsedRepository } from "../../resource/repository-arguments";
import { printRepositorySource, type RepositorySource } from "../../resource/repository-source";
import {
  type FoundTags,
  imageSource,
  policiesOf,
  type RepositoryArguments,
  type RepositoryContext,
  type RepositoryInputs,
  selectionKey,
  selectionOf,
  sourceRepositoryKey,
  toTargetTag,
  verifiedOf,
} from "../../resource/repository-state";
import { type Source, sourceKey } from "../../resource/source";
import type { Arguments, Inputs } from "../../resource/state";
import {
  parseTagRecords,
  parseTags,
  printTagRecords,
  type TagRecord,
  type TagRecords,
  type TagTexts,
} from "../../resource/tag-records";
import { hasUnknown, UNKNOWN } from "../../resource/unknown";
import { findTags, type TagReader } from "../../source/find-tags";
import { completeInputs, resolveRegistry, type SourceReader } from "../check-inputs";

/** What `check` knows beside the arguments. */
export interface RepositoryCheckContext extends RepositoryContext {
  /** `ignoreChanges: ["tags"]` keeps what is recorded. */
  readonly keepTags: boolean;
  /** `ignoreChanges: ["referrers"]` keeps what is recorded about referrers. */
  readonly keepReferrers: boolean;
  /** The time of the check, in milliseconds since the epoch. */
  readonly now: number;
}

/** Inputs, and the reasons for which they cannot be used. */
export interface CompletedRepository {
  readonly inputs: RepositoryInputs;
  readonly failures: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/** How many tags are named with a problem of their own. */
const NAMED = 10;

/** A tag of the source, its name in the target, and what the source says about it. */
interface SelectedTag {
  readonly tag: string;
  readonly target: string;
  readonly digest?: Digest;
  readonly failure?: Failure;
}

/** The texts of the inputs, and what they depend on. */
type TagInputs = Omit<TagTexts, "imported" | "pending"> & Pick<RepositoryInputs, "verified">;

/** Completes arguments. What is unknown in a preview stays the engine's marker. */
export async function completeRepository(
  parsed: ParsedRepository,
  context: RepositoryCheckContext,
  old: Partial<RepositoryInputs>,
  azure: () => Azure,
  reader: SourceReader & TagReader,
): Promise<CompletedRepository> {
  const { args } = parsed;
  const registry = await resolveRegistry(parsed.registry, context, old, azure);
  const targetRepository = args.targetRepository ?? parsed.source?.repository ?? UNKNOWN;
  const isSameTarget = old.loginServer === registry.value.loginServer && old.targetRepository === targetRepository;
  const recorded = isSameTarget || context.keepTags ? old : {};
  const found = await findTagInputs(parsed, { ...registry.value, targetRepository }, context, recorded, azure, reader);
  const { tags, referrers, ...others } = args;
  return {
    inputs: {
      ...others,
      ...(context.timeouts && { timeouts: context.timeouts }),
      ...registry.value,
      targetRepository,
      ...found.value,
    },
    failures: bounded([...(registry.failure ? [registry.failure] : []), ...found.failures]),
    warnings: bounded([...(registry.warning ? [registry.warning] : []), ...found.warnings]),
  };
}

/** What becomes of the tags, each as the image that it is. */
interface FoundTagInputs {
  readonly value: TagInputs;
  readonly failures: readonly Failure[];
  readonly warnings: readonly Failure[];
}

async function findTagInputs(
  { args, source, registry }: ParsedRepository,
  target: Pick<RepositoryInputs, "registryId" | "loginServer" | "targetRepository">,
  context: RepositoryCheckContext,
  recorded: Partial<RepositoryInputs>,
  azure: () => Azure,
  reader: SourceReader & TagReader,
): Promise<FoundTagInputs> {
  if (context.keepTags) return { value: recordedTags(recorded), failures: [], warnings: [] };
  if (
    source === undefined ||
    hasUnknown([context.lookup, args.tags, selectionOf(args), args.stripPrefix, args.tagSuffix])
  ) {
    return { value: { tags: UNKNOWN }, failures: [], warnings: [] };
  }
  const found = await selectTags(args, source, context, reader);
  if (found.failure) return keepRecorded(found.failure, args, recorded);
  const known = parseTagRecords(recorded);
  const all = toSelectedTags(found, args);
  const selected = all.filter((one) => !isPostponed(one, args, known));
  const problem = findCollision(selected) ?? findShrinking(selected, args, source, recorded);
  if (problem) return { value: { tags: "" }, failures: [problem], warnings: [] };

  const shared = sharedByDigest(reader);
  const isKnown = !hasUnknown(target.loginServer);
  const completed = await Promise.all(
    selected.map(async (one) => {
      const image = toImage(one, args, target);
      const lookup = {
        source: sourceKey(image),
        ...(one.failure ? { failure: one.failure } : { digest: one.digest as Digest }),
      };
      const old = toRecordedImage(one, image, args, target, recorded, known.get(one.target));
      const parsed = { args: image, registry: isKnown ? registry : undefined, source: toSource(one, source) };
      const result = await completeInputs(parsed, { ...context, lookup }, old, azure, shared);
      return { ...one, ...result };
    }),
  );
  const failures = completed.flatMap((one) => one.failures);
  const warnings = completed.flatMap((one) => one.warnings);
  for (const one of all) if (one.failure && isPostponed(one, args, known)) warnings.push(tagPostponed(one.failure));
  if (all.length === 0) {
    warnings.push(repositoryFailure.nothingSelected(printRepositorySource(source)));
  }
  return { value: toTagInputs(completed), failures, warnings };
}

/** What the program found, unless a transform changed the selection afterwards. */
function selectTags(
  args: RepositoryArguments,
  source: RepositorySource,
  { lookup }: RepositoryContext,
  reader: TagReader,
): Promise<FoundTags> | FoundTags {
  const isForThis = lookup?.source === selectionKey(args);
  const lackedCredentials = lookup?.withCredentials === false && source.credentials !== undefined;
  const hasFailed = lookup?.failure !== undefined || lookup?.unresolved !== undefined;
  return isForThis && !(hasFailed && lackedCredentials) ? lookup : findTags(args, source, reader);
}

/** A new tag whose digest the source does not tell at the moment; `"keep"` continues without it. */
function isPostponed(
  { target, failure }: SelectedTag,
  { onSourceUnavailable }: RepositoryArguments,
  known: TagRecords,
): boolean {
  return failure !== undefined && onSourceUnavailable === "keep" && isUnavailable(failure) && !known.has(target);
}

function toSelectedTags({ tags, unresolved = [] }: FoundTags, args: RepositoryArguments): SelectedTag[] {
  const resolved = [...parseTags(tags)].map(([tag, digest]) => ({ tag, digest: digest as Digest }));
  return [...resolved, ...unresolved].map((one) => ({ ...one, target: toTargetTag(one.tag, args) }));
}

/** Two tags of the source that would have one name in the target, or a name that is no tag. */
function findCollision(selected: readonly SelectedTag[]): Failure | undefined {
  const names = new Map<string, string>();
  for (const { tag, target } of selected) {
    const other = names.get(target);
    if (other !== undefined) return repositoryFailure.sameName(tag, other, target);
    if (!isTag(target)) return repositoryFailure.notATag(tag, target);
    names.set(target, tag);
  }
  return undefined;
}

function isTag(text: string): boolean {
  try {
    parseTag(text);
    return true;
  } catch {
    return false;
  }
}

/** Keeps a source that answers with too little from removing what was imported. */
function findShrinking(
  selected: readonly SelectedTag[],
  { onDelete = "retain", allowShrink }: RepositoryArguments,
  source: RepositorySource,
  recorded: Partial<RepositoryInputs>,
): Failure | undefined {
  const known = [...parseTagRecords(recorded).keys()];
  if (onDelete === "retain" || allowShrink || known.length === 0) return undefined;
  const wanted = new Set(selected.map(({ target }) => target));
  const leaving = known.filter((tag) => !wanted.has(tag));
  const name = printRepositorySource(source);
  if (wanted.size === 0) return repositoryFailure.selectionEmpty(name, known.length);
  return leaving.length * 2 > known.length ? repositoryFailure.selectionShrunk(name, leaving, known.length) : undefined;
}

/** The arguments of the image behind a tag. */
function toImage(
  { tag, target }: SelectedTag,
  args: RepositoryArguments,
  { targetRepository }: Pick<RepositoryInputs, "targetRepository">,
): Arguments {
  return {
    registry: args.registry,
    source: imageSource(args.source, tag),
    targetTags: [`${targetRepository}:${target}`],
    ...policiesOf(args),
  };
}

function toSource({ tag }: SelectedTag, { registry, repository, credentials }: RepositorySource): Source {
  return { registry, repository, tag: parseTag(tag), digestFrom: "source", ...(credentials && { credentials }) };
}

/** What is recorded of the image behind a tag. */
function toRecordedImage(
  { target: name }: SelectedTag,
  image: Arguments,
  args: RepositoryArguments,
  { registryId, loginServer }: Pick<RepositoryInputs, "registryId" | "loginServer">,
  recorded: Partial<RepositoryInputs>,
  record: TagRecord | undefined,
): Partial<Inputs> {
  if (record === undefined) return { registryId, loginServer };
  const isSame =
    recorded.source !== undefined &&
    sourceRepositoryKey({ source: recorded.source }) === sourceRepositoryKey(args) &&
    (recorded.stripPrefix ?? "") === (args.stripPrefix ?? "") &&
    (recorded.tagSuffix ?? "") === (args.tagSuffix ?? "");
  const { digest, held, candidate, signature, isPending, ...rest } = record;
  return {
    registryId,
    loginServer,
    ...(isSame && { source: image.source }),
    ...(recorded.triggers && { triggers: recorded.triggers }),
    sourceDigest: digest,
    targets: { [`${recorded.targetRepository}:${name}`]: digest },
    ...(candidate !== undefined && { candidate }),
    ...(signature && recorded.verified && { verified: verifiedOf(recorded.verified, digest), signature }),
    ...rest,
  };
}

/** One text of each kind out of what was found for each tag. */
function toTagInputs(completed: readonly (SelectedTag & { readonly inputs: Inputs })[]): TagInputs {
  if (completed.some(({ inputs }) => hasUnknown(inputs.sourceDigest))) return { tags: UNKNOWN };
  const records = completed.flatMap(({ target, inputs }) => {
    const { sourceDigest, candidate, referrers, referrersFingerprint, signature, signedBy } = inputs;
    if (sourceDigest === undefined) return [];
    const facts = { candidate, referrers, referrersFingerprint, signature, signedBy };
    const known = Object.fromEntries(
      Object.entries(facts).filter(([, value]) => value !== undefined && value !== UNKNOWN),
    );
    return [[target, { digest: sourceDigest, held: sourceDigest, ...known }] as const];
  });
  const inputs = completed.map((one) => one.inputs);
  const verified = inputs.find((one) => one.verified !== undefined)?.verified?.split(" ", 1)[0];
  return {
    ...printTagRecords(new Map<string, TagRecord>(records)),
    ...(inputs.some(({ referrers }) => referrers === UNKNOWN) && { referrers: UNKNOWN }),
    ...(inputs.some(({ signature }) => signature === UNKNOWN) && { signatures: UNKNOWN }),
    ...(verified !== undefined && { verified }),
  };
}

/** Applies `onSourceUnavailable` where the tags could not be listed. */
function keepRecorded(
  failure: Failure,
  { source, onSourceUnavailable = "fail" }: RepositoryArguments,
  recorded: Partial<RepositoryInputs>,
): FoundTagInputs {
  const none = { value: { tags: "" }, warnings: [] };
  if (!isUnavailable(failure)) return { ...none, failures: [failure] };
  const isRecorded =
    recorded.source !== undefined &&
    sourceRepositoryKey({ source: recorded.source }) === sourceRepositoryKey({ source });
  if (!isRecorded) return { ...none, failures: [failure] };
  if (onSourceUnavailable !== "keep") return { ...none, failures: [tagsNotKept(failure)] };
  return { value: recordedTags(recorded), failures: [], warnings: [recordedTagsKept(failure)] };
}

/** What is recorded, as it should be: what a refresh found in the target is to be repaired. */
function recordedTags(recorded: Partial<RepositoryInputs>): TagInputs {
  const records = [...parseTagRecords(recorded)].map(
    ([tag, { isPending, ...record }]) => [tag, { ...record, held: record.digest }] as const,
  );
  return {
    ...printTagRecords(new Map(records)),
    ...(recorded.verified !== undefined && { verified: recorded.verified }),
  };
}

/** Reads what tags with the same digest have in common once. */
function sharedByDigest(reader: SourceReader): SourceReader {
  const once = <A extends readonly [Source, Digest, ...unknown[]], R>(read: (...args: A) => Promise<R>) => {
    const results = new Map<Digest, Promise<R>>();
    return (...args: A): Promise<R> => {
      const result = results.get(args[1]) ?? read(...args);
      results.set(args[1], result);
      return result;
    };
  };
  return {
    resolve: (source) => reader.resolve(source),
    resolvePlatform: (...args) => reader.resolvePlatform(...args),
    pushTime: (...args) => reader.pushTime(...args),
    listReferrers: once((...args: Parameters<SourceReader["listReferrers"]>) => reader.listReferrers(...args)),
    collectReferrers: once((...args: Parameters<SourceReader["collectReferrers"]>) => reader.collectReferrers(...args)),
    findSignatures: once((...args: Parameters<SourceReader["findSignatures"]>) => reader.findSignatures(...args)),
  };
}

/** Each failure once, and not more than a reader can use. */
function bounded(failures: readonly Failure[]): Failure[] {
  const distinct = [...new Map(failures.map((failure) => [formatFailure(failure), failure])).values()];
  const [next, ...others] = distinct.slice(NAMED);
  return next === undefined
    ? distinct
    : [...distinct.slice(0, NAMED), repositoryFailure.moreTags(next, others.length + 1)];
}
