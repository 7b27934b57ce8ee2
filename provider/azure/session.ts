/** The session of one identity in one cloud. */
import type { RegistryFinder } from "./registries";
import type { ArmContext } from "./resource-manager";

/** One identity in one cloud, and what was found with it. */
export interface Session extends ArmContext {
  /** Who this is, for messages. */
  readonly identity: string;
  readonly finder: RegistryFinder;
}
