/**
 * The import operation of Resource Manager, a long-running operation.
 *
 * 1. POST importImage → 202 with the Location of the operation (200: it is complete)
 * 2. GET Location → 202 while it runs, with a new signed Location each time; 200 or an error when it ends
 *
 * https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
 *
 * The SDK sends step 1. Its poller is not used for step 2: it takes a `200 {"status":"Failed"}` and a 202 without Location for
 * success, drops the service's error details, repeats its first error for ever, and sends its token to any host in Location.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RegistryResource } from "../reference/registry-name";
import { isTransient } from "../registry/transport/retry";
import { type ArmResponse, type ResourceManager, retryAfterMs } from "./resource-manager";
import { Throttled } from "./throttle";

/** Where the image is, in the words of Resource Manager. */
export interface ImportSource {
  /** A registry in Azure, read as the caller's identity. */
  readonly resourceId?: string;
  /** Host of any registry, read anonymously or with the credentials. */
  readonly registryUri?: string;
  readonly credentials?: { readonly username?: string; readonly password: string };
  /** `repository@sha256:…` or `repository:tag` */
  readonly sourceImage: string;
}

/** Whether existing target tags are overwritten or fail the import. */
export type ImportMode = "Force" | "NoForce";

/** What to import, in the words of Resource Manager. */
export interface ImportRequest {
  readonly source: ImportSource;
  readonly targetTags: readonly string[];
  readonly untaggedTargetRepositories: readonly string[];
  readonly mode: ImportMode;
}

/** The time between polls where the response has no `Retry-After`, in milliseconds. */
const POLL_INTERVAL = 2_000;

/** How many polls in a row may fail, each after its own retries, before the operation counts as lost. */
const MAX_FAILED_POLLS = 5;

/** How an operation ended, with what Resource Manager last responded where it did not succeed. */
export type OperationResult =
  /** `isSeen`: the watch saw the image in its targets. */
  | { readonly state: "succeeded"; readonly isSeen?: true }
  | { readonly state: "failed"; readonly reason: ArmResponse | Error }
  /** The signal ended the waiting. `accepted`: Azure has accepted the import, so it may still be running. */
  | { readonly state: "timedOut"; readonly accepted: boolean }
  /** The import may have been done or may still be running. */
  | { readonly state: "unknown"; readonly accepted: boolean; readonly reason: ArmResponse | Error | string };

/**
 * Looks for the image in its targets until the signal aborts, and resolves with whether it is there. Never rejects.
 *
 * A tag is set last, when the image is complete: https://github.com/Azure/azure-cli/issues/29974
 */
export type ImportWatch = (signal: AbortSignal) => Promise<boolean>;

/** Starts an import, and polls it until it ends or the watch sees the image. Never throws. */
export async function runImport(
  arm: ResourceManager,
  registry: RegistryResource,
  request: ImportRequest,
  signal: AbortSignal,
  watch?: ImportWatch,
): Promise<OperationResult> {
  const started = await start(arm, registry, request, signal);
  if ("state" in started) return started;
  if (!watch) return track(arm, started, signal);
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const tracked = track(arm, started, either);
  const seen = watch(either).then((isImported) =>
    isImported ? ({ state: "succeeded", isSeen: true } as const) : tracked,
  );
  return Promise.race([tracked, seen]).finally(() => ended.abort());
}

/** Polls an import until it ends. */
async function track(arm: ResourceManager, started: ArmResponse, signal: AbortSignal): Promise<OperationResult> {
  let response = started;
  let location: URL | undefined;
  for (;;) {
    const result = resultOf(response);
    if (result) return result;
    location = nextLocation(response, arm.origin) ?? location;
    if (!location) return trackingLost("returned no Location header");
    // A poll carries our token, which must not go to another host.
    if (location.origin !== arm.origin.origin) return trackingLost("returned a Location on another host");
    const next = await poll(arm, location, retryAfterMs(response.headers) ?? POLL_INTERVAL, signal);
    if ("state" in next) return next;
    response = next;
  }
}

/** Waits, then polls, again after a poll that failed. */
async function poll(
  arm: ResourceManager,
  location: URL,
  wait: number,
  signal: AbortSignal,
): Promise<ArmResponse | OperationResult> {
  for (let failures = 0; ; failures++) {
    let reason: ArmResponse | Error;
    try {
      await sleep(wait, undefined, { signal });
      const response = await arm.send({ url: location.href }, signal);
      if (!isTransient(response.status)) return response;
      reason = response;
    } catch (error) {
      if (signal.aborted) return { state: "timedOut", accepted: true };
      reason = error as Error;
    }
    if (failures === MAX_FAILED_POLLS) return trackingLost(reason);
  }
}

async function start(
  arm: ResourceManager,
  { resourceGroup, name }: RegistryResource,
  { source, targetTags, untaggedTargetRepositories, mode }: ImportRequest,
  abortSignal: AbortSignal,
): Promise<ArmResponse | OperationResult> {
  const body = {
    source,
    mode,
    ...(targetTags.length > 0 && { targetTags: [...targetTags] }),
    ...(untaggedTargetRepositories.length > 0 && { untaggedTargetRepositories: [...untaggedTargetRepositories] }),
  };
  let error: unknown;
  try {
    await arm.client.registries.importImage(resourceGroup, name, body, { abortSignal }).submitted();
  } catch (thrown) {
    error = thrown;
  }
  const response = arm.lastResponse();
  const isThrottled = response?.status === 429 || error instanceof Throttled;
  if (abortSignal.aborted && !isThrottled) return { state: "timedOut", accepted: false };
  if (!response) {
    const state = arm.mayHaveArrived() ? { state: "unknown" as const, accepted: false } : { state: "failed" as const };
    return { ...state, reason: error as Error };
  }
  if (isTransient(response.status)) return { state: "unknown", accepted: false, reason: response };
  return response.status >= 400 ? { state: "failed", reason: response } : response;
}

/** The result that a response reports, or `undefined` while the operation runs. */
function resultOf(response: ArmResponse): OperationResult | undefined {
  const { status, body } = response;
  if (status === 202) return undefined;
  if (status === 200 || status === 201) {
    const isFailure = /"status"\s*:\s*"(failed|cancell?ed)"/i.test(body);
    return isFailure ? { state: "failed", reason: response } : { state: "succeeded" };
  }
  // These concern the poll, not the import: its URL has expired, or it is not authorized.
  return status < 400 || [401, 403, 404].includes(status)
    ? trackingLost(response)
    : { state: "failed", reason: response };
}

function nextLocation(response: ArmResponse, base: URL): URL | undefined {
  const location = response.headers.get("location");
  return location !== undefined && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
}

function trackingLost(reason: ArmResponse | Error | string): OperationResult {
  return { state: "unknown", accepted: true, reason };
}
