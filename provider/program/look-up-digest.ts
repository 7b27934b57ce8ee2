/** Resolves the digest of an image while the program runs. */
import { parseArguments } from "../resource/arguments";
import { sourceKey } from "../resource/source";
import type { Lookup } from "../resource/state";
import type { DigestResolver } from "../source/resolve-digest";
import { lookUpReferrers } from "./look-up-referrers";
import type { LookUp } from "./program-context";

/** Resolves the digest of an image, and looks for what refers to it. */
export const digestLookUp: LookUp = { needs: ["source"], run: lookUpDigest };

async function lookUpDigest(
  args: { readonly [argument: string]: unknown },
  resolver: DigestResolver,
): Promise<Lookup | undefined> {
  const parsed = parseArguments(args);
  if ("problems" in parsed || parsed.source === undefined) return undefined;
  const withCredentials = parsed.source.credentials !== undefined;
  const result = await resolver.resolve(parsed.source);
  const referrers = await lookUpReferrers(parsed, result.digest, resolver);
  return { source: sourceKey(parsed.args), withCredentials, ...result, ...(referrers && { referrers }) };
}
