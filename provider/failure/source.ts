/** Failures of the source beyond those of its registry: the digest, and what Azure refuses to import from it. */
import type { Failure } from "./failure";

export const sourceFailure = {
  /** A fault of this package: whatever else goes wrong with the look-up has a failure of its own. */
  unresolved: (reason: string): Failure => ({
    ...UNRESOLVED,
    reason: `could not be resolved: ${reason}`,
    hints: ["To continue now, pin the digest (repo@sha256:…). Please report this as a bug"],
  }),
  /** `onSourceMove` is "fail". */
  moved: (source: string, digest: string, recorded: string): Failure => ({
    code: "SOURCE_MOVED",
    side: "source",
    object: source,
    reason: `has moved to ${digest}; ${recorded} is recorded`,
    hints: [
      'Set onSourceMove: "import" to import it, or change triggers to import it once',
      'Set onSourceMove: "keep" to stay with the recorded digest',
    ],
  }),
  /** @param found - The platforms that the image has; none for an artifact. */
  platformNotFound: (source: string, platform: string, found: readonly string[]): Failure => ({
    code: "SOURCE_PLATFORM_NOT_FOUND",
    side: "source",
    object: source,
    reason: `has no image for ${platform}; ${found.length === 0 ? "it names no platform" : `it has ${found.join(", ")}`}`,
    hints: [
      found.length === 0
        ? "Leave platform out to import it as it is"
        : "Set platform to one of these, or leave it out to import the image as it is",
    ],
  }),
  tooManyManifests: (source: string): Failure => ({
    code: "SOURCE_TOO_MANY_MANIFESTS",
    side: "source",
    object: source,
    reason: "has more manifests than Azure imports at once (50)",
    hints: ['Set platform to import a single one (platform: "linux/amd64"), or import an image with fewer manifests'],
  }),
  tooManyReferrers: (source: string, limit: number): Failure => ({
    code: "SOURCE_TOO_MANY_REFERRERS",
    side: "source",
    object: source,
    reason: `has more signatures, attestations and other referrers than are imported with one image (${limit})`,
    hints: ["Name the types that you need in referrers.artifactTypes, or set referrers.tags to false"],
  }),
  /** @param bound - What the list exceeds: "has more than 10,000 tags". */
  tooManyTags: (repository: string, bound: string): Failure => ({
    code: "SOURCE_TOO_MANY_TAGS",
    side: "source",
    object: repository,
    reason: bound,
    hints: ["Name the tags that you need instead of selecting them"],
  }),
  rangeUnsupported: (source: string): Failure => ({
    code: "SOURCE_RANGE_UNSUPPORTED",
    side: "source",
    object: `the registry of ${source}`,
    reason: "does not support range requests (RFC 7233), which the Azure import service needs",
    hints: ["Enable range requests in the registry or in the proxy in front of it, or import from another registry"],
  }),
  digestHeaderMissing: (host: string): Failure => ({
    code: "SOURCE_INVALID_RESPONSE",
    side: "source",
    object: host,
    reason: "sends no valid Docker-Content-Digest header, which the Azure import service needs",
    hints: ["Enable the header in the registry or in the proxy in front of it, or import from another registry"],
  }),
  exportForbidden: (registry: string): Failure => ({
    code: "SOURCE_EXPORT_FORBIDDEN",
    side: "source",
    object: `the export policy of ${registry}`,
    reason: "does not allow importing from it",
    hints: [
      "Run az resource update --ids <registry ID> --set properties.policies.exportPolicy.status=enabled (needs public network access), or import from another registry",
    ],
  }),
  unreachableFromAzure: (host: string): Failure => ({
    code: "SOURCE_UNREACHABLE",
    side: "source",
    object: host,
    reason: "could not be reached by the Azure import service",
    hints: [`Check that ${host} has a public DNS name and is publicly reachable: Azure pulls the image itself`],
  }),
} as const;

/** Says what a registry was asked for when it failed. */
export function whenAskedForReferrers(failure: Failure, image: string): Failure {
  return { ...failure, reason: `${failure.reason} (asked for what refers to ${image})` };
}

/** The warning of `onSourceUnavailable: "keep"` where what refers to the image could not be read. */
export function recordedReferrersKept({ hints, ...failure }: Failure): Failure {
  return { ...failure, fallback: "the recorded referrers" };
}

/** Adds to the failure of a source whose referrers could not be read what `onSourceUnavailable` would do about it. */
export function referrersNotKept(failure: Failure): Failure {
  const hint = 'Set onSourceUnavailable: "keep" to continue with the recorded referrers';
  return { ...failure, hints: [...(failure.hints ?? []), hint] };
}

const UNRESOLVED = { code: "SOURCE_UNRESOLVED", side: "source", object: "the digest" } as const;

/** The warning of `onSourceUnavailable: "keep"`, without hints: there is nothing left to do. */
export function recordedDigestKept({ hints, ...failure }: Failure, digest: string): Failure {
  return { ...failure, fallback: `the recorded digest ${digest}` };
}

/** Adds to the failure of an unavailable source what `onSourceUnavailable: "keep"` does about it, where that matters. */
export function digestNotKept(
  failure: Failure,
  policy: "keep" | "fail",
  recorded: "of this source" | "of another source" | undefined,
): Failure {
  const hint = KEEP_HINTS[`${policy}, ${recorded ?? "none"}`];
  return hint === undefined ? failure : { ...failure, hints: [...(failure.hints ?? []), hint] };
}

/** By the policy and by the source of the recorded digest. */
const KEEP_HINTS: Readonly<Record<string, string>> = {
  "fail, of this source": 'Set onSourceUnavailable: "keep" to continue with the recorded digest',
  "keep, of another source":
    'Note that onSourceUnavailable: "keep" has no effect: the recorded digest is of another source',
  "keep, none": 'Note that onSourceUnavailable: "keep" has no effect: no digest is recorded yet',
};

/** The warning about a source whose tags could not be listed, and which keeps what is recorded. */
export function recordedTagsKept({ hints, ...failure }: Failure): Failure {
  return { ...failure, fallback: "the recorded tags" };
}

/** Adds what `onSourceUnavailable: "keep"` does about a source whose tags could not be listed. */
export function tagsNotKept(failure: Failure): Failure {
  const hint = 'Set onSourceUnavailable: "keep" to continue with the recorded tags';
  return { ...failure, hints: [...(failure.hints ?? []), hint] };
}

/** The warning about a new tag whose digest could not be read, and which a later run imports. */
export function tagPostponed({ hints, ...failure }: Failure): Failure {
  return { ...failure, fallback: "the other tags" };
}
