import { isDeepStrictEqual } from "node:util";
import type { ReadResult } from "@pulumi/pulumi/dynamic";
import type { Azure } from "../azure/azure";
import { ImportError, registryFailure } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { type Inputs, inputsOf, type Outputs, outputsOf, type Targets, targetNames } from "../resource/state";
import { isDeleted, TargetRegistry } from "./target-registry";

/**
 * What the targets hold now, for a refresh. A vanished tag loses its key, a moved one shows somebody else's digest;
 * `sourceDigest` stays what we put there. Where the target cannot be read the record stands, unless the registry is gone.
 */
export async function refreshTargets(
  id: string,
  recorded: Outputs,
  azure: Azure,
  signal: AbortSignal,
): Promise<ReadResult> {
  const names = [...new Set([...targetNames(recorded), ...Object.keys(recorded.targets)])];
  const held = await new TargetRegistry(recorded, azure).readDigests(names, recorded.sourceDigest, signal);
  if (held === "unreadable") return (await isDeleted(recorded, azure)) ? {} : { id, props: recorded };

  const targets = existing(held);
  if (isDeepStrictEqual(targets, { ...recorded.targets })) return { id, props: recorded };
  const found = { ...recorded, targets };
  return { id, props: found, inputs: inputsOf(found) };
}

/** What is in a registry that this resource did not fill, for `ImportedImage.get`. The first target tells the digest. */
export async function readExisting(id: string, inputs: Inputs, azure: Azure, signal: AbortSignal): Promise<ReadResult> {
  const target = new TargetRegistry(inputs, azure);
  const names = targetNames(inputs);
  const [first = ""] = names;
  const sourceDigest = (await readDigestsOrFail(target, [first], inputs.sourceDigest, signal)).get(first);
  if (sourceDigest === undefined) {
    throw new ImportError(registryFailure.notFound("target", `${inputs.loginServer}/${first}`));
  }
  // Of a repository without tag one can only ask whether it holds this digest.
  const others = await readDigestsOrFail(target, names.slice(1), sourceDigest, signal);
  const held = new Map([[first, sourceDigest], ...others]);
  const evidence = await target.readDetails(first, sourceDigest, signal);
  const found = outputsOf(inputs, { sourceDigest, targets: existing(held), ...evidence, verifiedBy: "digest" });
  return { id, props: found, inputs: inputsOf(found) };
}

async function readDigestsOrFail(
  target: TargetRegistry,
  names: readonly string[],
  digest: Digest | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Digest | undefined>> {
  const held = await target.readDigests(names, digest, signal);
  if (held !== "unreadable") return held;
  throw new ImportError(registryFailure.unreachable("target", target.loginServer, "it cannot be read from here"));
}

function existing(held: ReadonlyMap<string, Digest | undefined>): Targets {
  return Object.fromEntries([...held].flatMap(([name, digest]) => (digest === undefined ? [] : [[name, digest]])));
}
