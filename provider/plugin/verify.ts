/**
 * Requires signatures of the digest that is imported, as the argument `verify` says.
 *
 * The state records what was verified, so that a run that changes nothing sends no request and loads no code for it.
 */
import { createHash } from "node:crypto";
import { type Failure, failureOf, ImportError } from "../failure/failure";
import { signatureFailure } from "../failure/signature";
import { isObject } from "../json";
import type { Digest } from "../reference/digest";
import { printImage } from "../reference/image-name";
import { printSourceRegistry, type Source } from "../resource/source";
import type { Arguments, Inputs } from "../resource/state";
import { hasUnknown, unknownAs } from "../resource/unknown";
import type { VerifyPolicy } from "../signature/verify-policy";
import type { DigestResolver } from "../source/resolve-digest";
import type { Resolved, SourceDigests } from "./check-context";

/** The evidence, as inputs. */
export type SignatureRecord = Pick<Inputs, "verified" | "signature" | "signedBy">;

/** Reads what may be signatures. */
export type SignatureReader = Pick<DigestResolver, "findSignatures">;

/** Every problem with the argument. A policy that was recorded has none. */
export function verifyProblems(verify: unknown, old: Partial<Inputs>): readonly Failure[] {
  if (verify === undefined || verify === null || hasUnknown(verify)) return [];
  if (old.verified?.startsWith(`${policyKey(verify)} `)) return [];
  const parsed = signatures().parseVerifyPolicy(verify);
  return "problems" in parsed ? parsed.problems : [];
}

/**
 * Verifies the digest that is imported; with `platform` the index, which names the manifest of the platform. Only once for each
 * digest and policy.
 */
export async function verifySource(
  { verify }: Arguments,
  source: Source | undefined,
  { sourceDigest, indexDigest }: SourceDigests,
  old: Partial<Inputs>,
  now: number,
  reader: SignatureReader,
): Promise<Resolved<SignatureRecord>> {
  const digest = indexDigest ?? sourceDigest;
  if (!verify || digest === undefined) return { value: {} };
  if (source === undefined || hasUnknown([verify, sourceDigest, digest])) {
    return { value: { verified: unknownAs(), signature: unknownAs(), signedBy: unknownAs() } };
  }
  const verified = `${policyKey(verify)} ${digest}`;
  const { signature, signedBy } = old;
  if (old.verified === verified && signature && signedBy) return { value: { verified, signature, signedBy } };
  const policy = signatures().parseVerifyPolicy(verify);
  if ("problems" in policy) return { value: {} };
  try {
    return { value: { verified, ...(await verifyImage(source, digest, policy, now, reader)) } };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { value: {}, failure };
  }
}

async function verifyImage(source: Source, digest: Digest, policy: VerifyPolicy, now: number, reader: SignatureReader) {
  const image = `${printSourceRegistry(source)}/${printImage({ repository: source.repository, digest })}`;
  const tool = policy.cosign ? "cosign" : "Notation";
  const found = await reader.findSignatures(source, digest, policy.cosign !== undefined);
  if ("failure" in found) throw new ImportError(signatureFailure.unreadable(image, tool, found.failure));
  return signatures().requireSignatures(image, digest, policy, found, new Date(now));
}

/** Identifies a policy by its content, which is not parsed for that. */
function policyKey(verify: unknown): string {
  return createHash("sha256").update(JSON.stringify(verify, inOrder)).digest("base64url");
}

/** The engine may change the order of keys; JSON can leave an argument out by `null`. */
function inOrder(_key: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Loaded at its first use. */
function signatures(): typeof import("../signature/require-signatures") {
  return require("../signature/require-signatures");
}
