/** Why an import failed, in the service's words. */
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

  static manifestUnknown(names: { host: string; repository: string; tag?: string; digest?: string }): ImportFailure {
    const { host, repository, tag = "", digest = "" } = names;
    return new ImportFailure(
      `Unable to find manifest digest  Repo: ${host}/${repository} Tag: ${tag} Manifest: ${digest}`,
    );
  }
}
