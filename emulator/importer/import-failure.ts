/** The failures of an import, in the service's words. */
/** A failure, with its message and code. */
export class ImportFailure extends Error {
  constructor(
    message: string,
    readonly code = "InvalidParameters",
  ) {
    super(message);
  }

  static accessDenied(host: string): ImportFailure {
    return new ImportFailure(`Access to ${host} denied.`);
  }

  static tagExists(tag: string): ImportFailure {
    return new ImportFailure(`${tag} Tag ${tag} already exists in target registry.`);
  }

  static manifestUnknown(source: { host: string; repository: string; tag?: string; digest?: string }): ImportFailure {
    const { host, repository, tag = "", digest = "" } = source;
    return new ImportFailure(
      `Unable to find manifest digest  Repo: ${host}/${repository} Tag: ${tag} Manifest: ${digest}`,
    );
  }
}
