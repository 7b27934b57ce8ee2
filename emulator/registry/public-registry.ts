import { type DistributionOptions, distribution } from "./distribution";
import type { Handler } from "./http";

/** A registry without accounts that anyone may read, such as Microsoft Container Registry; `readOnly: false` opens it for pushes. */
export function publicRegistry(options: Omit<DistributionOptions, "authorize">): Handler {
  return distribution({ readOnly: true, ...options });
}
