/** The repository whose tags a program wants. */
import type * as pulumi from "@pulumi/pulumi";
import type { SourceCredentialsArgs } from "./imported-image";

/** The long form of a repository in a source registry. */
export interface RepositorySourceArgs {
  /** The repository, such as `ghcr.io/owner/app`, without a tag; without a host when `registry` is given. */
  repository: pulumi.Input<string>;
  /** Azure registry that holds the repository, by resource ID, login server or name. @default the host in `repository` */
  registry?: pulumi.Input<string>;
  /** Credentials for the source. @default anonymous; for an Azure registry the identity of this run */
  credentials?: pulumi.Input<SourceCredentialsArgs>;
}
