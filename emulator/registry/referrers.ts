/** Lists of referrers, as registries really send them. */
import { type Descriptor, mediaTypes } from "./manifest";
import type { RegistryStore, StoredManifest } from "./registry-store";

/** How a registry lists referrers. By default as the distribution specification says. */
export interface ReferrersOptions {
  /**
   * - `list`: the referrers API.
   * - `missing`: 404, as registries without the API. Clients keep the list themselves then.
   * - `redirect`: 303 to a web page, as ghcr.io: https://github.com/artifacthub/hub/issues/4785
   *
   * @default "list"
   */
  readonly api?: "list" | "missing" | "redirect";
  /**
   * The artifact types in lists:
   *
   * - `manifest`: those of the manifests.
   * - `config`: the media type of the configuration, although there is an artifact type.
   * - `missing`: none: https://github.com/Azure/acr/issues/784
   *
   * @default "manifest"
   */
  readonly artifactTypes?: "manifest" | "config" | "missing";
  /** The tag `sha256-…` is the manifest with that digest, as in GitLab: https://github.com/oras-project/oras-go/issues/1396 */
  readonly digestTags?: boolean;
}

/** The tag under which clients keep the list: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
export const referrersTag = (digest: string): string => digest.replace(":", "-");

/** Whether a registry lists referrers, and says so in the response to a push. */
export function listsReferrers({ api = "list" }: ReferrersOptions): boolean {
  return api === "list";
}

/** The entries of the list of a subject. */
export function describeReferrers(
  store: RegistryStore,
  repository: string,
  subject: string,
  { artifactTypes = "manifest" }: ReferrersOptions,
): Descriptor[] {
  return store.referrers(repository, subject).map(({ digest, mediaType, bytes, content }) => {
    const artifactType = {
      manifest: content.artifactType || content.config?.mediaType,
      config: content.config?.mediaType,
      missing: undefined,
    }[artifactTypes];
    return {
      mediaType,
      digest,
      size: bytes.length,
      ...(artifactType ? { artifactType } : {}),
      ...(content.annotations ? { annotations: content.annotations } : {}),
    };
  });
}

/** Keeps the list of a subject under its tag, as clients do where the registry does not list referrers itself. */
export function keepReferrersIndex(
  store: RegistryStore,
  repository: string,
  subject: string,
  options: ReferrersOptions,
): void {
  const manifests = describeReferrers(store, repository, subject, options);
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  store.putManifest(repository, Buffer.from(JSON.stringify(index)), mediaTypes.index, referrersTag(subject));
}

/** The manifest that a tag made from a digest is, where the registry has such tags. */
export function manifestOfDigestTag(
  store: RegistryStore,
  repository: string,
  tag: string,
  { digestTags = false }: ReferrersOptions,
): StoredManifest | undefined {
  return digestTags && /^sha256-[0-9a-f]{64}$/.test(tag)
    ? store.manifest(repository, tag.replace("-", ":"))
    : undefined;
}
