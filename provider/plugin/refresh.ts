/** Reads what the targets hold, for `pulumi refresh` and for `ImportedImage.get`. */
import { isDeepStrictEqual } from "node:util";
import type { ReadResult } from "@pulumi/pulumi/dynamic";
import type { Azure } from "../azure/azure";
import { ImportError } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { targetFailure } from "../failure/target";
import type { Digest } from "../reference/digest";
import { parseTarget, type Target } from "../reference/target";
import type { DesiredImage } from "../resource/desired-image";
import { isLock, type Lock, lockDiffers, lockParts, toLock } from "../resource/lock";
import { parseReferrers, printReferrers, type Referrer } from "../resource/referrers";
import { inputsOf, type Outputs, recordedTargets, type Targets, toOutputs, withLock } from "../resource/state";
import { toTarget } from "./import-referrers";
import { repositoriesOf, type TargetDigests } from "./plan";
import { isDeleted, TargetRegistry } from "./target-registry";

/**
 * Reads the targets of an image in the state. A tag that is gone loses its key, a tag that moved shows the other digest;
 * `sourceDigest` stays what this resource imported. Where the target cannot be read the state stands, unless the
 * registry was deleted.
 */
export async function refreshTargets(
  id: string,
  recorded: Outputs,
  azure: Azure,
  signal: AbortSignal,
  registry = new TargetRegistry(recorded.loginServer, azure),
): Promise<ReadResult> {
  const held = await registry.readDigests(recordedTargets(recorded), recorded.sourceDigest, signal);
  if (held === "unreadable") return (await isDeleted(recorded, azure)) ? {} : { id, props: recorded };

  const targets = existing(held);
  const lock = await readLock(recorded, targets, registry, signal);
  const referrers = await readReferrers(recorded, registry, signal);
  const found = withReferrers(withLock({ ...recorded, targets }, lock), referrers);
  return isDeepStrictEqual(found, { ...recorded, targets: { ...recorded.targets } })
    ? { id, props: recorded }
    : { id, props: found, inputs: inputsOf(found) };
}

/** The recorded referrers that are in all repositories of the target. */
async function readReferrers(
  recorded: Outputs,
  registry: TargetRegistry,
  signal: AbortSignal,
): Promise<readonly Referrer[]> {
  const repositories = repositoriesOf(recordedTargets(recorded));
  const found = await Promise.all(
    parseReferrers(recorded.referrers).map(async (referrer) => {
      const targets = repositories.map((repository) => toTarget(referrer, repository));
      const held = await registry.readDigests(targets, referrer.digest, signal);
      const isThere = held === "unreadable" || targets.every(({ name }) => held.get(name) === referrer.digest);
      return isThere ? [referrer] : [];
    }),
  );
  return found.flat();
}

/** Outputs with what is left of the referrers; where some are missing, the next check reads them all again. */
function withReferrers({ referrersFingerprint, ...outputs }: Outputs, found: readonly Referrer[]): Outputs {
  const referrers = printReferrers(found);
  if ((outputs.referrers ?? "") !== referrers) return { ...outputs, referrers };
  return { ...outputs, ...(referrersFingerprint !== undefined && { referrersFingerprint }) };
}

/** The recorded lock, with the targets that lack a part of it. */
async function readLock(
  { lock, sourceDigest }: Outputs,
  targets: Targets,
  { client }: TargetRegistry,
  signal: AbortSignal,
): Promise<Lock | undefined> {
  const parts = lockParts(lock);
  if (!isLock(parts)) return lock;
  const unlocked = await Promise.all(
    Object.keys(targets).map(async (name) => {
      const { repository, tag } = parseTarget(name);
      const found = await client.readLock(repository, tag ?? sourceDigest, signal);
      const isLocked = found && !(parts.write && found.writeEnabled) && !(parts.delete && found.deleteEnabled);
      return isLocked ? [] : [name];
    }),
  );
  const found = toLock(parts, unlocked.flat());
  return lockDiffers(found, lock) ? found : lock;
}

/** Reads an image that this resource did not import. The first target gives the digest. */
export async function readExisting(
  id: string,
  { inputs, targets }: DesiredImage,
  azure: Azure,
  signal: AbortSignal,
): Promise<ReadResult> {
  const registry = new TargetRegistry(inputs.loginServer, azure);
  const read = async (some: readonly Target[], digest: Digest | undefined) =>
    readable(await registry.readDigests(some, digest, signal), inputs.loginServer);
  const [first, ...others] = targets;
  const sourceDigest = first && (await read([first], inputs.sourceDigest)).get(first.name);
  if (first === undefined || sourceDigest === undefined) {
    throw new ImportError(registryFailure.notFound("target", `${inputs.loginServer}/${first?.name}`));
  }
  // A repository without a tag can only be asked whether it has this digest.
  const held = new Map([[first.name, sourceDigest], ...(await read(others, sourceDigest))]);
  const details = await registry.readDetails(first, sourceDigest, signal);
  const found = toOutputs(inputs, { sourceDigest, targets: existing(held), ...details, verifiedBy: "digest" });
  return { id, props: found, inputs: inputsOf(found) };
}

function readable(held: TargetDigests, loginServer: string): ReadonlyMap<string, Digest | undefined> {
  if (held !== "unreadable") return held;
  throw new ImportError(targetFailure.unreachable(loginServer));
}

function existing(held: ReadonlyMap<string, Digest | undefined>): Targets {
  return Object.fromEntries([...held].flatMap(([name, digest]) => (digest === undefined ? [] : [[name, digest]])));
}
