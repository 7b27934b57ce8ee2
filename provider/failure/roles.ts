/**
 * The least Azure roles for what this package does.
 *
 * `AcrPull`, `AcrPush` and `AcrDelete` are not honored by a registry in the mode "RBAC Registry + ABAC Repository
 * Permissions": https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
 */

/** What a client does with a tag or a manifest. */
export type RegistryAction = "pull" | "untag" | "delete" | "lock" | "unlock";

/** Allows an import: on the target, and on a source in Azure. */
export const IMPORT_ROLE = "Container Registry Data Importer and Data Reader";

/** Allows to pull an image with credentials of one's own. */
export const PULL_ROLE = "AcrPull (Container Registry Repository Reader if the registry uses ABAC)";

const DELETE_ROLE = "AcrDelete (Container Registry Repository Contributor if the registry uses ABAC)";
const LOCK_ROLE = "Contributor (Container Registry Repository Writer if the registry uses ABAC)";

/** Allows an action in the target registry. */
export const TARGET_ROLES: Readonly<Record<RegistryAction, string>> = {
  pull: IMPORT_ROLE,
  untag: DELETE_ROLE,
  delete: DELETE_ROLE,
  lock: LOCK_ROLE,
  unlock: LOCK_ROLE,
};
