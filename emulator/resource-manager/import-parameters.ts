/** Parses and validates the body of `importImage`. */
import { ArmError } from "./arm-error";

/** The validated body of `importImage`. */
export interface ImportParameters {
  readonly source: {
    readonly resourceId?: string;
    readonly registryUri?: string;
    readonly credentials?: { readonly username?: string; readonly password: string };
    readonly sourceImage: string;
  };
  readonly targetTags: readonly string[];
  readonly untaggedTargetRepositories: readonly string[];
  readonly mode: "NoForce" | "Force";
}

/** An image reference without the host. */
export interface SourceImage {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

type Rule =
  | { readonly kind: "string"; readonly values?: readonly string[] }
  | { readonly kind: "strings" }
  | { readonly kind: "object"; readonly required: readonly string[]; readonly properties: ReadonlyMap<string, Rule> };

const text: Rule = { kind: "string" };
const strings: Rule = { kind: "strings" };
const object = (required: readonly string[], properties: Readonly<Record<string, Rule>>): Rule => ({
  kind: "object",
  required,
  properties: new Map(Object.entries(properties)),
});

/** Members and types of the body as API version 2025-11-01 defines them; any other member is an error. */
const bodyRule = object(["source"], {
  source: object(["sourceImage"], {
    resourceId: text,
    registryUri: text,
    sourceImage: text,
    credentials: object(["password"], { username: text, password: text }),
  }),
  targetTags: strings,
  untaggedTargetRepositories: strings,
  mode: { kind: "string", values: ["NoForce", "Force"] },
});

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const repositoryText = `${component}(?:/${component})*`;
const tagText = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
const sourceImageGrammar = new RegExp(`^(${repositoryText})(?::(${tagText}))?(?:@(sha256:[0-9a-f]{64}))?$`);
const targetTagGrammar = new RegExp(`^(${repositoryText})(?::(${tagText}))?$`);
const repositoryGrammar = new RegExp(`^${repositoryText}$`);
const hostGrammar = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i;
const registryIdGrammar =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ContainerRegistry\/registries\/[^/]+$/i;

/** Parses the body; throws what the service rejects before it starts an operation. */
export function parseImportParameters(json: string): ImportParameters {
  const body = parseJson(json);
  check(body, bodyRule, "");
  const { source, targetTags = [], untaggedTargetRepositories = [], mode = "NoForce" } = body as ImportParameters;
  const { resourceId, registryUri, credentials, sourceImage } = source;

  if ((resourceId === undefined) === (registryUri === undefined)) {
    throw invalid("Exactly one of 'source.resourceId' and 'source.registryUri' must be given.");
  }
  if (resourceId !== undefined && !registryIdGrammar.test(resourceId)) {
    throw invalid(
      "source.documentId is invalid, it should be in form of '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}'",
    );
  }
  if (resourceId !== undefined && credentials !== undefined) {
    throw invalid("'source.credentials' can only be used together with 'source.registryUri'.");
  }
  if (registryUri !== undefined && !hostGrammar.test(registryUri)) {
    throw invalid(`'source.registryUri' is invalid: '${registryUri}'.`);
  }
  parseSourceImage(sourceImage);
  for (const targetTag of targetTags) {
    if (!targetTagGrammar.test(targetTag)) throw invalid(`Invalid target tag '${targetTag}'.`);
  }
  for (const repository of untaggedTargetRepositories) {
    if (!repositoryGrammar.test(repository)) throw invalid(`Invalid target repository '${repository}'.`);
  }
  if (targetTags.length + untaggedTargetRepositories.length === 0) {
    throw invalid("At least one of 'targetTags' and 'untaggedTargetRepositories' must be given.");
  }
  return { source, targetTags, untaggedTargetRepositories, mode };
}

/** Parses `repo`, `repo:tag` or `repo@digest`; without tag and digest the tag is `latest`. */
export function parseSourceImage(sourceImage: string): SourceImage {
  const [, repository, tag, digest] = sourceImageGrammar.exec(sourceImage) ?? [];
  const first = sourceImage.split("/")[0] ?? "";
  const beginsWithHost = sourceImage.includes("/") && (/[.:]/.test(first) || first === "localhost");
  if (repository === undefined || beginsWithHost) {
    throw invalid(
      `Invalid source image '${sourceImage}': it must be of the form repository[:tag] or repository@digest.`,
    );
  }
  if (digest !== undefined) return { repository, digest };
  return { repository, tag: tag ?? "latest" };
}

/** Parses a target; without a tag it gets the source's. */
export function parseTargetTag(targetTag: string, source: SourceImage): { repository: string; tag: string } {
  const [, repository = targetTag, tag] = targetTagGrammar.exec(targetTag) ?? [];
  return { repository, tag: tag ?? source.tag ?? "latest" };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new ArmError(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.");
  }
}

function check(value: unknown, rule: Rule, path: string): void {
  const assert = (isRight: boolean, expected: string) => {
    if (isRight) return;
    const message = `The request content was invalid: '${path || "body"}' must be ${expected}.`;
    throw new ArmError(400, "InvalidRequestContent", message);
  };
  switch (rule.kind) {
    case "string":
      assert(typeof value === "string", "a string");
      assert(rule.values?.includes(String(value)) ?? true, `one of ${rule.values?.join(", ")}`);
      break;
    case "strings":
      assert(Array.isArray(value) && value.every((item) => typeof item === "string"), "an array of strings");
      break;
    case "object": {
      assert(typeof value === "object" && value !== null && !Array.isArray(value), "an object");
      const members = new Map(Object.entries(value as object));
      for (const name of rule.required) assert(Boolean(members.get(name)), `an object with '${name}'`);
      for (const [name, member] of members) {
        const memberRule = rule.properties.get(name);
        assert(memberRule !== undefined, `an object without '${name}'`);
        if (memberRule) check(member, memberRule, path ? `${path}.${name}` : name);
      }
    }
  }
}

function invalid(message: string): ArmError {
  return new ArmError(400, "InvalidParameters", message);
}
