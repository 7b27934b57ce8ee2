/** The repository whose tags are listed, parsed from an argument. */
import type { Repository } from "../reference/repository";
import { parseRepository, parseRepositoryWithoutHost } from "../reference/source";
import { parseSourceRegistry, printSourceRegistry, type SourceRegistry, withoutNulls } from "./source";
import type { SourceArguments } from "./state";

/** A repository as the user names it: `ghcr.io/owner/app`, or the long form. */
export type RepositorySourceArguments =
  | string
  | ({ readonly repository: string } & Pick<SourceArguments, "registry" | "credentials">);

/** A parsed {@link RepositorySourceArguments}. */
export interface RepositorySource {
  readonly registry: SourceRegistry;
  readonly repository: Repository;
  readonly credentials?: NonNullable<SourceArguments["credentials"]>;
}

/**
 * Parses the source of tags, short or long.
 *
 * @throws InvalidReference where the repository or the registry is not valid.
 */
export function parseRepositorySource(source: RepositorySourceArguments): RepositorySource {
  const { repository, registry, credentials } =
    typeof source === "string" ? { repository: source } : withoutNulls(source);
  const rest = credentials === undefined ? {} : { credentials };
  if (registry !== undefined) {
    return { registry: parseSourceRegistry(registry), repository: parseRepositoryWithoutHost(repository), ...rest };
  }
  const { host, ...name } = parseRepository(repository);
  return { registry: { kind: "host", host }, ...name, ...rest };
}

/** The repository as messages name it: `docker.io/library/node`. */
export function printRepositorySource(source: RepositorySource): string {
  return `${printSourceRegistry(source)}/${source.repository}`;
}
