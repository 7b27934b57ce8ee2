/** Reads what the targets hold, for `pulumi refresh` and for `ImportedImage.get`. */
import { isDeepStrictEqual } from "node:util";
import type { ReadResult } from "@pulumi/pulumi/dynamic";
import type { Azure } from "../azure/azure";
import { ImportError } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { targetFailure } from "../failure/target";
import type { Digest } from "../reference/digest";
import type { Target } from "../reference/target";
import type { DesiredImage } from "../resource/desired-image";
import { inputsOf, type Outputs, recordedTargets, type Targets, toOutputs } from "../resource/state";
import type { TargetDigests } from "./plan";
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
): Promise<ReadResult> {
  const registry = new TargetRegistry(recorded.loginServer, azure);
  const held = await registry.readDigests(recordedTargets(recorded), recorded.sourceDigest, signal);
  if (held === "unreadable") return (await isDeleted(recorded, azure)) ? {} : { id, props: recorded };

  const targets = existing(held);
  if (isDeepStrictEqual(targets, { ...recorded.targets })) return { id, props: recorded };
  const found = { ...recorded, targets };
  return { id, props: found, inputs: inputsOf(found) };
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
