/** The arguments that all resources have: what is imported with an image, and what happens when something changed. */
import type * as pulumi from "@pulumi/pulumi";
import type { ConflictPolicy, DeletePolicy, SourceMovePolicy, SourceUnavailablePolicy } from "./resource/state";
import type { VerifyArgs } from "./verify-args";

/** What {@link ImportPolicyArgs.referrers} selects. */
export interface ReferrersArgs {
  /** Types of artifacts, exact or with a `*` at the end: `application/vnd.dev.sigstore.bundle*`. @default all */
  artifactTypes?: pulumi.Input<pulumi.Input<string>[]>;
  /** Whether to import what cosign keeps under the tags `sha256-….sig`, `.att` and `.sbom`. @default true */
  tags?: pulumi.Input<boolean>;
}

/** The parts of {@link ImportPolicyArgs.lock}. */
export interface LockArgs {
  /** Against changes: the tag cannot be moved. It cannot be deleted either. @default false */
  write?: pulumi.Input<boolean>;
  /** Against deletion; the tag can be moved. @default false */
  delete?: pulumi.Input<boolean>;
}

/** What {@link ImportedImage} and {@link ImportedRepository}, where it holds for each tag, have in common. */
export interface ImportPolicyArgs {
  /**
   * Import also what refers to the image, to its platforms, and to those referrers: signatures, SBOMs, attestations. They are
   * there before the tags. With `platform`, what refers to the manifest of that platform.
   * @default false
   */
  referrers?: pulumi.Input<boolean | ReferrersArgs>;
  /**
   * What to do when a target tag holds a digest that this resource did not import: stop, or replace it.
   * @default "fail"
   */
  onConflict?: pulumi.Input<ConflictPolicy>;
  /**
   * What destroy, replacement and tags that are no longer wanted do: leave the image, remove our tags, or also delete the manifest when no
   * other tag holds it. Only tags that still hold our digest are removed.
   * @default "retain"
   */
  onDelete?: pulumi.Input<DeletePolicy>;
  /**
   * What to do when the source does not respond (network, 429, 5xx) and the state has a digest of this very source: fail, or
   * keep it with a warning.
   * @default "fail"
   */
  onSourceUnavailable?: pulumi.Input<SourceUnavailablePolicy>;
  /**
   * What to do when the source holds another digest than the recorded one: import it, stop with `SOURCE_MOVED`, or stay with
   * the recorded one. A change of `triggers` imports it once in any case.
   * @default "import"
   */
  onSourceMove?: pulumi.Input<SourceMovePolicy>;
  /**
   * How long a digest waits before it replaces a recorded one: `"3d"`, `"12h"`, an hour or more; `"0"` for not at all. While it
   * waits, the output `candidate` names it. The first import does not wait, and a change of `triggers` ends the wait.
   * @default "0"
   */
  cooldown?: pulumi.Input<string>;
  /**
   * Whose signatures the image must carry: otherwise preview and update fail, and nothing is imported. The digest that is
   * imported is verified; with `platform` the index, which names the manifest of the platform.
   * @default none
   */
  verify?: pulumi.Input<VerifyArgs>;
  /**
   * Lock the imported tags, or manifests without a tag, against changes and deletion; `true` is both. The lock is taken off for
   * an update or deletion by this resource, and stays on what it leaves in the registry.
   * @default false
   */
  lock?: pulumi.Input<boolean | LockArgs>;
  /** Import again when one of these values changes. @default none */
  triggers?: pulumi.Input<unknown[]>;
}
