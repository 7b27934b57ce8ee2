/** The argument `verify`: whose signatures an image must carry. */
import type { Failure } from "../failure/failure";
import { isObject } from "../json";
import { type CosignPolicy, parseCosignPolicy } from "./cosign-policy";
import { type NotationPolicy, parseNotationPolicy } from "./notation-policy";

/** A signature of each tool that is named. */
export interface VerifyPolicy {
  readonly cosign?: CosignPolicy;
  readonly notation?: NotationPolicy;
}

const ARGUMENTS = ["cosign", "notation"];

/** Parses `{ cosign?, notation? }`, or returns every problem, each beginning with the path of its argument. */
export function parseVerifyPolicy(value: unknown): VerifyPolicy | { readonly problems: readonly Failure[] } {
  if (!isObject(value)) return { problems: [problem("verify", "must be an object with cosign, notation, or both")] };
  const present = Object.keys(value).filter((name) => value[name] !== undefined && value[name] !== null);
  const problems = present
    .filter((name) => !ARGUMENTS.includes(name))
    .map((name) => problem(`verify.${name}`, `is not a known argument; expected one of ${ARGUMENTS.join(", ")}`));
  if (present.length === 0) problems.push(problem("verify", "must have cosign, notation, or both"));

  const cosign = present.includes("cosign") ? parseCosignPolicy("verify.cosign", value.cosign) : undefined;
  if (cosign && "problems" in cosign) problems.push(...cosign.problems);
  const notation = present.includes("notation") ? parseNotationPolicy("verify.notation", value.notation) : undefined;
  if (notation && "problems" in notation) problems.push(...notation.problems);
  if (problems.length > 0) return { problems };
  return {
    ...(cosign && "anyOf" in cosign && { cosign }),
    ...(notation && "ca" in notation && { notation }),
  };
}

function problem(object: string, reason: string): Failure {
  return { code: "INVALID_ARGUMENT", object, reason };
}
