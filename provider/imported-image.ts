import * as pulumi from "@pulumi/pulumi";
import { sharedResolver } from "./program/run";
import { validateArguments } from "./resource/arguments";
import { sourceImage } from "./resource/source";
import {
  type ConflictPolicy,
  type DeletePolicy,
  type DigestOrigin,
  type Lookup,
  type SourceUnavailablePolicy,
  sourceKey,
} from "./resource/state";
import { UNKNOWN } from "./resource/unknown";

/** Credentials for a source registry. They are secret in state, also when given as plain text. */
export interface SourceCredentialsArgs {
  /** User name, or the application ID of a service principal. @default none: the password is a token that stands alone */
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
   * Where the digest is read. `"target"` is for a source that cannot be read from where Pulumi runs: the image is
   * imported by its reference when the arguments or `triggers` change, and the digest is read from the target afterwards.
   * @default "source"
   */
  digestFrom?: pulumi.Input<DigestOrigin>;
}

/** Arguments of {@link ImportedImage}. */
export interface ImportedImageArgs {
  /** The target: ARM resource ID, login server (`myregistry.azurecr.io`) or name. Another registry replaces the resource. */
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
   * What to do when a target tag holds a digest that this resource did not put there: stop, or replace it.
   * @default "fail"
   */
  onConflict?: pulumi.Input<ConflictPolicy>;
  /**
   * What destroy, replacement and dropped tags do: leave the image, remove our tags, or remove also the manifest when no
   * other tag needs it. Only tags that still hold our digest are ever touched.
   * @default "retain"
   */
  onDelete?: pulumi.Input<DeletePolicy>;
  /**
   * What to do when the source does not answer (network, 429, 5xx) and a digest is recorded for this very source: fail, or
   * keep it with a warning.
   * @default "fail"
   */
  onSourceUnavailable?: pulumi.Input<SourceUnavailablePolicy>;
  /** Import again when one of these values changes. @default none */
  triggers?: pulumi.Input<unknown[]>;
}

/**
 * A container image, or any other OCI artifact, copied into an Azure Container Registry inside Azure and keyed on its
 * digest: it is imported again only when the image behind the reference changed. What goes wrong has a code, listed in
 * the README.
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
  /** The digest that this resource put into the registry. Known in preview; with `digestFrom: "target"` while nothing changes. */
  declare readonly sourceDigest: pulumi.Output<string>;
  /** Digest-pinned reference of the first target: `myregistry.azurecr.io/library/node@sha256:…`. Known in preview. */
  declare readonly reference: pulumi.Output<string>;
  /** Digest-pinned references, one for each target repository. Known in preview. */
  declare readonly references: pulumi.Output<string[]>;
  /** The digest that each target (`repository:tag`, or `repository`) holds. Known in preview. */
  declare readonly targets: pulumi.Output<Record<string, string>>;
  /** Media type of the manifest, where the target can be read. Known once it is imported. */
  declare readonly mediaType: pulumi.Output<string | undefined>;
  /** Platforms that the image is for, such as `linux/arm64/v8`, where the target can be read. Known once it is imported. */
  declare readonly platforms: pulumi.Output<string[] | undefined>;
  /**
   * The evidence of success: the target was read back (`"digest"`), or it cannot be read from here and the operation's
   * own success has to do (`"operation"`). Known once it is imported.
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
    const { stackTraceLimit } = Error;
    // The SDK takes four stack traces for each property of a resource, to be shown by its promise leak detector: a fifth
    // of the processor time of a program with a hundred images. Where it says whose code declares the resource, it sets a
    // limit of its own.
    if (!process.env.PULUMI_DEBUG_PROMISE_LEAKS) Error.stackTraceLimit = 0;
    try {
      super(TYPE, name, toInputs(name, args ?? {}, opts ?? {}), opts);
    } catch (error) {
      Error.stackTraceLimit = stackTraceLimit;
      if (error instanceof Error) Error.captureStackTrace(error, ImportedImage);
      throw error;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /**
   * Reads an image that is in the registry already, without managing it. Only the target is asked; `sourceDigest` is what
   * its first tag holds. Fails with `TARGET_NOT_FOUND` when it is not there.
   *
   * @param name - Name of the resource, unique in the program.
   * @param id - Its ID: the first target's name, `myregistry.azurecr.io/library/node:22`.
   * @param args - What was imported, and where to.
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

// Both stand in the state of every user: they are never renamed.
const TYPE = "pulumi-nodejs:dynamic/acr:ImportedImage";
const PROVIDER = 'exports.handler = () => require("pulumi-acr-import/provider");';

function toInputs(name: string, args: ImportedImageArgs, opts: pulumi.CustomResourceOptions): pulumi.Inputs {
  return {
    ...args,
    source: withSecretCredentials(args.source),
    // Declared here and filled by `check`: that is what makes them known in preview.
    registryId: undefined,
    loginServer: undefined,
    sourceDigest: undefined,
    reference: undefined,
    references: undefined,
    targets: undefined,
    mediaType: undefined,
    platforms: undefined,
    verifiedBy: undefined,
    __provider: PROVIDER,
    // With no engine (unit tests with mocks) nothing is resolved. `hasEngine` would not do: it is false in the inline programs
    // of the Automation API.
    ...(pulumi.runtime.getEngine() !== undefined && { __program: programContext(name, args, opts) }),
  };
}

/** What `check` cannot know by itself. `get` shows what the target holds, so it looks nothing up. */
function programContext(name: string, args: ImportedImageArgs, opts: pulumi.CustomResourceOptions): pulumi.Inputs {
  return {
    urn: urnOf(name, opts.parent),
    preview: pulumi.runtime.isDryRun(),
    timeouts: opts.customTimeouts,
    lookup: opts.id === undefined ? lookUpDigest(args, opts) : undefined,
  };
}

