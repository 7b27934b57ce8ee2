/** The resource that programs declare. Runs in the user's program. */
import * as pulumi from "@pulumi/pulumi";
import type { ImportPolicyArgs } from "./import-policy-args";
import { digestLookUp } from "./program/look-up-digest";
import { programContext } from "./program/program-context";
import { checkOptions } from "./program/resource-options";
import { withSecretCredentials } from "./program/secret-credentials";
import { suppressStackTraces } from "./program/stack-traces";
import {
  type DigestOrigin,
  type ImageParts,
  pinnedReferences,
  referenceParts,
  taggedReference,
} from "./resource/state";

/** Credentials for a source registry. They are secret in state, also when given as plain text. */
export interface SourceCredentialsArgs {
  /** User name, or the application ID of a service principal. @default none: the password is a bearer token */
  username?: pulumi.Input<string>;
  /** Password, personal access token, secret of a service principal, or an access token. */
  password: pulumi.Input<string>;
}

/** The long form of {@link ImportedImageArgs.source}. */
export interface SourceArgs {
  /** The reference, such as `docker.io/library/node:22`; without a host when `registry` is given. */
  image: pulumi.Input<string>;
  /**
   * Azure registry that holds the image, by resource ID, login server or name (what `az acr import --registry` does).
   * @default the host in `image`
   */
  registry?: pulumi.Input<string>;
  /** Credentials for the source. @default anonymous; for an Azure registry the identity of this run */
  credentials?: pulumi.Input<SourceCredentialsArgs>;
  /**
   * Where the digest is read. `"target"` is for a source that this machine cannot read: the image is imported by its
   * reference when the arguments or `triggers` change, and the digest is read from the target afterwards.
   * @default "source"
   */
  digestFrom?: pulumi.Input<DigestOrigin>;
}

/** Arguments of {@link ImportedImage}. */
export interface ImportedImageArgs extends ImportPolicyArgs {
  /** Target registry: ARM resource ID, login server (`myregistry.azurecr.io`) or name. Another registry replaces the resource. */
  registry: pulumi.Input<string>;
  /**
   * The image to import, read as Docker reads it: `docker.io/library/node:22`, `ghcr.io/owner/app@sha256:…`,
   * `other.azurecr.io/app:1`.
   */
  source: pulumi.Input<string | SourceArgs>;
  /** Names `repository:tag` in the target. @default the source's own repository and tag */
  targetTags?: pulumi.Input<pulumi.Input<string>[]>;
  /** Repositories that get the manifest without a tag. @default none */
  untaggedTargetRepositories?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The one platform to import, such as `linux/arm64`, out of an image for several. The output `sourceDigest` is then the
   * digest of its manifest, and `indexDigest` that of the whole image.
   * @default none: the image is imported as it is, with all its platforms
   */
  platform?: pulumi.Input<string>;
}

/**
 * A container image, or any other OCI artifact, copied into an Azure Container Registry inside Azure and keyed on its
 * digest: it is imported again only when the image behind the reference changed. Every failure has a stable code, listed in
 * `docs/errors.md` of the repository.
 *
 * @example
 * ```ts
 * const node = new ImportedImage("node", {
 *   registry: registry.id,
 *   source: "docker.io/library/node:22",
 * });
 * export const image = node.reference; // myregistry.azurecr.io/library/node@sha256:…
 * ```
 */
export class ImportedImage extends pulumi.CustomResource {
  /** ARM resource ID of the target registry. Known in preview. */
  declare readonly registryId: pulumi.Output<string>;
  /** Login server of the target registry, such as `myregistry.azurecr.io`. Known in preview. */
  declare readonly loginServer: pulumi.Output<string>;
  /** The digest that this resource imported. Known in preview; with `digestFrom: "target"` only while nothing changes. */
  declare readonly sourceDigest: pulumi.Output<string>;
  /** With `platform`: the digest of the whole image, as the source names it. Known in preview. */
  declare readonly indexDigest: pulumi.Output<string | undefined>;
  /** With `cooldown`: the digest that waits, and since when: `sha256:… since 2026-11-25T04:00Z`. Known in preview. */
  declare readonly candidate: pulumi.Output<string | undefined>;
  /**
   * With `referrers`: what was imported with the image, in sorted lines `artifactType digest`, or `tag digest` for cosign's tags.
   * Known in preview. Nothing that vanishes at the source is removed.
   */
  declare readonly referrers: pulumi.Output<string | undefined>;
  /** With `verify`: the digest of the signature that counts; with both tools, of one of each. Known in preview. */
  declare readonly signature: pulumi.Output<string | undefined>;
  /** With `verify`: who signed, the fingerprint of a key or the name in a certificate. Known in preview. */
  declare readonly signedBy: pulumi.Output<string | undefined>;
  /** Digest-pinned reference of the first target: `myregistry.azurecr.io/library/node@sha256:…`. Known in preview. */
  declare readonly reference: pulumi.Output<string>;
  /** Names `repository:tag` in the target, the default written out. Known in preview. */
  declare readonly targetTags: pulumi.Output<string[] | undefined>;
  /** The digest that each target (`repository:tag`, or `repository`) holds. Known in preview. */
  declare readonly targets: pulumi.Output<Record<string, string>>;
  /** Media type of the manifest, where the target can be read. Known after the import. */
  declare readonly mediaType: pulumi.Output<string | undefined>;
  /** Platforms of the image, such as `linux/arm64/v8`, where the target can be read. Known after the import. */
  declare readonly platforms: pulumi.Output<string[] | undefined>;
  /**
   * The evidence of success: the target was read back (`"digest"`), or Azure reported success and the target cannot be
   * read from this machine (`"operation"`). Known after the import.
   */
  declare readonly verifiedBy: pulumi.Output<"digest" | "operation">;

