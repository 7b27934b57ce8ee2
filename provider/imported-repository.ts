/** The resource that programs declare for many tags of one repository. Runs in the user's program. */
import * as pulumi from "@pulumi/pulumi";
import type { TagSelectionArgs } from "./get-image-tags";
import type { ImportPolicyArgs } from "./import-policy-args";
import { tagsLookUp } from "./program/look-up-tags";
import { programContext } from "./program/program-context";
import { checkOptions } from "./program/resource-options";
import { withSecretCredentials } from "./program/secret-credentials";
import { suppressStackTraces } from "./program/stack-traces";
import type { RepositorySourceArgs } from "./repository-source-args";
import { parseTags } from "./resource/tag-records";

/** Arguments of {@link ImportedRepository}. `tags` or a selection is required. */
export interface ImportedRepositoryArgs extends TagSelectionArgs, ImportPolicyArgs {
  /** Target registry: ARM resource ID, login server or name. Another registry replaces the resource. */
  registry: pulumi.Input<string>;
  /** The repository to import from: `docker.io/library/node`, `ghcr.io/owner/app`, `other.azurecr.io/app`. */
  source: pulumi.Input<string | RepositorySourceArgs>;
  /** The tags to import, in place of a selection. */
  tags?: pulumi.Input<pulumi.Input<string>[]>;
  /** Repository in the target. Another one replaces the resource. @default the source's own repository */
  targetRepository?: pulumi.Input<string>;
  /** What is taken off the beginning of each tag that begins with it, such as `"v"`. @default nothing */
  stripPrefix?: pulumi.Input<string>;
  /** What is added to the end of each tag. @default nothing */
  tagSuffix?: pulumi.Input<string>;
  /**
   * Remove more than half of the recorded tags, or all, when they are no longer selected and `onDelete` removes tags. Without it,
   * that is an error: a source that answers with too little must not empty the target.
   * @default false
   */
  allowShrink?: pulumi.Input<boolean>;
}

/**
 * Many tags of one repository, copied into an Azure Container Registry inside Azure: one resource, whatever their number. Each tag
 * is treated as an {@link ImportedImage} is; what cannot be imported is named at the end, and everything else is recorded.
 *
 * @example
 * ```ts
 * const node = new ImportedRepository("node", {
 *   registry: "myregistry",
 *   source: "docker.io/library/node",
 *   semver: ">=20, <25",
 *   newest: 10,
 * });
 * export const image = node.reference("22.11.0"); // myregistry.azurecr.io/library/node@sha256:…
 * ```
 */
export class ImportedRepository extends pulumi.CustomResource {
  /** ARM resource ID of the target registry. Known in preview. */
  declare readonly registryId: pulumi.Output<string>;
  /** Login server of the target registry, such as `myregistry.azurecr.io`. Known in preview. */
  declare readonly loginServer: pulumi.Output<string>;
  /** Repository in the target, the default written out. Known in preview. */
  declare readonly targetRepository: pulumi.Output<string>;
  /** The tags of the target and their digests: sorted lines `tag digest`. Known in preview, which shows what changes. */
  declare readonly tags: pulumi.Output<string>;
  /** With `cooldown`: lines `tag digest since time` of the digests that wait. Known in preview. */
  declare readonly candidates: pulumi.Output<string | undefined>;
  /** With `referrers`: lines `tag artifactType digest` of what was imported with the images. Known in preview. */
  declare readonly referrers: pulumi.Output<string | undefined>;
  /** With `verify`: lines `tag digest signer` of the signatures that count. Known in preview. */
  declare readonly signatures: pulumi.Output<string | undefined>;
  /** The evidence: all tags were read back (`"digest"`), or Azure reported success for some. Known after the import. */
  declare readonly verifiedBy: pulumi.Output<"digest" | "operation">;

  /**
   * Declares tags in a registry.
   *
   * @param name - Name of the resource, unique in the program.
   * @param args - Which tags to import, and where to.
   * @param opts - Pulumi's options. `customTimeouts` are honoured; the default is 30 minutes.
   */
  constructor(name: string, args: ImportedRepositoryArgs, opts?: pulumi.CustomResourceOptions) {
    checkOptions(TYPE, name, opts ?? {});
    if (opts?.id !== undefined) {
      throw new pulumi.RunError(
        `${name}: id is not supported\n  Hint: Remove the option: create adopts the tags that the target holds`,
      );
    }
    const stackTraces = suppressStackTraces();
    try {
      super(TYPE, name, toInputs(name, args ?? {}, opts ?? {}), opts);
    } catch (error) {
      throw stackTraces.restoreIn(error, new.target);
    } finally {
      stackTraces.restore();
    }
  }

  /**
   * The digest-pinned reference of a tag: `myregistry.azurecr.io/library/node@sha256:…`. Known in preview.
   *
   * @param tag - The tag in the target. One that is not there ends the program with an error that names it.
   */
  reference(tag: pulumi.Input<string>): pulumi.Output<string> {
    // Not by `pulumi.all`, which makes a plain object of the map.
    return this.#digests().apply(({ name, digests }) =>
      pulumi.output(tag).apply((tag) => {
        const digest = digests?.get(tag);
        if (digests !== undefined && digest === undefined) {
          throw new pulumi.RunError(
            `${name}:${tag} is not among the imported tags\n  Hint: Select it, or ask for another tag`,
          );
        }
        return `${name}@${digest}`;
      }),
    );
  }

  /** The digest-pinned references of all tags, by tag. Known in preview. */
  references(): pulumi.Output<Record<string, string>> {
    return this.#digests().apply(({ name, digests }) =>
      Object.fromEntries([...(digests ?? [])].map(([tag, digest]) => [tag, `${name}@${digest}`])),
    );
  }

  /** Parsed once for all references. */
  #parsed: pulumi.Output<ParsedTags> | undefined;

  #digests(): pulumi.Output<ParsedTags> {
    this.#parsed ??= pulumi
      .all([this.loginServer, this.targetRepository, this.tags])
      .apply(([server, repository, tags]) => ({
        name: `${server}/${repository}`,
        digests: typeof tags === "string" ? parseTags(tags) : undefined,
      }));
    return this.#parsed;
  }
}

/** The repository in the target, and its digests by tag. Unit tests with mocks have no text, hence no digests. */
interface ParsedTags {
  readonly name: string;
  readonly digests: Map<string, string> | undefined;
}

// Both stand in users' states and must never change.
const TYPE = "pulumi-nodejs:dynamic/acr:ImportedRepository";
const PROVIDER = 'exports.handler = () => require("pulumi-acr-import/provider/repository");';

function toInputs(name: string, args: ImportedRepositoryArgs, opts: pulumi.CustomResourceOptions): pulumi.Inputs {
  return {
    tags: undefined,
    referrers: undefined,
    targetRepository: undefined,
    ...args,
    source: withSecretCredentials(args.source),
    // Declared here and set by `check`, which makes them known in preview.
    registryId: undefined,
    loginServer: undefined,
    candidates: undefined,
    signatures: undefined,
    verifiedBy: undefined,
    __provider: PROVIDER,
    // Unit tests with mocks have no engine, and resolve nothing.
    ...(pulumi.runtime.getEngine() !== undefined && {
      __program: programContext(TYPE, name, { ...args }, opts, tagsLookUp),
    }),
  };
}
