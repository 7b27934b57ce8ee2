/** Checks the arguments that name a source, which several functions and resources have. */
import { isObject } from "../json";
import { parseRegistryName } from "../reference/registry-name";
import {
  parseReference,
  parseRepository,
  parseRepositoryReference,
  parseRepositoryWithoutHost,
} from "../reference/source";
import { given, type Problems } from "./problems";
import { digestOrigins } from "./state";
import { UNKNOWN } from "./unknown";

const IMAGE_ARGUMENTS = ["image", "registry", "credentials"];
const REPOSITORY_ARGUMENTS = ["repository", "registry", "credentials"];
const CREDENTIAL_ARGUMENTS = ["username", "password"];

/** Checks `source` of a resource: that of an image, which may also say where the digest is read. */
export function checkSource(problems: Problems, path: string, source: unknown): void {
  checkImageSource(problems, path, source, [...IMAGE_ARGUMENTS, "digestFrom"]);
  if (isObject(source)) problems.choice(`${path}.digestFrom`, source.digestFrom, digestOrigins);
}

/** Checks `source` of an image: a reference, or the long form. */
export function checkImageSource(
  problems: Problems,
  path: string,
  source: unknown,
  known: readonly string[] = IMAGE_ARGUMENTS,
): void {
  if (source === UNKNOWN) return;
  if (!given(source)) problems.add(path, "is required: a reference such as docker.io/library/node:22");
  else if (typeof source === "string") problems.parsed(path, source, parseReference);
  else if (!isObject(source)) problems.add(path, "must be a reference, or an object with image");
  else {
    problems.knownKeys(`${path}.`, source, known);
    if (given(source.registry)) checkSourceRegistry(problems, path, source.registry, "image", "app:1");
    if (!given(source.image)) problems.add(`${path}.image`, "is required: the reference of the image to import");
    else {
      const parse = given(source.registry) ? parseRepositoryReference : parseReference;
      problems.parsed(`${path}.image`, source.image, parse);
    }
    checkCredentials(problems, `${path}.credentials`, source.credentials);
  }
}

/** Checks `source` of tags: a repository, or the long form. */
export function checkRepositorySource(problems: Problems, path: string, source: unknown): void {
  if (source === UNKNOWN) return;
  if (!given(source)) problems.add(path, "is required: a repository such as docker.io/library/node");
  else if (typeof source === "string") problems.parsed(path, source, parseRepository);
  else if (!isObject(source)) problems.add(path, "must be a repository, or an object with repository");
  else {
    problems.knownKeys(`${path}.`, source, REPOSITORY_ARGUMENTS);
    if (given(source.registry)) checkSourceRegistry(problems, path, source.registry, "repository", "app");
    if (!given(source.repository)) {
      problems.add(`${path}.repository`, "is required: a repository such as docker.io/library/node");
    } else {
      const parse = given(source.registry) ? parseRepositoryWithoutHost : parseRepository;
      problems.parsed(`${path}.repository`, source.repository, parse);
    }
    checkCredentials(problems, `${path}.credentials`, source.credentials);
  }
}

/** Checks the name of an Azure registry. */
export function checkRegistry(problems: Problems, path: string, value: unknown): void {
  if (!given(value)) problems.add(path, "is required: the resource ID, login server or name of the registry");
  else problems.parsed(path, value, parseRegistryName);
}

/** Only Azure registries are named apart from what they hold, `member` of the source. */
function checkSourceRegistry(problems: Problems, path: string, value: unknown, member: string, example: string): void {
  const host = typeof value === "string" ? value : "";
  // Not quoted in the message: it may be anything, also a token.
  const isForeign = /^[\w-]+(\.[\w-]+)+(:\d+)?$/.test(host) && !/\.azurecr\./i.test(host);
  if (isForeign) {
    const hint = `Put the host of any other registry into ${path}.${member}: registry.example.com/${example}`;
    problems.add(`${path}.registry`, "must be an Azure Container Registry", hint);
  } else checkRegistry(problems, `${path}.registry`, value);
}

function checkCredentials(problems: Problems, path: string, credentials: unknown): void {
  if (!given(credentials) || credentials === UNKNOWN) return;
  if (!isObject(credentials)) {
    problems.add(path, "must be an object with password and, optionally, username");
    return;
  }
  problems.knownKeys(`${path}.`, credentials, CREDENTIAL_ARGUMENTS);
  const { username, password } = credentials;
  if (!given(password) || password === "") {
    problems.add(`${path}.password`, given(username) ? "is required when username is set" : "is required");
  } else checkCredential(problems, `${path}.password`, password);
  if (username === "") problems.add(`${path}.username`, "must not be empty; leave it out to use a token alone");
  else if (given(username)) checkCredential(problems, `${path}.username`, username);
}

function checkCredential(problems: Problems, path: string, value: unknown): void {
  if (value === UNKNOWN) return;
  if (typeof value !== "string") problems.add(path, "must be a string");
  else if (/^\s|\s$/.test(value)) {
    problems.add(path, "must not begin or end with white space", "Trim the value: a file often ends with a line break");
  } else if (/[\r\n]/.test(value)) problems.add(path, "must not contain a line break");
}
