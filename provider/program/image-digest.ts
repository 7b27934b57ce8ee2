/** Resolves the digest of an image for a program. */
import { ImportError } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { parseImageDigestArguments } from "../resource/function-arguments";
import type { DigestResult } from "../resource/state";
import type { DataFunction } from "./data-function";

/** The function `getImageDigest`. */
export const imageDigest: DataFunction<
  Exclude<ReturnType<typeof parseImageDigestArguments>, { problems: unknown }>,
  { readonly digest: string; readonly indexDigest?: string; readonly reference: string }
> = {
  name: "getImageDigest",
  parse: parseImageDigestArguments,
  async evaluate({ source, platform }, resolver) {
    const [image, host] = await Promise.all([resolver.resolve(source).then(digestIn), resolver.host(source)]);
    const pinned = (digest: Digest) => ({ digest, reference: `${host}/${source.repository}@${digest}` });
    if (platform === undefined) return pinned(image);
    const manifest = digestIn(await resolver.resolvePlatform(source, image, platform));
    return { ...pinned(manifest), indexDigest: image };
  },
};

function digestIn({ digest, failure }: DigestResult): Digest {
  if (failure !== undefined) throw new ImportError(failure);
  if (digest === undefined) throw new Error("an image was not resolved");
  return digest;
}