/**
 * The URN that the resource will have, without the dependency on its parent: depending on a component means depending on
 * all its children, and two images in one component would wait for each other for ever.
 */
function urnOf(name: string, parent: pulumi.Resource | undefined): Promise<string> {
  return new Promise((resolve) => pulumi.createUrn(name, TYPE, parent).apply(resolve));
}

/**
 * Resolves the digest now, in the program, for all images at once. Nothing else than the source is waited for, so the
 * target may be created by the same program. Arguments that are wrong cost no request; those that only time will tell are
 * not judged here. The digest of a secret's image is no secret.
 */
function lookUpDigest(
  { source, ...others }: ImportedImageArgs,
  { dependsOn }: pulumi.CustomResourceOptions,
): pulumi.Output<Lookup | undefined> {
  const resolver = sharedResolver();
  return pulumi.unsecret(
    pulumi.all([{ source }, registrationOf(dependsOn)]).apply(async ([known]) => {
      if (validateArguments({ ...withUnknowns(others), ...known }).length > 0) return undefined;
      return { source: sourceKey(known), ...(await resolver.resolve(sourceImage(known))) };
    }),
  );
}

/** The arguments with a marker for what has to be awaited; also for a registry that only a transform may name. */
function withUnknowns({ registry, ...others }: Omit<ImportedImageArgs, "source">): {
  readonly [argument: string]: unknown;
} {
  const marked = Object.entries(others).map(([name, value]) => [name, isPlain(value) ? value : UNKNOWN]);
  return { registry: isPlain(registry) ? (registry ?? UNKNOWN) : UNKNOWN, ...Object.fromEntries(marked) };
}

function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  return !Array.isArray(value) || value.every(isPlain);
}

/** Waits for the resources that this one depends on: they may be what fills the source. */
function registrationOf(dependsOn: pulumi.CustomResourceOptions["dependsOn"]): pulumi.Output<unknown> {
  return pulumi.output(dependsOn ?? []).apply((resources) => [resources].flat().map(({ urn }: pulumi.Resource) => urn));
}

function withSecretCredentials(source: ImportedImageArgs["source"]): pulumi.Input<unknown> {
  if (typeof source === "string") return source;
  if (typeof source === "object" && source !== null && "image" in source && !pulumi.Output.isInstance(source)) {
    return source.credentials === undefined ? source : { ...source, credentials: pulumi.secret(source.credentials) };
  }
  return pulumi
    .output(source)
    .apply((known) => (typeof known === "string" || known?.credentials === undefined ? known : pulumi.secret(known)));
}
