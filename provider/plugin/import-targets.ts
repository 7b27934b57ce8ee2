/** Imports an image into its targets and reads back what the targets hold. */
import type { ImportRequest, ImportWatch } from "../azure/import-operation";
import { ImportError } from "../failure/failure";
import { targetFailure } from "../failure/target";
import type { Digest } from "../reference/digest";
import { isTagged, type Target } from "../reference/target";
import type { DesiredImage } from "../resource/desired-image";
import { printSource, printSourceRegistry, type Source } from "../resource/source";
import type { OperationContext } from "./context";
import { toImportSource } from "./import-source";
import { watchTargets } from "./import-watch";
import type { TargetDigests, TargetPlan } from "./plan";
import type { TargetRegistry } from "./target-registry";
import { untilSourceAllows } from "./throttled-source";

/** An image on its way into the target registry. */
export interface ImageImport {
  readonly desired: DesiredImage;
  /** `undefined` while the reference itself is imported, and only the target can tell the digest. */
  readonly digest: Digest | undefined;
  readonly registry: TargetRegistry;
}

/** The targets of one import operation. */
export interface Batch {
  readonly mode: ImportRequest["mode"];
  readonly targets: readonly Target[];
}

/**
 * Groups targets by mode, one operation each. `Force` goes first: when a new tag turns out to be taken, the tags that are
 * ours have already moved. A manifest without a tag overwrites nothing and goes along with either mode.
 */
export function toBatches({ move, add }: TargetPlan): Batch[] {
  const newTags = add.filter(isTagged);
  const untagged = add.filter((target) => !isTagged(target));
  const forced = move.length > 0 || newTags.length === 0 ? [...move, ...untagged] : [];
  const unforced = forced.length > 0 ? newTags : add;
  const batches: Batch[] = [
    { mode: "Force", targets: forced },
    { mode: "NoForce", targets: unforced },
  ];
  return batches.filter(({ targets }) => targets.length > 0);
}

/** How long the targets are read after a request that Azure has probably not accepted, in milliseconds. */
const SHORT_WAIT_MS = 10_000;

/**
 * Imports one batch. Where the target can be read, it decides whether the import succeeded.
 *
 * @param before - What the targets held before the import.
 * @returns whether the targets were seen to hold the digest
 */
export async function importBatch(
  { mode, targets }: Batch,
  { desired, digest, registry }: ImageImport,
  before: TargetDigests,
  { azure, signal, progress }: OperationContext,
): Promise<boolean> {
  progress("importing", `${shortSource(desired.source, digest)} → ${shortList(targets)}`);
  const request = {
    source: await toImportSource(desired.source, digest, azure),
    targetTags: targets.filter(isTagged).map(({ name }) => name),
    untaggedTargetRepositories: targets.filter((target) => !isTagged(target)).map(({ name }) => name),
    mode,
  };
  const watch = watchOf(targets, digest, before, registry);
  const result = await untilSourceAllows(request.source, signal, () =>
    azure.importImage(desired.registry, request, signal, watch),
  );
  if (result.state === "succeeded") return result.isSeen ?? false;

  const tagExists = result.state === "failed" && result.failure.code === "TARGET_CONFLICT";
  const isEnough = (held: ReadonlyMap<string, Digest | undefined>) => {
    if (result.state !== "failed") return targets.every(({ name }) => held.get(name) === digest);
    return !tagExists || targets.some(({ name }) => held.get(name) !== undefined);
  };
  const timeout = result.state === "failed" || result.accepted ? undefined : SHORT_WAIT_MS;
  const held = await registry.waitForDigests(targets, digest, signal, isEnough, timeout).catch((error) => {
    // After the timeout, the result of the operation says more than a target that cannot be read any more.
    if (!signal.aborted) throw error;
    return "unreadable" as const;
  });
  if (isHeldByAll(targets, digest, held)) return true;
  if (tagExists) throwConflict(targets, digest, held, registry.loginServer);
  throw new ImportError(result.failure);
}

