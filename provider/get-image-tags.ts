/** The function that lists and selects the tags of a repository. Runs in the user's program. */
import type * as pulumi from "@pulumi/pulumi";
import { call, callWithInputs } from "./program/data-function";
import { imageTags } from "./program/image-tags";
import type { RepositorySourceArgs } from "./repository-source-args";

/**
 * Which tags of a repository count. Patterns are [RE2](https://github.com/google/re2/wiki/Syntax) and match a whole tag. With
 * `semver`, `newest` or `extract` only tags count that are versions.
 */
export interface TagSelectionArgs {
  /** Pattern of the tags to take. @default all */
  match?: pulumi.Input<string>;
  /** Pattern of the tags to leave out. @default none */
  exclude?: pulumi.Input<string>;
  /** Pattern whose group 1 is the version of a tag: `stable-(.*)`. @default the whole tag is the version */
  extract?: pulumi.Input<string>;
  /** Range of versions as npm has it: `^1.29`, `>=1.29 <1.35`. A comma means "and". @default all versions */
  semver?: pulumi.Input<string>;
  /** Whether versions with a suffix, such as `1.30.0-rc.1` and `1.27.3-alpine`, count. @default false */
  prerelease?: pulumi.Input<boolean>;
  /** How many tags to take, of the highest versions. @default all */
  newest?: pulumi.Input<number>;
}

/** Arguments of {@link getImageTags}. */
export interface GetImageTagsArgs extends pulumi.Unwrap<TagSelectionArgs> {
  /** The repository: `ghcr.io/owner/app`; or an object with `repository`, and `registry` or `credentials`. */
  source: string | pulumi.Unwrap<RepositorySourceArgs>;
}

/** Arguments of {@link getImageTagsOutput}. */
export interface GetImageTagsOutputArgs extends TagSelectionArgs {
  /** The repository: `ghcr.io/owner/app`; or an object with `repository`, and `registry` or `credentials`. */
  source: pulumi.Input<string | RepositorySourceArgs>;
}

/** Result of {@link getImageTags}. */
export interface GetImageTagsResult {
  /**
   * The selected tags. With `semver`, `newest` or `extract` by version descending, and equal versions by tag descending; otherwise
   * in the order of their characters. Tags that clients keep beside signatures and referrers (`sha256-…`) are left out.
   */
  readonly tags: string[];
  /** The repository with its host: `docker.io/library/node`. */
  readonly repository: string;
}

/**
 * Lists the tags of a repository in a source registry, in every preview and update, and selects some of them. A list is read once
 * for all calls of a program. Nothing is imported.
 *
 * Fails the program with a code that `docs/errors.md` lists: `SOURCE_TOO_MANY_TAGS` when there are more than 10,000 tags. In unit
 * tests with mocks, `call` gets the token `pulumi-acr-import:index:getImageTags`.
 *
 * @param args - The repository and the selection.
 * @param opts - Pulumi's options; `provider` is not supported.
 *
 * @example
 * ```ts
 * const { tags, repository } = await getImageTags({ source: "ghcr.io/owner/app", semver: ">=1.15, <2", newest: 3 });
 * ```
 */
export function getImageTags(args: GetImageTagsArgs, opts?: pulumi.InvokeOptions): Promise<GetImageTagsResult> {
  return call(imageTags, args, opts);
}

/**
 * {@link getImageTags} for arguments that are outputs. While they are unknown in a preview, the result is. Secret credentials do
 * not make it secret.
 *
 * @param args - The repository and the selection.
 * @param opts - Pulumi's options; `provider` is not supported.
 */
export function getImageTagsOutput(
  args: GetImageTagsOutputArgs,
  opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetImageTagsResult> {
  return callWithInputs(imageTags, args, opts);
}
