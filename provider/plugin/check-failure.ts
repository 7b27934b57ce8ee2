/** What is wrong with the inputs of a resource, as the engine is told. */
import type { CheckFailure } from "@pulumi/pulumi/dynamic";
import { type Failure, formatFailure } from "../failure/failure";
import { targetFailure } from "../failure/target";
import type { Dispute } from "./ownership";

/** Names no property: the engine would print the property's value, secrets included. */
export function checkFailure(failure: Failure): CheckFailure {
  return { property: "", reason: formatFailure(failure) };
}

/** Two resources of a program want one tag to hold different digests. */
export function declaredTwice({ target, declarations }: Dispute): Failure {
  const resources = declarations.map(({ urn = "", digest = "" }) => ({ name: urn.split("::").at(-1) ?? "", digest }));
  return targetFailure.declaredTwice(target, resources);
}
