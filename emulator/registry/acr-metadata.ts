/** `/acr/v1/*`: what Azure stores about repositories, tags and manifests besides their content. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isDigest } from "./digest";
import type { Authorize } from "./distribution";
import { type Handler, readBody, requestTarget, send, sendJson, withErrorResponses } from "./http";
import { mediaTypes, type Platform } from "./manifest";
import { page } from "./paging";
import { RegistryError } from "./registry-error";
import type { ChangeableAttributes, RegistryStore, Repository, StoredManifest, StoredTag } from "./registry-store";

interface Options {
  store: RegistryStore;
  host: string;
  authorize: Authorize;
}

interface MetadataContext extends Options {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  query: URLSearchParams;
  name: string;
  /** Tag or digest; undefined for a list. */
  reference: string | undefined;
}

const route = /^\/acr\/v1\/(.+?)(?:\/(_tags|_manifests)(?:\/([^/]+))?)?$/;

/** The handler of `/acr/v1/*`. */
export function acrMetadata(options: Options): Handler {
  return withErrorResponses(async (request, response) => {
    const { path, query } = requestTarget(request);
    if (path === "/acr/v1/_catalog") return catalog(options, request, response, query);
    const [, name = "", kind, reference] = route.exec(path) ?? [];
    if (name === "") throw new RegistryError(404, "NOT_FOUND", "no such endpoint");
    options.authorize(request, { type: "repository", name, actions: [actionFor(request.method)] });
    const context = { ...options, request, response, path, query, name, reference };
    if (kind === "_tags") return tags(context);
    if (kind === "_manifests") return manifests(context);
    return repository(context);
  });
}

function actionFor(method: string | undefined): string {
  if (method === "DELETE") return "delete";
  return method === "PATCH" ? "metadata_write" : "metadata_read";
}

function catalog(
  { store, authorize }: Options,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): void {
  authorize(request, { type: "registry", name: "catalog", actions: ["*"] });
  const names = store.repositories().map(({ name }) => name);
  const { items, link } = page(names, (name) => name, "/acr/v1/_catalog", query);
  sendJson(response, 200, { repositories: items }, link ? { link } : {});
}

async function repository({ store, host, request, response, name }: MetadataContext): Promise<void> {
  switch (request.method) {
    case "GET":
      break;
    case "PATCH":
      store.setAttributes(requireRepository(store, name).name, undefined, await readAttributeChanges(request));
      break;
    case "DELETE":
      if (!store.deleteRepository(name)) throw unknownRepository(name);
      return send(response, 202, {});
    default:
      throw unsupportedMethod("GET, PATCH, DELETE");
  }
  const home = requireRepository(store, name);
  sendJson(response, 200, {
    registry: host,
    imageName: name,
    ...timestamps(home),
    manifestCount: home.manifests.size,
    tagCount: home.tags.size,
    changeableAttributes: home.attributes,
  });
}

async function tags({ store, host, request, response, path, query, name, reference }: MetadataContext): Promise<void> {
  requireRepository(store, name);
  if (reference === undefined) {
    if (request.method !== "GET") throw unsupportedMethod("GET");
    const digest = query.get("digest");
    const all = sorted(store.tags(name), query, (tag) => digest === null || tag.digest === digest);
    const { items, link } = page(all, (tag) => tag.name, path, query);
    return sendJson(
      response,
      200,
      { registry: host, imageName: name, tags: items.map(describeTag) },
      link ? { link } : {},
    );
  }
  if (request.method === "DELETE") {
    if (!store.removeTag(name, reference)) throw unknownTag(name, reference);
    return send(response, 202, {});
  }
  if (request.method === "PATCH" && store.tag(name, reference))
    store.setAttributes(name, reference, await readAttributeChanges(request));
  const tag = store.tag(name, reference);
  if (tag === undefined) throw unknownTag(name, reference);
  sendJson(response, 200, { registry: host, imageName: name, tag: describeTag(tag) });
}

