/** The session of one identity in one cloud. */
import type { TokenCredential } from "@azure/core-auth";
import type { Cloud } from "./cloud";
import type { RegistryFinder } from "./registries";

/** One identity in one cloud, and what was found with it. */
export interface Session {
  readonly cloud: Cloud;
  readonly credential: TokenCredential;
  /** Who this is, for messages. */
  readonly identity: string;
  readonly finder: RegistryFinder;
}
