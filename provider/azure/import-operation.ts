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
import { isTransient } from "../registry/retry";
import type { RegistryResource } from "./registries";
import { type ArmResponse, type ResourceManager, retryAfterMs } from "./resource-manager";

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

export interface ImportOptions {
  /** Ends the waiting; Azure goes on with an import that it has accepted. */
  readonly signal: AbortSignal;
}

/** The wait between polls where the service asks for none, in milliseconds. */
const POLL_INTERVAL = 2_000;

/** How often a poll that went wrong, its own retries included, is made again before the operation is given up. */
const LOST_POLLS = 5;

/** How an import ended, as far as can be told. `accepted`: Azure has taken it on, so that it may still be running. */
export type End =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly response: ArmResponse }
  | { readonly kind: "not started"; readonly error: unknown }
  | { readonly kind: "throttled" }
  | { readonly kind: "time is up"; readonly accepted: boolean }
  | { readonly kind: "out of sight"; readonly accepted: boolean; readonly reason: ArmResponse | Error | string };

/** Starts an import and follows it to its end. Nothing is thrown. */
export async function runImport(
  arm: ResourceManager,
  registry: RegistryResource,
  request: ImportRequest,
  { signal }: ImportOptions,
): Promise<End> {
  const started = await start(arm, registry, request, signal);
  if ("kind" in started) return started;
  let response = started;
  let location: URL | undefined;
  for (;;) {
    const end = resultOf(response);
    if (end) return end;
    location = nextLocation(response, arm.origin) ?? location;
    if (!location) return trackingLost("did not tell where to follow it");
    // A poll carries our token, which is nobody else's business.
    if (location.origin !== arm.origin.origin) return trackingLost("sends us to another host to follow it");
    const next = await poll(arm, location, retryAfterMs(response.headers) ?? POLL_INTERVAL, signal);
    if ("kind" in next) return next;
    response = next;
  }
}

/** Waits and asks, again after a poll that went wrong. */
async function poll(
  arm: ResourceManager,
  location: URL,
  wait: number,
  signal: AbortSignal,
): Promise<ArmResponse | End> {
  for (let lost = 0; ; lost++) {
    let reason: ArmResponse | Error;
    try {
      await sleep(wait, undefined, { signal });
      const response = await arm.send({ url: location.href }, signal);
      if (!isTransient(response.status)) return response;
      reason = response;
    } catch (error) {
      if (signal.aborted) return { kind: "time is up", accepted: true };
      reason = error as Error;
    }
    if (lost === LOST_POLLS) return trackingLost(reason);
  }
}

async function start(
  arm: ResourceManager,
  { resourceGroup, name }: RegistryResource,
  { source, targetTags, untaggedTargetRepositories, mode }: ImportRequest,
  abortSignal: AbortSignal,
): Promise<ArmResponse | End> {
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
  const response = arm.lastResponse();
  if (abortSignal.aborted)
    return response?.status === 429 ? { kind: "throttled" } : { kind: "time is up", accepted: false };
  if (!response)
    return arm.mayHaveArrived() ? trackingLost(reason as Error, false) : { kind: "not started", error: reason };
  if (isTransient(response.status)) return trackingLost(response, false);
  return response.status >= 400 ? { kind: "failed", response } : response;
}

/** The end that an response tells, if it is one. */
function resultOf(response: ArmResponse): End | undefined {
  const { status, body } = response;
  if (status === 202) return undefined;
  if (status === 200 || status === 201) {
    return /"status"\s*:\s*"(failed|cancell?ed)"/i.test(body) ? { kind: "failed", response } : { kind: "succeeded" };
  }
  // These speak of the poll and not of the import: the address has run out, or rights on the registry do not reach it.
  return status < 400 || [401, 403, 404].includes(status) ? trackingLost(response) : { kind: "failed", response };
}

function nextLocation(response: ArmResponse, base: URL): URL | undefined {
  const location = response.headers.get("location");
  return location !== undefined && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
}

function trackingLost(reason: ArmResponse | Error | string, accepted = true): End {
  return { kind: "out of sight", accepted, reason };
}
