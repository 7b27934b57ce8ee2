/**
 * Finds what cosign keeps beside an image, under tags made from its digest.
 *
 * https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery
 */
import type { Digest } from "../../reference/digest";
import type { RegistryApi } from "../api";
import { headRareTag } from "../content";

const SUFFIXES = ["sig", "att", "sbom"] as const;

/** A signature, an attestation or an SBOM under a tag of its own. */
export interface CosignTag {
  /** `sha256-….sig` */
  readonly tag: string;
  readonly digest: Digest;
}

/** The tags that exist, by one HEAD for each that can. */
export async function findCosignTags(
  api: RegistryApi,
  repository: string,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<CosignTag[]> {
  // A sha512 digest is longer than a tag can be.
  if (!subject.startsWith("sha256:")) return [];
  const found = await Promise.all(
    SUFFIXES.map(async (suffix) => {
      const tag = `${subject.replace(":", "-")}.${suffix}`;
      const digest = (await headRareTag(api, repository, tag, signal))?.digest;
      return digest === undefined || digest === subject ? [] : [{ tag, digest }];
    }),
  );
  return found.flat();
}
