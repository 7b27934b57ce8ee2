/**
 * The import operation of Resource Manager.
 *
 * 1. POST importImage → 202 with the Location of the operation (200: done at once)
 * 2. GET Location → 202 while it runs, each time with a new signed Location; 200 or an error at its end
 *
 * The SDK sends step 1. Its poller is not used for step 2: it calls a `200 {"status":"Failed"}` and a 202 without
 * Location a success, drops the service's details, repeats its first error for ever, and takes its bearer token to
 * whatever host Location names.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isPassing } from "../registry/retry";
import type { ImportOptions, ImportRequest } from "./import-image";
import type { RegistryNames } from "./registries";
import { type Answer, type ResourceManager, retryAfter } from "./resource-manager";

/** The wait between polls where the service asks for none, in milliseconds. */
const POLL_INTERVAL = 2_000;

/** How often a poll that went wrong, its own retries included, is made again before the operation is given up. */
const LOST_POLLS = 5;

/** How an import ended, as far as can be told. `accepted`: Azure has taken it on, so that it may still be running. */
export type End =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly answer: Answer }
  | { readonly kind: "not started"; readonly error: unknown }
  | { readonly kind: "throttled" }
  | { readonly kind: "time is up"; readonly accepted: boolean }
  | { readonly kind: "out of sight"; readonly accepted: boolean; readonly reason: Answer | Error | string };

/** Starts an import and follows it to its end. Nothing is thrown. */
export async function runImport(
  arm: ResourceManager,
  registry: RegistryNames,
  request: ImportRequest,
  { signal }: ImportOptions,
): Promise<End> {
  const started = await start(arm, registry, request, signal);
  if ("kind" in started) return started;
  let answer = started;
  let location: URL | undefined;
  for (;;) {
    const end = endOf(answer);
    if (end) return end;
    location = locationOf(answer, arm.origin) ?? location;
    if (!location) return outOfSight("did not tell where to follow it");
    // A poll carries our token, which is nobody else's business.
    if (location.origin !== arm.origin.origin) return outOfSight("sends us to another host to follow it");
    const next = await poll(arm, location, retryAfter(answer.headers) ?? POLL_INTERVAL, signal);
    if ("kind" in next) return next;
    answer = next;
  }
}

/** Waits and asks, again after a poll that went wrong. */
async function poll(arm: ResourceManager, location: URL, wait: number, signal: AbortSignal): Promise<Answer | End> {
  for (let lost = 0; ; lost++) {
    let reason: Answer | Error;
    try {
      await sleep(wait, undefined, { signal });
      const answer = await arm.send({ url: location.href }, signal);
      if (!isPassing(answer.status)) return answer;
      reason = answer;
    } catch (error) {
      if (signal.aborted) return { kind: "time is up", accepted: true };
      reason = error as Error;
    }
    if (lost === LOST_POLLS) return outOfSight(reason);
  }
}

async function start(
  arm: ResourceManager,
  { resourceGroup, name }: RegistryNames,
  { source, targetTags, untaggedTargetRepositories, mode }: ImportRequest,
  abortSignal: AbortSignal,
): Promise<Answer | End> {
  const body = {
    source,
    mode,
    ...(targetTags.length > 0 && { targetTags: [...targetTags] }),
    ...(untaggedTargetRepositories.length > 0 && { untaggedTargetRepositories: [...untaggedTargetRepositories] }),
  };
  let reason: unknown;
  try {
    await arm.client.registries.importImage(resourceGroup, name, body, { abortSignal }).submitted();
  } catch (error) {
    reason = error;
  }
  const answer = arm.answer();
  if (abortSignal.aborted)
    return answer?.status === 429 ? { kind: "throttled" } : { kind: "time is up", accepted: false };
  if (!answer) return arm.inDoubt() ? outOfSight(reason as Error, false) : { kind: "not started", error: reason };
  if (isPassing(answer.status)) return outOfSight(answer, false);
  return answer.status >= 400 ? { kind: "failed", answer } : answer;
}

/** The end that an answer tells, if it is one. */
function endOf(answer: Answer): End | undefined {
  const { status, body } = answer;
  if (status === 202) return undefined;
  if (status === 200 || status === 201) {
    return /"status"\s*:\s*"(failed|cancell?ed)"/i.test(body) ? { kind: "failed", answer } : { kind: "succeeded" };
  }
  // These speak of the poll and not of the import: the address has run out, or rights on the registry do not reach it.
  return status < 400 || [401, 403, 404].includes(status) ? outOfSight(answer) : { kind: "failed", answer };
}

function locationOf(answer: Answer, base: URL): URL | undefined {
  const location = answer.headers.get("location");
  return location !== undefined && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
}

function outOfSight(reason: Answer | Error | string, accepted = true): End {
  return { kind: "out of sight", accepted, reason };
}
