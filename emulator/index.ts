/** Public interface of the emulator: start it, describe faults and images, and build registries for tests. */
export { type CertificateAuthority, createCertificateAuthority } from "./certificates";
export {
  defaultIdentity,
  dockerHubAccount,
  newRegistry,
  privateRepository,
  secondSubscriptionId,
  subscriptionId,
  tenantId,
} from "./default-state";
export { type Emulator, type EmulatorOptions, startEmulator } from "./emulator";
export { githubRequestHost, githubRequestToken } from "./entra/oidc-issuer";
export type { Fault, ImportFault } from "./faults/fault";
export type { HostSetting } from "./hosts";
export type { SignedImageDescription, SignedImageOptions } from "./images";
export type { Handler } from "./registry/http";
export { type ImageDescription, type ImageOptions, makeImage } from "./registry/make-image";
export type { ReferrerDescription, ReferrerOptions } from "./registry/make-referrers";
export type { ReferrersOptions } from "./registry/referrers";
export { RegistryStore } from "./registry/registry-store";
export { createTar } from "./registry/tar";
export { type TokenRegistryOptions, tokenRegistry } from "./registry/token-registry";
export type { LogEntry, Origin } from "./request-log";
export { type Registry, type RegistryProperties, registryId, type State } from "./state";
