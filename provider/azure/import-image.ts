/** Importing an image, from the request to a verdict. */
import { azureFailure, type Failure, importFailure, type Side } from "../failure/failure";
import { explainImportFailure, type ImportSubject } from "./import-failure";
import { type End, type ImportOptions, type ImportRequest, runImport } from "./import-operation";
import type { RegistryFinder, RegistryResource } from "./registries";
import { type ArmResponse, type ResourceManager, resourceManager } from "./resource-manager";
import { noResponseFailure } from "./service-error";
import type { Session } from "./session";

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

/** Imports an image into a registry, and resolves for whatever end it takes. */
export async function importImage(
  session: Session,
  registry: RegistryResource,
  request: ImportRequest,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const arm = resourceManager(session.cloud, session.credential, registry.subscriptionId);
  const subject = subjectOf(registry, request, session.identity);
  const began = Date.now();
  const end = await runImport(arm, registry, request, options);
  const seconds = Math.round((Date.now() - began) / 1_000);
  switch (end.kind) {
    case "succeeded":
      return { state: "succeeded" };
    case "failed": {
      const failure = await explained(
        problem(arm, end.response, request, subject),
        request,
        registry.id,
        session.finder,
      );
      return { state: "failed", failure, tagExists: failure.code === "TARGET_CONFLICT" };
    }
    case "not started":
      return { state: "failed", failure: noResponseFailure(arm.host, end.error, "target"), tagExists: false };
    case "throttled":
      return { state: "failed", failure: azureFailure.throttled("target", arm.host), tagExists: false };
    case "time is up":
      return { state: "unknown", accepted: end.accepted, failure: timedOut(subject, seconds) };
    case "out of sight":
      return { state: "unknown", accepted: end.accepted, failure: lost(end, arm, request, subject) };
  }
}

function timedOut({ source, target }: ImportSubject, seconds: number): Failure {
  return importFailure.timedOut(source, target, seconds);
}

function lost(
  { reason }: End & { kind: "out of sight" },
  arm: ResourceManager,
  request: ImportRequest,
  subject: ImportSubject,
): Failure {
  if (typeof reason === "string") return importFailure.untraceable(subject.source, subject.target, reason);
  if (reason instanceof Error) return noResponseFailure(arm.host, reason, "target");
  return problem(arm, reason, request, subject);
}

/** What an response means. A service may repeat what it was sent, so the password is taken out first. */
function problem(
  arm: ResourceManager,
  response: ArmResponse,
  { source }: ImportRequest,
  subject: ImportSubject,
): Failure {
  const { username = "", password = "" } = source.credentials ?? {};
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  const secrets = password === "" ? [] : [password, JSON.stringify(password).slice(1, -1), basic];
  const body = secrets.reduce((text, secret) => text.replaceAll(secret, "[secret]"), response.body);
  return explainImportFailure(arm.host, { ...response, body }, subject);
}

/** The service says "denied" for missing rights and for closed networks alike; the registry's own settings tell which. */
async function explained(
  failure: Failure,
  { source }: ImportRequest,
  registryId: string,
  finder: RegistryFinder,
): Promise<Failure> {
  const side: Side | undefined =
    failure.code === "SOURCE_ACCESS_DENIED" ? "source" : failure.code === "TARGET_ACCESS_DENIED" ? "target" : undefined;
  const asked = side === "source" ? source.resourceId : side === "target" ? registryId : undefined;
  if (!side || !asked) return failure;
  const registry = await finder.find(asked, side).catch(() => undefined);
  if (!registry || registry.isOpen || registry.trustsAzure) return failure;
  const { detail } = failure;
  return { ...importFailure.networkClosed(side, registry.name), ...(detail && { detail }) };
}

function subjectOf(
  { id, name: targetName, loginServer }: RegistryResource,
  { source, targetTags, untaggedTargetRepositories }: ImportRequest,
  identity: string,
): ImportSubject {
  const sourceHost = (source.registryUri ?? source.resourceId?.split("/").at(-1) ?? "").toLowerCase();
  return {
    source: `${sourceHost}/${source.sourceImage}`,
    sourceHost,
    reader: source.resourceId ? identity : source.credentials ? "the given credentials" : "anyone without credentials",
    hasCredentials: source.credentials !== undefined,
    target: [...targetTags, ...untaggedTargetRepositories].map((name) => `${loginServer}/${name}`).join(", "),
    targetName,
    targetId: id,
    identity,
  };
}
