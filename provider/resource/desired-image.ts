/** The image that create and update bring about: inputs without unknown values, parsed. */
import { type RegistryResource, toRegistryResource } from "../reference/registry-name";
import { parseTarget, type Target } from "../reference/target";
import { parseSource, type Source } from "./source";
import { type Inputs, targetNames } from "./state";

/** What to import, and where to. */
export interface DesiredImage {
  readonly registry: RegistryResource;
  readonly source: Source;
  /** At least one; the first names the resource. */
  readonly targets: readonly Target[];
  /** As they are compared and recorded. */
  readonly inputs: Inputs;
}

/** Parses inputs that `check` has completed. */
export function toDesiredImage(inputs: Inputs): DesiredImage {
  return {
    registry: toRegistryResource(inputs.registryId, inputs.loginServer),
    source: parseSource(inputs.source),
    targets: targetNames(inputs).map(parseTarget),
    inputs,
  };
}
