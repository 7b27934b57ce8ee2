/** The argument `verify.cosign`: whose signatures count. */
import { createHash } from "node:crypto";
import type { Failure } from "../failure/failure";
import { isObject } from "../json";
import { asInvalidReference, InvalidReference } from "../reference/invalid-reference";
import { type CosignIdentity, parseIssuer, parseSubject } from "./cosign-identity";
import { type CosignKey, parseCosignKey } from "./cosign-key";
import { parseTrustedRoot } from "./trusted-root";

/** Whose signatures count: those of any of these. */
export interface CosignPolicy {
  readonly anyOf: readonly CosignSigner[];
}

export type CosignSigner = CosignKey | CosignIdentity;

const IDENTITY_ARGUMENTS = ["issuer", "subject", "trustedRoot"];
const ARGUMENTS = ["key", "keys", ...IDENTITY_ARGUMENTS];

/**
 * Parses `{ key }`, `{ keys }` or `{ issuer, subject, trustedRoot? }`, or a list of them; or returns every problem, each
 * beginning with the path of its argument. Nothing in the value may be unknown.
 *
 * @param path - Of the argument: `verify.cosign`.
 */
export function parseCosignPolicy(
  path: string,
  value: unknown,
): CosignPolicy | { readonly problems: readonly Failure[] } {
  const problems: Failure[] = [];
  const add: AddProblem = (object, reason, hint) =>
    problems.push({ code: "INVALID_ARGUMENT", object, reason, ...(hint !== undefined && { hints: [hint] }) });
  const anyOf = Array.isArray(value)
    ? value.flatMap((one, index) => parseSigners(add, `${path}[${index}]`, one))
    : parseSigners(add, path, value);
  if (Array.isArray(value) && value.length === 0) add(path, "must contain at least one signer");
  return problems.length > 0 ? { problems } : { anyOf };
}

/** A short text for the state, equal for policies that mean the same. */
export function policyKey({ anyOf }: CosignPolicy): string {
  const signers = anyOf.map((signer) =>
    isKey(signer) ? [signer.fingerprint] : [signer.issuer, signer.subject, canonical(signer.trustedRoot)],
  );
  const texts = [...new Set(signers.map((signer) => JSON.stringify(signer)))].sort();
  return `sha256:${createHash("sha256").update(texts.join("\n")).digest("hex")}`;
}

export function isKey(signer: CosignSigner): signer is CosignKey {
  return "publicKey" in signer;
}

type AddProblem = (object: string, reason: string, hint?: string) => void;

function parseSigners(add: AddProblem, path: string, value: unknown): readonly CosignSigner[] {
  if (!isObject(value)) {
    add(path, "must be an object with key, keys, or issuer and subject");
    return [];
  }
  const present = Object.keys(value).filter((name) => value[name] !== undefined && value[name] !== null);
  for (const name of present.filter((name) => !ARGUMENTS.includes(name))) {
    add(`${path}.${name}`, `is not a known argument; expected one of ${ARGUMENTS.join(", ")}`);
  }
  const kinds = [["key"], ["keys"], IDENTITY_ARGUMENTS].filter((names) => names.some((name) => present.includes(name)));
  if (kinds.length === 0) add(path, "must have key, keys, or issuer and subject");
  if (kinds.length > 1) {
    const hint = "To accept any of several signers, pass a list: [{ key }, { issuer, subject }]";
    add(path, "must have only one of key, keys, or issuer and subject", hint);
  }
  if (kinds.length !== 1) return [];
  if (present.includes("key")) return parseKey(add, `${path}.key`, value.key);
  return present.includes("keys") ? parseKeys(add, `${path}.keys`, value.keys) : parseIdentity(add, path, value);
}

function parseKey(add: AddProblem, path: string, value: unknown): readonly CosignKey[] {
  return parsed(add, path, () => parseCosignKey(asText(value)));
}

function parseKeys(add: AddProblem, path: string, value: unknown): readonly CosignKey[] {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((key, index) => parseKey(add, `${path}[${index}]`, key));
  }
  add(path, "must be a list of at least one public key");
  return [];
}

function parseIdentity(
  add: AddProblem,
  path: string,
  value: Readonly<Record<string, unknown>>,
): readonly CosignIdentity[] {
  const required = "is required: issuer and subject go together";
  const [issuer] = parsed(add, `${path}.issuer`, () => parseIssuer(asText(value.issuer, required)));
  const [subject] = parsed(add, `${path}.subject`, () => parseSubject(asText(value.subject, required)));
  const hasRoot = value.trustedRoot !== undefined && value.trustedRoot !== null;
  const [trustedRoot] = hasRoot ? parsed(add, `${path}.trustedRoot`, () => parseTrustedRoot(value.trustedRoot)) : [];
  return issuer && subject ? [{ issuer, subject, ...(trustedRoot && { trustedRoot }) }] : [];
}

function asText(value: unknown, whenMissing = "must be a string"): string {
  if (value === undefined || value === null) throw new InvalidReference(whenMissing);
  if (typeof value !== "string") throw new InvalidReference("must be a string");
  return value;
}

/** The parsed value, or nothing and a problem. */
function parsed<T>(add: AddProblem, path: string, parse: () => T): readonly T[] {
  try {
    return [parse()];
  } catch (error) {
    const invalid = asInvalidReference(error);
    if (invalid === undefined) throw error;
    add(path, invalid.reason, invalid.hint);
    return [];
  }
}

/** JSON without white space, its keys in order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}
