/** Lists the tags of a repository, with their digests where a registry lists those as well. */
import { failureOf, ImportError } from "../failure/failure";
import { sourceFailure } from "../failure/source";
import { isObject } from "../json";
import { type Digest, isDigest } from "../reference/digest";
import { isTag } from "../reference/tag";
import { PAGE_SIZE, type PageRequest, type RegistryApi } from "./api";

/** A tag in a list. */
export interface ListedTag {
  readonly tag: string;
  /** Missing where the list has only names. */
  readonly digest?: Digest;
}

/** How long the pages of a list may take, in milliseconds. */
const MAX_LIST_MS = 60_000;
/** Some registries do not page, and Google's describe each manifest. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
/** What Azure's own clients ask for: https://github.com/Azure/acr-cli */
const AZURE_PAGE_SIZE = 100;

/** The tags in the registry's order, each once; `undefined` when the repository does not exist. */
export async function listTags(
  api: RegistryApi,
  repository: string,
  limit: number,
  signal?: AbortSignal,
): Promise<ListedTag[] | undefined> {
  const path = `/v2/${repository}/tags/list?n=${PAGE_SIZE}`;
  const list = (): Promise<ListedTag[] | undefined> =>
    readList(api, { path, scope: { repository, actions: "pull" } }, readNames, limit, signal);
  return api.isAzure ? listAzureTags(api, repository, limit, signal).catch(whereDenied(list)) : list();
}

/** By Azure's own API, whose list has digests. */
function listAzureTags(
  api: RegistryApi,
  repository: string,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<ListedTag[] | undefined> {
  const path = `/acr/v1/${repository}/_tags?n=${AZURE_PAGE_SIZE}`;
  return readList(api, { path, scope: { repository, actions: "metadata_read" } }, readAzureTags, limit, signal);
}

/** A token of the registry can allow pulling alone. */
function whereDenied<T>(other: () => Promise<T>): (error: unknown) => Promise<T> {
  return (error) => {
    if (/_(ACCESS_DENIED|CREDENTIALS_REJECTED)$/.test(failureOf(error)?.code ?? "")) return other();
    throw error;
  };
}

type Page = Readonly<Record<string, unknown>>;
/** The entries of a page; `undefined` for one that is no list of tags. */
type ReadPage = (page: Page) => Map<string, unknown> | undefined;

async function readList(
  api: RegistryApi,
  request: PageRequest,
  read: ReadPage,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<ListedTag[] | undefined> {
  const { repository } = request.scope;
  const tags = new Map<string, ListedTag>();
  const started = Date.now();
  const tooMany = (bound: string) => new ImportError(sourceFailure.tooManyTags(api.reference(repository), bound));
  const exists = await api.eachJsonPage({ ...request, maxBodyBytes: MAX_PAGE_BYTES }, signal, (page) => {
    if (tags.size > 0 && Date.now() - started > MAX_LIST_MS) {
      throw tooMany(`has too many tags to list them within ${MAX_LIST_MS / 1000} s`);
    }
    const entries = read(page);
    if (entries === undefined) throw api.invalidResponse("the list of tags is not a list");
    for (const [tag, digest] of entries) if (isTag(tag)) tags.set(tag, { tag, ...usable(digest) });
    if (tags.size > limit) throw tooMany(`has more than ${limit.toLocaleString("en")} tags`);
  });
  return exists ? [...tags.values()] : api.notFound();
}

/** Azure knows the manifest of a tag by its sha256 digest only. */
function usable(digest: unknown): { readonly digest?: Digest } {
  return typeof digest === "string" && isDigest(digest) && digest.startsWith("sha256:") ? { digest } : {};
}

/**
 * The names in `tags`, with their digests where the map `manifest` of Google's registries has them: registry.k8s.io, gcr.io,
 * Artifact Registry.
 */
function readNames({ tags, manifest }: Page): Map<string, unknown> | undefined {
  // Some registries send null for none.
  const names = tags ?? [];
  if (!Array.isArray(names)) return undefined;
  const digests = new Map<unknown, unknown>();
  for (const [digest, described] of isObject(manifest) ? Object.entries(manifest) : []) {
    for (const tag of isObject(described) && Array.isArray(described.tag) ? described.tag : [])
      digests.set(tag, digest);
  }
  return new Map(names.filter((name) => typeof name === "string").map((name) => [name, digests.get(name)]));
}

function readAzureTags({ tags }: Page): Map<string, unknown> | undefined {
  const entries = tags ?? [];
  if (!Array.isArray(entries)) return undefined;
  return new Map(entries.filter(isObject).map(({ name, digest }) => [typeof name === "string" ? name : "", digest]));
}
