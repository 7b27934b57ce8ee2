/**
 * The import operation of Resource Manager.
 *
 * 1. POST importImage → 202 with the Location of the operation (200: done at once)
 * 2. GET Location → 202 while it runs, each time with a new signed Location; 200 or an error at its end
 *
 * The SDK sends step 1. Its poller is not used for step 2: it calls a `200 {"status":"Failed"}` and a 202 without
 * Location a success, drops the service's details, repeats its first error for ever, ignores deadlines between polls,
 * and takes its bearer token to whatever host Location names.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { TokenCredential } from "@azure/core-auth";
import { azureFailure, type Failure, importFailure } from "../failure";
import type { Cloud } from "./cloud";
import { type ImportSubject, importProblem } from "./import-failure";
import type { AzureRegistry } from "./registries";
import {
  type Answer,
  isPassing,
  noAnswer,
  type ResourceManager,
  resourceManager,
  retryAfter,
  serviceError,
} from "./resource-manager";

/** The wait between polls where the service asks for none, in milliseconds. */
const POLL_INTERVAL = 2_000;

/** How many polls in a row may fail for reasons of their own before the operation is given up. */
const LOST_POLLS = 5;

/** What to import, in the words of Resource Manager. */
export interface ImportRequest {
  readonly source: {
    /** A registry in Azure, read as the caller's identity. */
    readonly resourceId?: string;
    /** Host of any registry, read anonymously or with the credentials. */
    readonly registryUri?: string;
    readonly credentials?: { readonly username?: string; readonly password: string };
    /** `repository@sha256:…` or `repository:tag` */
    readonly sourceImage: string;
  };
  readonly targetTags: readonly string[];
  readonly untaggedTargetRepositories: readonly string[];
  readonly mode: "Force" | "NoForce";
}

/** How an import ended. Success is what the service says: the proof is the target. */
export type ImportOutcome =
  | { readonly state: "succeeded" }
  | {
      readonly state: "failed";
      readonly failure: Failure;
      /** The service says that a target tag exists already; `failure` is no more than a fallback then. */
      readonly tagExists: boolean;
    }
  | {
      /** Nobody can say whether it was or will be done: read the target, and fail with `failure` if it is not there. */
      readonly state: "unknown";
      readonly failure: Failure;
      /** Azure has accepted the import, so that it may still be running. */
      readonly accepted: boolean;
    };

export interface ImportOptions {
  /** Ends the waiting; Azure goes on with an import that it has accepted. */
  readonly signal: AbortSignal;
  /** Told what goes on, at each poll. */
  readonly onProgress?: (text: string) => void;
}

/** As whom and where to import. */
export interface Importer {
  readonly cloud: Cloud;
  readonly credential: TokenCredential;
  readonly identity: string;
}

