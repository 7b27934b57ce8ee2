/** Creates what refers to an image: signatures, attestations, SBOMs. */
import { randomUUID } from "node:crypto";
import { buildArtifact, describeImage, type ImageDescription, putBlob, putManifest } from "./make-image";
import { type Descriptor, mediaTypes, printPlatform } from "./manifest";
import { keepReferrersIndex, listsReferrers, type ReferrersOptions, referrersTag } from "./referrers";
import type { RegistryStore } from "./registry-store";

export interface ReferrerOptions {
  /** @default "application/vnd.example.signature.v1" */
  readonly artifactType?: string;
  readonly annotations?: Record<string, string>;
  /** Refers to the image of this platform, instead of the index. */
  readonly platform?: string;
  /** Keeps it under cosign's tag instead of referring to the image: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
  readonly cosign?: "sig" | "att" | "sbom";
  /** What refers to it in turn. */
  readonly referrers?: readonly ReferrerOptions[];
}

/** A referrer that was made. */
export interface ReferrerDescription extends ImageDescription {
  readonly artifactType: string;
  readonly subject: string;
  readonly tag?: string;
}

/** Creates referrers as a client does: it keeps the list itself on a registry that does not. */
export function makeReferrers(
  store: RegistryStore,
  repository: string,
  image: string,
  referrers: readonly ReferrerOptions[],
  registry: ReferrersOptions,
): ReferrerDescription[] {
  return referrers.flatMap((options) => {
    const { platform, cosign, referrers: nested = [] } = options;
    const subject = platform === undefined ? image : digestOfPlatform(store, repository, image, platform);
    const made = cosign
      ? makeCosignTag(store, repository, subject, cosign)
      : makeReferrer(store, repository, subject, options, registry);
    return [made, ...makeReferrers(store, repository, made.digest, nested, registry)];
  });
}

/** Creates a manifest with a subject. */
export function makeReferrer(
  store: RegistryStore,
  repository: string,
  subjectDigest: string,
  { artifactType = "application/vnd.example.signature.v1", annotations }: ReferrerOptions = {},
  registry: ReferrersOptions = {},
): ReferrerDescription {
  const subjectManifest = store.manifest(repository, subjectDigest);
  const subject: Descriptor = {
    mediaType: subjectManifest?.mediaType ?? mediaTypes.manifest,
    digest: subjectDigest,
    size: subjectManifest?.bytes.length ?? 0,
  };
  const manifest = buildArtifact(store, repository, { artifactType, subject, annotations }, randomUUID);
  const { digest, mediaType } = putManifest(store, repository, manifest, mediaTypes.manifest);
  if (!listsReferrers(registry)) keepReferrersIndex(store, repository, subjectDigest, registry);
  return { digest, mediaType, platforms: [], artifactType, subject: subjectDigest };
}

const payloadTypes = {
  sig: "application/vnd.dev.cosign.simplesigning.v1+json",
  att: "application/vnd.dsse.envelope.v1+json",
  sbom: "text/spdx+json",
} as const;

function makeCosignTag(
  store: RegistryStore,
  repository: string,
  subject: string,
  kind: keyof typeof payloadTypes,
): ReferrerDescription {
  const payload = Buffer.from(JSON.stringify({ subject, unique: randomUUID() }));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: putBlob(store, repository, Buffer.from('{"rootfs":{"type":"layers"}}'), mediaTypes.config),
    layers: [putBlob(store, repository, payload, payloadTypes[kind])],
  };
  const tag = `${referrersTag(subject)}.${kind}`;
  const { digest, mediaType } = putManifest(store, repository, manifest, mediaTypes.manifest, tag);
  return { digest, mediaType, platforms: [], artifactType: mediaTypes.config, subject, tag };
}

function digestOfPlatform(store: RegistryStore, repository: string, image: string, platform: string): string {
  const children = store.manifest(repository, image)?.content.manifests ?? [];
  const found = children.find((child) => child.platform && printPlatform(child.platform) === platform);
  if (found) return found.digest;
  const platforms = describeImage(store, repository, image)?.platforms.join(", ") || "none";
  throw new TypeError(`the image has no platform ${platform}; it has ${platforms}`);
}
