/** The public API of the package. */
export {
  type GetImageDigestArgs,
  type GetImageDigestOutputArgs,
  type GetImageDigestResult,
  getImageDigest,
  getImageDigestOutput,
} from "./get-image-digest";
export {
  type GetImageTagsArgs,
  type GetImageTagsOutputArgs,
  type GetImageTagsResult,
  getImageTags,
  getImageTagsOutput,
  type TagSelectionArgs,
} from "./get-image-tags";
export type { ImportPolicyArgs, LockArgs, ReferrersArgs } from "./import-policy-args";
export {
  ImportedImage,
  type ImportedImageArgs,
  type SourceArgs,
  type SourceCredentialsArgs,
} from "./imported-image";
export { ImportedRepository, type ImportedRepositoryArgs } from "./imported-repository";
export { Provider, type ProviderArgs } from "./program/provider";
export type { RepositorySourceArgs } from "./repository-source-args";
export type {
  ConflictPolicy,
  DeletePolicy,
  DigestOrigin,
  ImageParts,
  SourceMovePolicy,
  SourceUnavailablePolicy,
} from "./resource/state";
export type {
  CosignIdentityArgs,
  CosignKeyArgs,
  CosignKeysArgs,
  CosignSignerArgs,
  NotationArgs,
  NotationTrustStoreArgs,
  VerifyArgs,
} from "./verify-args";
