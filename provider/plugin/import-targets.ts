import type { ImportRequest } from "../azure/import-operation";
import { ImportError, targetFailure } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { registryOf } from "../reference/registry-name";
import { printSource, type SourceImage, sourceImage } from "../resource/source";
import { type Inputs, isTag } from "../resource/state";
import type { OperationContext } from "./context";
import { explainSourceFailure, toImportSource } from "./import-source";
import type { TargetDigests, TargetPlan } from "./plan";
import type { TargetRegistry } from "./target-registry";

/** What is imported, and where to. */
export interface ImportedContent {
  readonly desired: Inputs;
  /** `undefined` when the reference itself is imported, and the target will tell the digest. */
  readonly digest: Digest | undefined;
  readonly target: TargetRegistry;
}

/** One import operation: its mode, and the targets that it fills. */
export interface Batch {
  readonly mode: ImportRequest["mode"];
  readonly targets: readonly string[];
}

/**
 * One operation per mode. Ours first: when somebody was faster with a new tag, the tags that are ours have moved. A
 * manifest without a tag overwrites nothing, so it goes along with whatever is imported.
 */
export function toBatches({ move, add }: TargetPlan): Batch[] {
  const tags = add.filter(isTag);
  const untagged = add.filter((target) => !isTag(target));
  const batches: Batch[] =
    move.length > 0 || tags.length === 0
      ? [
          { mode: "Force", targets: [...move, ...untagged] },
          { mode: "NoForce", targets: tags },
        ]
      : [{ mode: "NoForce", targets: add }];
  return batches.filter(({ targets }) => targets.length > 0);
}

/** How long the target is looked at after a request that Azure has probably not taken on, in milliseconds. */
const SHORT_WAIT_MS = 10_000;

/** Imports once. Whatever the operation says, the target has the last word where it can be read. */
export async function importBatch(
  { mode, targets }: Batch,
  { desired, digest, target }: ImportedContent,
  { azure, signal, progress }: OperationContext,
): Promise<void> {
  const image = sourceImage(desired);
  progress("importing", `${shortSource(image, digest)} → ${shortList(targets)}`);
  const outcome = await azure.importImage(
    registryOf(desired.registryId, desired.loginServer),
    {
      source: await toImportSource(image, digest, azure),
      targetTags: targets.filter(isTag),
      untaggedTargetRepositories: targets.filter((name) => !isTag(name)),
      mode,
    },
    { signal },
  );
  if (outcome.state === "succeeded") return;

  const tells = (found: ReadonlyMap<string, Digest | undefined>) => {
    if (outcome.state === "unknown") return targets.every((name) => found.get(name) === digest);
    return !outcome.tagExists || targets.some((name) => found.get(name) !== undefined);
  };
  const isLost = outcome.state === "unknown" && !outcome.accepted;
  const patience = isLost ? SHORT_WAIT_MS : undefined;
  const held = await target.waitForDigests(targets, digest, signal, tells, patience).catch((error) => {
    // When the time is up, what the operation said is worth more than that nothing can be read any more.
    if (!signal.aborted) throw error;
    return "unreadable" as const;
  });
  if (held !== "unreadable" && digest !== undefined && targets.every((name) => held.get(name) === digest)) return;
  if (outcome.state === "failed" && outcome.tagExists) {
    if (held === "unreadable") throw new ImportError(targetFailure.uncomparable(desired.loginServer, targets));
    const conflicts = targets.flatMap((name) => {
      const holds = held.get(name);
      return holds === undefined || holds === digest ? [] : [{ target: name, holds }];
    });
    if (conflicts.length > 0)
      throw new ImportError(targetFailure.conflict(desired.loginServer, conflicts, digest, false));
  }
  throw new ImportError(await explainSourceFailure(image, outcome.failure, azure));
}

/**
 * The digest that Azure gave to what it imported by reference. A replica may still show what a tag held before; so a tag
 * that was moved and looks the same is given a while, though the image may really be the same.
 */
export async function readImportedDigest(
  { targets }: Batch,
  { desired, target }: ImportedContent,
  before: TargetDigests,
  { signal }: OperationContext,
): Promise<Digest | undefined> {
  const [tag = ""] = targets.filter(isTag);
  const old = before === "unreadable" ? undefined : before.get(tag);
  const isThere = (found: ReadonlyMap<string, Digest | undefined>) => found.get(tag) !== undefined;
  const isNew = (found: ReadonlyMap<string, Digest | undefined>) => isThere(found) && found.get(tag) !== old;
  const held =
    old === undefined ? undefined : await target.waitForDigests([tag], undefined, signal, isNew, SHORT_WAIT_MS);
  const last = held ?? (await target.waitForDigests([tag], undefined, signal, isThere));
  const digest = last === "unreadable" ? undefined : last.get(tag);
  if (digest === undefined) throw new ImportError(targetFailure.digestUnknown(desired.loginServer));
  return digest;
}

/** Reads back what was imported; a replica may show it late. */
export async function verifyTargets(
  names: readonly string[],
  { digest, target }: ImportedContent,
  { signal, progress }: OperationContext,
): Promise<TargetDigests> {
  progress("verifying", shortList(names));
  const proves = (held: Digest | undefined) => held !== undefined && (digest === undefined || held === digest);
  const held = await target.waitForDigests(names, digest, signal, (found) =>
    names.every((name) => proves(found.get(name))),
  );
  if (held === "unreadable") return held;
  const unproven = names.filter((name) => !proves(held.get(name)));
  if (unproven.length === 0) return held;
  throw new ImportError(
    targetFailure.notVerified(
      target.loginServer,
      unproven.map((name) => ({ target: name, holds: held.get(name) })),
      digest,
    ),
  );
}

/** `docker.io/library/node@sha256:4439307b758a…`: a row of a terminal has little room. */
function shortSource(image: SourceImage, digest: Digest | undefined): string {
  const { registry, repository } = image;
  if (digest === undefined) return printSource(image);
  return `${registry.host ?? registry.name}/${repository}@${digest.slice(0, 19)}…`;
}

function shortList([first = "", ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}