/** Imports an image into a registry, and resolves for whatever end it takes. */
export async function importImage(
  { cloud, credential, identity }: Importer,
  registry: AzureRegistry,
  request: ImportRequest,
  { signal, onProgress = () => {} }: ImportOptions,
): Promise<ImportOutcome> {
  const arm = resourceManager(cloud, credential, registry.subscriptionId);
  const subject = subjectOf(registry, request, identity);
  const { source, target } = subject;
  const began = Date.now();
  const timedOut = () => importFailure.timedOut(source, target, Math.round((Date.now() - began) / 1_000));
  const refused = (answer: Answer) => importProblem(arm.host, withoutPassword(answer, request), subject);

  let answer: Answer;
  try {
    answer = await start(arm, registry, request, signal);
  } catch (error) {
    if (signal.aborted && arm.answer()?.status === 429) return failed(azureFailure.throttled("target", arm.host));
    const failure = signal.aborted ? timedOut() : noAnswer(arm.host, error, "target");
    return arm.inDoubt() || signal.aborted ? unknown(failure, false) : failed(failure);
  }
  if (answer.status >= 400) return isPassing(answer.status) ? unknown(refused(answer), false) : failed(refused(answer));

  const operation = new URL(cloud.resourceManager);
  let location: string | undefined;
  for (let lost = 0; ; ) {
    const stage = stageOf(answer);
    if (stage === "succeeded") return { state: "succeeded" };
    if (stage === "failed") return failed(refused(answer));
    if (stage === "not told") return unknown(refused(answer), true);
    if (stage === "running") {
      lost = 0;
      // Each answer signs a new Location; only Resource Manager itself gets the token that a poll carries.
      location = answer.headers.get("location") ?? location;
      if (!location) return unknown(importFailure.untraceable(source, target, "did not tell where to follow it"), true);
      if (new URL(location, operation).origin !== operation.origin) {
        return unknown(importFailure.untraceable(source, target, "sends us to another host to follow it"), true);
      }
      onProgress(progressOf(answer, source));
    } else if (++lost > LOST_POLLS) return unknown(refused(answer), true);

    try {
      await sleep(retryAfter(answer.headers) ?? POLL_INTERVAL, undefined, { signal });
      answer = await arm.send({ url: new URL(location ?? "", operation).href }, signal);
    } catch (error) {
      if (signal.aborted) return unknown(timedOut(), true);
      if (++lost > LOST_POLLS) return unknown(noAnswer(arm.host, error, "target"), true);
    }
  }
}

async function start(
  arm: ResourceManager,
  { resourceGroup, name }: AzureRegistry,
  { source, targetTags, untaggedTargetRepositories, mode }: ImportRequest,
  abortSignal: AbortSignal,
): Promise<Answer> {
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
  if (!answer || abortSignal.aborted) throw reason ?? new Error("no answer");
  return answer;
}

type Stage = "running" | "succeeded" | "failed" | "out of order" | "not told";

function stageOf(answer: Answer): Stage {
  const { status, body } = answer;
  if (status === 202) return "running";
  if (status === 200 || status === 201)
    return /"status"\s*:\s*"(failed|cancell?ed)"/i.test(body) ? "failed" : "succeeded";
  if (isPassing(status)) return "out of order";
  // The operation's address lies above the registry, so that rights on the registry alone may not reach it.
  const isAboutPoll = status === 401 || status === 404 || serviceError(answer)?.code === "AuthorizationFailed";
  return status < 400 || isAboutPoll ? "not told" : "failed";
}

/** `Azure imports ghcr.io/owner/app@sha256:…: app:1 Pending` */
function progressOf({ body }: Answer, source: string): string {
  const tags = [...body.matchAll(/"([^"]+)"\s*:\s*"([^"]+)"/g)].filter(([, name]) => name !== "status");
  const states = tags.map(([, tag, state]) => `${tag} ${state?.toLowerCase()}`).join(", ");
  return `Azure imports ${source}${states && `: ${states}`}`;
}

function subjectOf(registry: AzureRegistry, { source, ...targets }: ImportRequest, identity: string): ImportSubject {
  const sourceHost = (source.registryUri ?? source.resourceId?.split("/").at(-1) ?? "").toLowerCase();
  return {
    source: `${sourceHost}/${source.sourceImage}`,
    sourceHost,
    reader: source.resourceId ? identity : source.credentials ? "the given credentials" : "anyone without credentials",
    hasCredentials: source.credentials !== undefined,
    target: [...targets.targetTags, ...targets.untaggedTargetRepositories]
      .map((name) => `${registry.loginServer}/${name}`)
      .join(", "),
    targetHost: registry.loginServer,
    targetId: registry.id,
    identity,
  };
}

/** A service may repeat what it was sent. */
function withoutPassword(answer: Answer, { source }: ImportRequest): Answer {
  const password = source.credentials?.password;
  return password ? { ...answer, body: answer.body.replaceAll(password, "[secret]") } : answer;
}

function failed(failure: Failure): ImportOutcome {
  return { state: "failed", failure, tagExists: failure.code === "TARGET_CONFLICT" };
}

function unknown(failure: Failure, accepted: boolean): ImportOutcome {
  return { state: "unknown", failure, accepted };
}