async function manifests({
  store,
  host,
  request,
  response,
  path,
  query,
  name,
  reference,
}: MetadataContext): Promise<void> {
  const home = requireRepository(store, name);
  if (reference === undefined) {
    if (request.method !== "GET") throw unsupportedMethod("GET");
    const byDigest = [...home.manifests.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    const { items, link } = page(sorted(byDigest, query), ({ digest }) => digest, path, query);
    const described = items.map((manifest) => describeManifest(store, name, manifest));
    return sendJson(response, 200, { registry: host, imageName: name, manifests: described }, link ? { link } : {});
  }
  const manifest = isDigest(reference) ? home.manifests.get(reference) : undefined;
  if (manifest === undefined)
    throw new RegistryError(404, "MANIFEST_UNKNOWN", `manifest ${reference} is not found`, { name, reference });
  if (request.method === "PATCH") store.setAttributes(name, reference, await readAttributeChanges(request));
  else if (request.method !== "GET") throw unsupportedMethod("GET, PATCH");
  sendJson(response, 200, { registry: host, imageName: name, manifest: describeManifest(store, name, manifest) });
}

/** The listable items that match, by time if `orderby` demands it, otherwise in the given order. */
function sorted<T extends { lastUpdateTime: Date; attributes: ChangeableAttributes }>(
  items: readonly T[],
  query: URLSearchParams,
  matches: (item: T) => boolean = () => true,
): T[] {
  const listed = items.filter((item) => item.attributes.listEnabled && matches(item));
  const order = query.get("orderby");
  if (order !== "timeasc" && order !== "timedesc") return listed;
  const oldestFirst = listed.sort((a, b) => a.lastUpdateTime.getTime() - b.lastUpdateTime.getTime());
  return order === "timeasc" ? oldestFirst : oldestFirst.reverse();
}

function describeTag(tag: StoredTag): object {
  return {
    name: tag.name,
    digest: tag.digest,
    ...timestamps(tag),
    signed: false,
    changeableAttributes: tag.attributes,
  };
}

function describeManifest(store: RegistryStore, repository: string, manifest: StoredManifest): object {
  const { digest, mediaType, content, bytes } = manifest;
  const { manifests: children, config, layers = [] } = content;
  const tagNames = store.tagsOf(repository, digest).map(({ name }) => name);
  const { os, architecture } = platformOf(store, repository, manifest);
  return {
    digest,
    imageSize: layers.reduce((sum, { size }) => sum + size, bytes.length + (config?.size ?? 0)),
    ...timestamps(manifest),
    ...(architecture === undefined ? {} : { architecture, os }),
    mediaType,
    ...(config === undefined ? {} : { configMediaType: config.mediaType }),
    ...(tagNames.length === 0 ? {} : { tags: tagNames }),
    changeableAttributes: manifest.attributes,
    ...(children === undefined
      ? {}
      : {
          references: children.map((child) => ({
            digest: child.digest,
            architecture: child.platform?.architecture,
            os: child.platform?.os,
          })),
        }),
  };
}

function platformOf(store: RegistryStore, repository: string, { content }: StoredManifest): Partial<Platform> {
  const { config } = content;
  if (config?.mediaType !== mediaTypes.config && config?.mediaType !== mediaTypes.dockerConfig) return {};
  return JSON.parse(store.blob(repository, config.digest)?.toString("utf8") ?? "{}");
}

function timestamps({ createdTime, lastUpdateTime }: { createdTime: Date; lastUpdateTime: Date }): object {
  return { createdTime: createdTime.toISOString(), lastUpdateTime: lastUpdateTime.toISOString() };
}

async function readAttributeChanges(request: IncomingMessage): Promise<Partial<ChangeableAttributes>> {
  const text = (await readBody(request)).toString("utf8");
  let changes: unknown;
  try {
    changes = JSON.parse(text);
  } catch {
    throw new RegistryError(400, "INVALID_ATTRIBUTES", "body is not JSON");
  }
  if (typeof changes !== "object" || changes === null)
    throw new RegistryError(400, "INVALID_ATTRIBUTES", "body is not a JSON object");
  const entries = Object.entries(changes);
  const wrong = entries.find(([name, value]) => !isAttribute(name, value));
  if (wrong !== undefined) throw new RegistryError(400, "INVALID_ATTRIBUTES", `invalid attribute "${wrong[0]}"`);
  return Object.fromEntries(entries);
}

function isAttribute(name: string, value: unknown): boolean {
  if (name === "quarantineState") return value === "Quarantined" || value === "Passed" || value === "Failed";
  return /^(delete|write|read|list)Enabled$/.test(name) && typeof value === "boolean";
}

function requireRepository(store: RegistryStore, name: string): Repository {
  const found = store.repository(name);
  if (found === undefined) throw unknownRepository(name);
  return found;
}

function unknownRepository(name: string): RegistryError {
  return new RegistryError(404, "NAME_UNKNOWN", `repository "${name}" is not found`, { name });
}

function unknownTag(name: string, tag: string): RegistryError {
  return new RegistryError(404, "TAG_UNKNOWN", `the specified tag "${tag}" does not exist`, { name, tag });
}

function unsupportedMethod(allow: string): RegistryError {
  return new RegistryError(405, "UNSUPPORTED", "the operation is unsupported", undefined, { allow });
}
