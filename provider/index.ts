/** The public API of the package. */
export {
  ImportedImage,
  type ImportedImageArgs,
  type LockArgs,
  type ReferrersArgs,
  type SourceArgs,
  type SourceCredentialsArgs,
} from "./imported-image";
export {
  ImportedRepository,
  type ImportedRepositoryArgs,
  type RepositorySourceArgs,
  type TagSelectionArgs,
} from "./imported-repository";
export { Provider, type ProviderArgs } from "./program/provider";
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