  /**
   * Declares an image in a registry.
   *
   * @param name - Name of the resource, unique in the program.
   * @param args - What to import, and where to.
   * @param opts - Pulumi's options. `customTimeouts` are honoured; the default is 30 minutes.
   */
  constructor(name: string, args: ImportedImageArgs, opts?: pulumi.CustomResourceOptions) {
    checkOptions(TYPE, name, opts ?? {});
    const stackTraces = suppressStackTraces();
    try {
      super(TYPE, name, toInputs(name, args ?? {}, opts ?? {}), opts);
    } catch (error) {
      throw stackTraces.restoreIn(error, new.target);
    } finally {
      stackTraces.restore();
    }
  }

  /** Digest-pinned references, one for each target repository, the first target's first. Known in preview. */
  get references(): pulumi.Output<string[]> {
    const { loginServer, reference, sourceDigest, targets } = this;
    // Unit tests with mocks have no targets.
    return pulumi
      .all([loginServer, reference, sourceDigest, targets])
      .apply(([server, first, digest, held = {}]) => pinnedReferences(server, first, digest, held));
  }

  /**
   * The reference with the tag of the first target that has one: `myregistry.azurecr.io/library/node:22@sha256:…`. Where a
   * reference has both, clients pull by the digest. Known in preview.
   */
  get taggedReference(): pulumi.Output<string | undefined> {
    return this.parts.apply(taggedReference);
  }

  /** Registry, repository, tag and digest of the first target, as the values of Helm charts want them. Known in preview. */
  get parts(): pulumi.Output<ImageParts> {
    // Unit tests with mocks may have neither.
    return pulumi
      .all([this.reference, this.targetTags])
      .apply(([reference = "", targetTags = []]) => referenceParts(reference, targetTags));
  }

  /**
   * Reads an image that exists in the registry, without managing it. Reads only the target; `sourceDigest` is the digest
   * that its first tag holds. Fails with `TARGET_NOT_FOUND` when there is none.
   *
   * @param name - Name of the resource, unique in the program.
   * @param id - Its ID: the first target's name, `myregistry.azurecr.io/library/node:22`.
   * @param args - The image, and where it is.
   * @param opts - Pulumi's options.
   */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    args: ImportedImageArgs,
    opts?: pulumi.CustomResourceOptions,
  ): ImportedImage {
    return new ImportedImage(name, args, { ...opts, id });
  }
}

// Both stand in every user's state and must never change.
const TYPE = "pulumi-nodejs:dynamic/acr:ImportedImage";
const PROVIDER = 'exports.handler = () => require("pulumi-acr-import/provider");';

function toInputs(name: string, args: ImportedImageArgs, opts: pulumi.CustomResourceOptions): pulumi.Inputs {
  return {
    targetTags: undefined,
    referrers: undefined,
    ...args,
    source: withSecretCredentials(args.source),
    // Declared here and set by `check`, which makes them known in preview.
    registryId: undefined,
    loginServer: undefined,
    sourceDigest: undefined,
    indexDigest: undefined,
    candidate: undefined,
    signature: undefined,
    signedBy: undefined,
    reference: undefined,
    targets: undefined,
    mediaType: undefined,
    platforms: undefined,
    verifiedBy: undefined,
    __provider: PROVIDER,
    // Unit tests with mocks have no engine, and resolve nothing. Not `hasEngine`, which is also false in inline programs of the
    // Automation API.
    ...(pulumi.runtime.getEngine() !== undefined && {
      __program: programContext(TYPE, name, { ...args }, opts, digestLookUp),
    }),
  };
}
