/** The function that resolves an image to its digest. Runs in the user's program. */
import type * as pulumi from "@pulumi/pulumi";
import type { SourceArgs } from "./imported-image";
import { call, callWithInputs } from "./program/data-function";
import { imageDigest } from "./program/image-digest";

/** Arguments of {@link getImageDigest}. */
export interface GetImageDigestArgs {
  /** The image, read as Docker reads it: `docker.io/library/node:22`; or an object with `image`, and `registry` or `credentials`. */
  source: string | pulumi.Unwrap<Omit<SourceArgs, "digestFrom">>;
  /** The one platform whose manifest is meant, such as `linux/arm64`. @default none: the image as it is */
  platform?: string;
}

/** Arguments of {@link getImageDigestOutput}. */
export interface GetImageDigestOutputArgs {
  /** The image, read as Docker reads it: `docker.io/library/node:22`; or an object with `image`, and `registry` or `credentials`. */
  source: pulumi.Input<string | Omit<SourceArgs, "digestFrom">>;
  /** The one platform whose manifest is meant, such as `linux/arm64`. @default none: the image as it is */
  platform?: pulumi.Input<string>;
}

/** Result of {@link getImageDigest}. */
export interface GetImageDigestResult {
  /** The digest of the image, or with `platform` of that platform's manifest: `sha256:…`. */
  readonly digest: string;
  /** With `platform`: the digest of the whole image, as the source names it. */
  readonly indexDigest?: string;
  /** The digest-pinned reference at the source: `docker.io/library/node@sha256:…`. */
  readonly reference: string;
}

/**
 * Resolves an image to its digest in the source registry, in every preview and update. The request is shared with the
 * {@link ImportedImage} resources of the program. Nothing is imported.
 *
 * Fails the program with a code that `docs/errors.md` lists. In unit tests with mocks, `call` gets the token
 * `pulumi-acr-import:index:getImageDigest`.
 *
 * @param args - The image.
 * @param opts - Pulumi's options; `provider` is not supported.
 *
 * @example
 * ```ts
 * const { reference } = await getImageDigest({ source: "docker.io/library/node:22" });
 * ```
 */
export function getImageDigest(args: GetImageDigestArgs, opts?: pulumi.InvokeOptions): Promise<GetImageDigestResult> {
  return call(imageDigest, args, opts);
}

/**
 * {@link getImageDigest} for arguments that are outputs. While they are unknown in a preview, the result is. Secret credentials do
 * not make it secret.
 *
 * @param args - The image.
 * @param opts - Pulumi's options; `provider` is not supported.
 */
export function getImageDigestOutput(
  args: GetImageDigestOutputArgs,
  opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetImageDigestResult> {
  return callWithInputs(imageDigest, args, opts);
}
