/** Why the look-up of a registry found none: data that is cached for both sides, and worded for the one that asks. */
import { azureFailure } from "../failure/azure";
import type { Failure, Side } from "../failure/failure";
import { lookupFailure } from "../failure/registry-lookup";
import type { ArmResponse } from "./resource-manager";
import { errorDetail, noResponseFailure, requestFailure, serviceError } from "./service-error";

export type LookupProblem =
  /** Resource Manager responded with 404 to a resource ID. */
  | { readonly kind: "not found"; readonly id: string; readonly response: ArmResponse }
  | { readonly kind: "not visible"; readonly name: string; readonly searched: string }
  | { readonly kind: "not ready"; readonly name: string }
  | { readonly kind: "ambiguous"; readonly name: string; readonly ids: readonly string[] }
  | { readonly kind: "SKU unsupported"; readonly name: string; readonly sku: string }
  | { readonly kind: "foreign tenant"; readonly id: string }
  | { readonly kind: "no subscription"; readonly scope: string }
  | { readonly kind: "error response"; readonly response: ArmResponse; readonly scope: string }
  | { readonly kind: "no response"; readonly error: unknown };

/** @param host - That of Resource Manager. */
export function explainLookupProblem(
  problem: LookupProblem,
  { side, host, identity }: { readonly side: Side; readonly host: string; readonly identity: string },
): Failure {
  switch (problem.kind) {
    case "not found":
      return notFound(problem, side);
    case "not visible":
      return lookupFailure.notVisible(side, problem.name, identity, problem.searched);
    case "not ready":
      return lookupFailure.notReady(side, problem.name);
    case "ambiguous":
      return lookupFailure.ambiguous(side, problem.name, problem.ids);
    case "SKU unsupported":
      return lookupFailure.skuUnsupported(side, problem.name, problem.sku);
    case "foreign tenant":
      return azureFailure.foreignTenant(side, problem.id, identity);
    case "no subscription":
      return azureFailure.configurationInvalid(
        "the subscription",
        `${problem.scope} does not exist for this identity`,
        "Check ARM_SUBSCRIPTION_ID (azure-native:subscriptionId) and the tenant",
      );
    case "error response": {
      const { response, scope } = problem;
      return (
        requestFailure(host, response, { side, scope, identity }) ??
        azureFailure.unavailable(side, host, `responded with HTTP ${response.status}`, response.body.slice(0, 500))
      );
    }
    case "no response":
      return noResponseFailure(host, problem.error, side);
  }
}

function notFound({ id, response }: LookupProblem & { kind: "not found" }, side: Side): Failure {
  const error = serviceError(response);
  return lookupFailure.notFound(
    side,
    id,
    error?.code === "SubscriptionNotFound" ? "the subscriptions of the tenant" : "its subscription and resource group",
    side === "source"
      ? "Check the resource ID. For a source in another tenant, use its login server and pass source.credentials"
      : "Check the resource ID, and that the identity belongs to the tenant of the registry",
    error && errorDetail(error),
  );
}
