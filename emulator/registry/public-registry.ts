/** A registry without authentication. */
import { type DistributionOptions, distribution } from "./distribution";
import type { Handler } from "./http";

/** A registry that anybody may pull from, such as Microsoft Container Registry; with `readOnly: false` also push to. */
export function publicRegistry(options: Omit<DistributionOptions, "authorize">): Handler {
  return distribution({ readOnly: true, ...options });
}