/**
 * Watches for the digest in the targets of an import. There is nothing to watch for where the targets cannot be read, where the
 * digest is not known, in a tag that holds it already, and without a tag: only a tag shows that its image is complete.
 */
function watchOf(
  targets: readonly Target[],
  digest: Digest | undefined,
  before: TargetDigests,
  registry: TargetRegistry,
): ImportWatch | undefined {
  const [first, ...others] = targets;
  if (before === "unreadable" || digest === undefined || first === undefined) return undefined;
  if (!targets.every((target) => isTagged(target) && before.get(target.name) !== digest)) return undefined;
  return (signal) =>
    watchTargets(
      async () =>
        isHeldByAll([first], digest, await registry.readImported([first], digest, signal)) &&
        isHeldByAll(others, digest, await registry.readDigests(others, digest, signal)),
      signal,
    );
}

function isHeldByAll(targets: readonly Target[], digest: Digest | undefined, held: TargetDigests): boolean {
  return held !== "unreadable" && digest !== undefined && targets.every(({ name }) => held.get(name) === digest);
}

/** Reports which targets hold another digest, as far as they can be read. */
function throwConflict(
  targets: readonly Target[],
  digest: Digest | undefined,
  held: TargetDigests,
  loginServer: string,
): void {
  if (held === "unreadable") {
    const names = targets.map(({ name }) => name);
    throw new ImportError(targetFailure.unreadable(loginServer, names));
  }
  const conflicts = targets.flatMap(({ name }) => {
    const holds = held.get(name);
    return holds === undefined || holds === digest ? [] : [{ target: name, holds }];
  });
  if (conflicts.length > 0) throw new ImportError(targetFailure.conflict(loginServer, conflicts, digest, false));
}

/**
 * Reads the digest that Azure resolved a reference to. A tag that moved may show its old digest for a while, until the
 * replica has the new one; one that keeps its digest after a short wait has not moved.
 */
export async function readImportedDigest(
  { targets }: Batch,
  { registry }: ImageImport,
  before: TargetDigests,
  signal: AbortSignal,
): Promise<Digest> {
  const tag = targets.find(isTagged);
  const read = async (isEnough: (digest: Digest | undefined) => boolean, timeout?: number) => {
    if (tag === undefined) return undefined;
    const held = await registry.waitForDigests([tag], undefined, signal, (now) => isEnough(now.get(tag.name)), timeout);
    return held === "unreadable" ? undefined : held.get(tag.name);
  };
  const old = before === "unreadable" || tag === undefined ? undefined : before.get(tag.name);
  const digest =
    old === undefined
      ? await read((now) => now !== undefined)
      : await read((now) => now !== undefined && now !== old, SHORT_WAIT_MS);
  if (digest === undefined) throw new ImportError(targetFailure.digestUnknown(registry.loginServer));
  return digest;
}

/** Reads back what was imported; a replica may show it late. */
export async function verifyTargets(
  targets: readonly Target[],
  { digest, registry }: ImageImport,
  { signal, progress }: OperationContext,
): Promise<TargetDigests> {
  progress("verifying", shortList(targets));
  const isVerified = (held: Digest | undefined) => held !== undefined && (digest === undefined || held === digest);
  const held = await registry.waitForDigests(targets, digest, signal, (now) =>
    targets.every(({ name }) => isVerified(now.get(name))),
  );
  if (held === "unreadable") return held;
  const wrong = targets.flatMap(({ name }) =>
    isVerified(held.get(name)) ? [] : [{ target: name, holds: held.get(name) }],
  );
  if (wrong.length > 0) throw new ImportError(targetFailure.notVerified(registry.loginServer, wrong, digest));
  return held;
}

/** `docker.io/library/node@sha256:4439307b758a…`, because a terminal row has little room. */
function shortSource(source: Source, digest: Digest | undefined): string {
  if (digest === undefined) return printSource(source);
  return `${printSourceRegistry(source)}/${source.repository}@${digest.slice(0, 19)}…`;
}

/** The first target, and how many more there are. */
export function shortList([first, ...others]: readonly Target[]): string {
  return `${first?.name}${others.length === 0 ? "" : ` and ${others.length} more`}`;
}
