/** Failures of the import operation that are neither those of the identity nor of one of the registries. */
import { type Failure, type Side, withDetail } from "./failure";

export const importFailure = {
  failed: (source: string, target: string, reason: string, message?: string): Failure => ({
    code: "IMPORT_FAILED",
    side: "target",
    object: `the import of ${source} into ${target}`,
    reason: `failed: ${reason}`,
    hints: [
      `Run the command again. If it fails again, contact Azure support${message ? " with the correlation ID below" : ""}, or run az acr check-health`,
    ],
    ...withDetail(message),
  }),
  blobsNotCopied: (source: string, target: string): Failure => ({
    code: "IMPORT_FAILED",
    side: "source",
    object: `the layers of ${source}`,
    reason: `could not be copied into ${target} (Error copying blobs)`,
    hints: [
      "Run the command again. If it fails again, check that Azure itself can pull the whole image: credentials, rate limit, firewall, layers that were deleted or must not be distributed",
    ],
  }),
  providerNotRegistered: (target: string): Failure => ({
    code: "IMPORT_FAILED",
    side: "target",
    object: `a subscription of the import into ${target}`,
    reason: "is not registered for Microsoft.ContainerRegistry",
    hints: [
      "Run az provider register --namespace Microsoft.ContainerRegistry in the subscriptions of the target and of a source in Azure",
    ],
  }),
  softDeleted: (source: string, target: string): Failure => ({
    code: "IMPORT_FAILED",
    side: "target",
    object: source,
    reason: `cannot be imported into ${target}: the image is soft-deleted in one of the two registries`,
    hints: ["Restore the image (az acr manifest restore) or purge it, then run the command again"],
  }),
  /** @param reason - A predicate of Azure: "returned no Location header". */
  untraceable: (source: string, target: string, reason: string): Failure => ({
    code: "IMPORT_FAILED",
    side: "target",
    object: "Azure",
    reason: `accepted the import of ${source} into ${target}, but ${reason}`,
    hints: ["Run the command again to pick up the result"],
  }),
  networkBlocked: (side: Side, registry: string, message?: string): Failure => ({
    code: side === "source" ? "SOURCE_NETWORK_BLOCKED" : "TARGET_NETWORK_BLOCKED",
    side,
    object: `the network rules of ${registry}`,
    reason: "block the Azure import service",
    hints: [
      `Allow trusted services: az acr update --name ${registry.split(/[.-]/, 1)[0]} --allow-trusted-services true`,
      ...(side === "source"
        ? [
            "If its public network access is disabled, also use its resource ID, which works only within the same tenant",
          ]
        : []),
    ],
    ...withDetail(message),
  }),
  timedOut: (source: string, target: string, seconds: number): Failure => ({
    code: "IMPORT_TIMED_OUT",
    side: "target",
    object: `the import of ${source} into ${target}`,
    reason: `did not finish within ${seconds} s`,
    hints: ["Run the command again to pick up the result, or raise opts.customTimeouts. The import continues in Azure"],
  }),
  /** The time limit of create or update was reached in a step that has no failure of its own. */
  operationTimedOut: (target: string, seconds: number): Failure => ({
    code: "IMPORT_TIMED_OUT",
    side: "target",
    object: target,
    reason: `did not complete within ${Math.round(seconds)} s`,
    hints: ["Run the command again to continue, or raise opts.customTimeouts"],
  }),
} as const;
