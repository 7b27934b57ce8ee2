/**
 * Loads Sigstore's packages at their first use: they take 200 ms, which a run that verifies nothing must not pay.
 *
 * By `require`, as for the Azure SDK.
 */

export function sigstoreBundle(): typeof import("@sigstore/bundle") {
  return require("@sigstore/bundle");
}

export function sigstoreCore(): typeof import("@sigstore/core") {
  return require("@sigstore/core");
}

export function sigstoreProtobuf(): typeof import("@sigstore/protobuf-specs") {
  return require("@sigstore/protobuf-specs");
}

export function sigstoreTuf(): typeof import("@sigstore/tuf") {
  return require("@sigstore/tuf");
}

/** What `@sigstore/tuf` starts with when nothing was downloaded yet: base64 by the name of a file, by the URL of a repository. */
export function sigstoreSeeds(): Readonly<Record<string, { readonly targets: Readonly<Record<string, string>> }>> {
  return require("@sigstore/tuf/seeds.json");
}

export function sigstoreVerify(): typeof import("@sigstore/verify") {
  return require("@sigstore/verify");
}
