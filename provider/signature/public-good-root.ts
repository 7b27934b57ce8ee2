/** The trusted root of Sigstore's public-good deployment. */
import type { TrustedRoot } from "@sigstore/protobuf-specs";
import { sigstoreProtobuf, sigstoreSeeds, sigstoreTuf } from "./sigstore";

/** For one file of the repository, and for all of them. */
const REQUEST_TIMEOUT_MS = 3_000;
const REFRESH_TIMEOUT_MS = 6_000;

let current: Promise<TrustedRoot> | undefined;

/**
 * The trusted root, as of the newest metadata that can be had: from the cache that Sigstore's npm packages share while it is
 * valid, else from https://tuf-repo-cdn.sigstore.dev, where every file is signed (https://theupdateframework.io). Where that
 * cannot be reached within seconds, the root that `@sigstore/tuf` was published with; it lacks keys that were added since.
 * Requests go through a proxy only where Node's own `fetch` does (`NODE_USE_ENV_PROXY=1`).
 */
export function publicGoodRoot(): Promise<TrustedRoot> {
  current ??= withinTime(refreshedRoot, REFRESH_TIMEOUT_MS).catch(publishedRoot);
  return current;
}

/** The root that `@sigstore/tuf` contains. */
export function publishedRoot(): TrustedRoot {
  const { DEFAULT_MIRROR_URL } = sigstoreTuf();
  const json = sigstoreSeeds()[DEFAULT_MIRROR_URL]?.targets["trusted_root.json"] ?? "";
  return sigstoreProtobuf().TrustedRoot.fromJSON(JSON.parse(Buffer.from(json, "base64").toString("utf8")));
}

async function refreshedRoot(): Promise<TrustedRoot> {
  return sigstoreTuf().getTrustedRoot({ forceCache: true, retry: false, timeout: REQUEST_TIMEOUT_MS });
}

/** The result of `work`, or an error when it takes longer. */
export async function withinTime<T>(work: () => Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}
