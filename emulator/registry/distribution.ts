/** The OCI distribution specification 1.1: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { type AcceptRule, negotiate } from "./content-negotiation";
import { isDigest } from "./digest";
import { type Handler, type RequestTarget, readBody, requestTarget, send, sendJson, withErrorResponses } from "./http";
import { mediaTypes } from "./manifest";
import { page } from "./paging";
import { describeReferrers, listsReferrers, manifestOfDigestTag, type ReferrersOptions } from "./referrers";
import { disallowedOperation, quarantined, RegistryError } from "./registry-error";
import type { RegistryStore, StoredManifest } from "./registry-store";
import type { Access } from "./scope";
import { handleUpload, type RepositoryContext, startUpload } from "./uploads";

/** Throws 401 with its challenge, or 403, unless the request has the needed access; none is needed for `GET /v2/`. */
export type Authorize = (request: IncomingMessage, needed: Access | undefined) => void;

export interface DistributionOptions {
  store: RegistryStore;
  authorize?: Authorize;
  /** @default "lenient" */
  accept?: AcceptRule;
  /** Reject every write and deletion. */
  readOnly?: boolean;
  /** Reject `DELETE` of a tag, as some registries do: deletion by digest only. */
  deleteByDigestOnly?: boolean;
  /** Deleting a manifest deletes its referrers. */
  deleteReferrers?: boolean;
  /** How referrers are listed, at each request. */
  referrers?: () => ReferrersOptions;
  /** Whether lists of tags have a map of the manifests, at each request. */
  tagDigests?: () => boolean;
  /** Whether an image has to be marked as passed before it is pulled, at each request. */
  quarantine?: () => boolean;
  /** Omit `Docker-Content-Digest` in responses to GET and HEAD, as some registries do. */
  omitDigestHeader?: boolean;
}

const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const route = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|tags|referrers)\/([^/]*)$/;
const maximumManifestSize = 4 * 1024 * 1024;

interface DistributionContext extends RepositoryContext {
  options: DistributionOptions;
}

const endpoints: Record<string, (context: DistributionContext) => void | Promise<void>> = {
  manifests,
  blobs,
  "blobs/uploads": uploads,
  tags,
  referrers,
};

/** The handler of `/v2/*` over a store. */
export function distribution(options: DistributionOptions): Handler {
  return withErrorResponses((request, response) => {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    return dispatch(options, request, response, requestTarget(request));
  });
}

function dispatch(
  options: DistributionOptions,
  request: IncomingMessage,
  response: ServerResponse,
  { path, query }: RequestTarget,
): void | Promise<void> {
  if (path === "/v2/" || path === "/v2") {
    options.authorize?.(request, undefined);
    return sendJson(response, 200, {});
  }
  if (path === "/v2/_catalog") return catalog(options, request, response, query);
  const [, repository = "", kind = "", reference = ""] = route.exec(path) ?? [];
  const endpoint = endpoints[kind];
  if (endpoint === undefined) throw new RegistryError(404, "NOT_FOUND", "no such endpoint");
  if (!namePattern.test(repository))
    throw new RegistryError(400, "NAME_INVALID", "invalid repository name", { repository });
  const method = request.method ?? "GET";
  const actions = actionsFor(method, kind);
  options.authorize?.(request, { type: "repository", name: repository, actions });
  if (options.readOnly && !isRead(method)) throw new RegistryError(405, "UNSUPPORTED", "the registry is read-only");
  return endpoint({ options, request, response, method, query, repository, reference });
}

function actionsFor(method: string, kind: string): string[] {
  if (kind === "blobs/uploads") return ["pull", "push"];
  if (isRead(method)) return ["pull"];
  return method === "DELETE" ? ["delete"] : ["pull", "push"];
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function catalog(
  { store, authorize }: DistributionOptions,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): void {
  authorize?.(request, { type: "registry", name: "catalog", actions: ["*"] });
  const names = listed(store.repositories()).map(({ name }) => name);
  const { items, link } = page(names, (name) => name, "/v2/_catalog", query);
  sendJson(response, 200, { repositories: items }, link ? { link } : {});
}

function manifests(context: DistributionContext): void | Promise<void> {
  switch (context.method) {
    case "GET":
    case "HEAD":
      return getManifest(context);
    case "PUT":
      return putManifest(context);
    case "DELETE":
      return deleteManifest(context);
    default:
      throw unsupportedMethod("GET, HEAD, PUT, DELETE");
  }
}

function getManifest({ options, request, response, repository, reference }: DistributionContext): void {
  const { store, accept = "lenient", omitDigestHeader } = options;
  const found =
    manifestOfDigestTag(store, repository, reference, referrersOptions(options)) ??
    store.manifest(repository, reference);
  if (found === undefined) throw unknownManifest(options.store, repository, reference);
  const byTag = !isDigest(reference);
  if (options.quarantine?.() && found.attributes.quarantineState !== "Passed") {
    throw byTag ? unknownManifest(store, repository, reference) : quarantined();
  }
  requireReadable(store, repository, found, byTag ? reference : undefined);
  const manifest = negotiate(accept, request.headers.accept, found, byTag, store, repository);
  send(
    response,
    200,
    {
      "content-type": manifest.mediaType,
      ...(omitDigestHeader ? {} : { "docker-content-digest": manifest.digest }),
    },
    manifest.bytes,
  );
}

function requireReadable(store: RegistryStore, repository: string, manifest: StoredManifest, tag?: string): void {
  const readable =
    manifest.attributes.readEnabled &&
    store.attributes(repository)?.readEnabled !== false &&
    (tag === undefined || store.attributes(repository, tag)?.readEnabled !== false);
  if (!readable) throw disallowedOperation();
}

async function putManifest({
  options,
  request,
  response,
  query,
  repository,
  reference,
}: DistributionContext): Promise<void> {
  const byDigest = reference.includes(":");
  if (byDigest ? !isDigest(reference) : !tagPattern.test(reference))
    throw new RegistryError(400, byDigest ? "DIGEST_INVALID" : "MANIFEST_INVALID", `invalid reference "${reference}"`);
  const tags = byDigest ? query.getAll("tag") : [reference];
  const badTag = tags.find((tag) => !tagPattern.test(tag));
  if (badTag !== undefined) throw new RegistryError(400, "MANIFEST_INVALID", `invalid tag "${badTag}"`);
  const bytes = await readBody(request);
  if (bytes.length > maximumManifestSize) throw new RegistryError(413, "SIZE_INVALID", "manifest is too large");
  const [first, ...others] = tags;
  const contentType = request.headers["content-type"] ?? "";
  const manifest = options.store.putManifest(repository, bytes, contentType, first, byDigest ? reference : undefined);
  for (const tag of others) options.store.setTag(repository, tag, manifest.digest);
  const subject = manifest.content.subject?.digest;
  send(response, 201, {
    location: `/v2/${repository}/manifests/${manifest.digest}`,
    "docker-content-digest": manifest.digest,
    ...(subject !== undefined && listsReferrers(referrersOptions(options)) ? { "oci-subject": subject } : {}),
    ...(byDigest && tags.length > 0 ? { "oci-tag": tags.join(", ") } : {}),
  });
}

function deleteManifest({ options, response, repository, reference }: DistributionContext): void {
  const { store, deleteByDigestOnly, deleteReferrers } = options;
  if (isDigest(reference)) {
    const deleted = store.deleteManifest(repository, reference, { withReferrers: deleteReferrers === true });
    if (!deleted) throw unknownManifest(store, repository, reference);
  } else {
    if (deleteByDigestOnly) throw new RegistryError(405, "UNSUPPORTED", "a manifest can only be deleted by its digest");
    if (!store.removeTag(repository, reference)) throw unknownManifest(store, repository, reference);
  }
  send(response, 202, {});
}

function blobs(context: DistributionContext): void {
  const { store } = context.options;
  const { method, repository, reference } = context;
  if (!isDigest(reference)) throw new RegistryError(400, "DIGEST_INVALID", `invalid digest "${reference}"`);
  if (isRead(method)) {
    const blob = store.blob(repository, reference);
    if (blob === undefined) throw unknownBlob(reference);
    sendBlob(context, blob);
  } else if (method === "DELETE") {
    if (!store.deleteBlob(repository, reference)) throw unknownBlob(reference);
    send(context.response, 202, {});
  } else {
    throw unsupportedMethod("GET, HEAD, DELETE");
  }
}

function sendBlob({ options, request, response, method, reference }: DistributionContext, blob: Buffer): void {
  const headers: OutgoingHttpHeaders = {
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    ...(options.omitDigestHeader ? {} : { "docker-content-digest": reference }),
  };
  const range = method === "GET" ? byteRange(request.headers.range, blob.length) : undefined;
  if (range === undefined) {
    send(response, 200, headers, blob);
  } else {
    const [start, end] = range;
    const contentRange = `bytes ${start}-${end}/${blob.length}`;
    send(response, 206, { ...headers, "content-range": contentRange }, blob.subarray(start, end + 1));
  }
}

/** A single byte range (RFC 9110, section 14), both ends inclusive; several ranges get the whole blob. */
function byteRange(header: string | undefined, size: number): [number, number] | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  if (start >= size || (first === "" && Number(last) === 0))
    throw new RegistryError(416, "SIZE_INVALID", "range not satisfiable", undefined, {
      "content-range": `bytes */${size}`,
    });
  return [start, end];
}

function uploads(context: DistributionContext): void | Promise<void> {
  if (context.reference !== "") return handleUpload(context);
  if (context.method !== "POST") throw unsupportedMethod("POST");
  const { authorize } = context.options;
  return startUpload({
    ...context,
    // Not an error: the client uploads the blob instead.
    mayPull: (name) => {
      try {
        authorize?.(context.request, { type: "repository", name, actions: ["pull"] });
        return true;
      } catch (error) {
        if (error instanceof RegistryError) return false;
        throw error;
      }
    },
  });
}

function tags({ options, response, method, query, repository, reference }: DistributionContext): void {
  const { store, tagDigests } = options;
  if (reference !== "list") throw new RegistryError(404, "NOT_FOUND", "no such endpoint");
  if (!isRead(method)) throw unsupportedMethod("GET, HEAD");
  if (!store.repository(repository)) throw unknownName(repository);
  const names = listed(store.tags(repository)).map(({ name }) => name);
  const { items, link } = page(names, (name) => name, `/v2/${repository}/tags/list`, query, Number.POSITIVE_INFINITY);
  const manifest = tagDigests?.() ? { child: [], manifest: manifestMap(store, repository) } : {};
  sendJson(response, 200, { name: repository, tags: items, ...manifest }, link ? { link } : {});
}

/** https://pkg.go.dev/github.com/google/go-containerregistry/pkg/v1/google#Tags */
function manifestMap(store: RegistryStore, repository: string): object {
  const manifests = [...(store.repository(repository)?.manifests.values() ?? [])];
  const tags = new Map<string, string[]>();
  for (const { name, digest } of store.tags(repository)) tags.set(digest, [...(tags.get(digest) ?? []), name]);
  return Object.fromEntries(
    manifests.map(({ digest, mediaType, bytes, createdTime }) => [
      digest,
      {
        imageSizeBytes: String(bytes.length),
        mediaType,
        tag: tags.get(digest) ?? [],
        timeUploadedMs: String(createdTime.getTime()),
      },
    ]),
  );
}

function referrers({ options, response, method, query, repository, reference }: DistributionContext): void {
  const { store } = options;
  const behaviour = referrersOptions(options);
  if (!listsReferrers(behaviour)) {
    sendNoReferrers(behaviour, response, repository);
    return;
  }
  if (!isDigest(reference)) throw new RegistryError(400, "DIGEST_INVALID", `invalid digest "${reference}"`);
  if (!isRead(method)) throw unsupportedMethod("GET, HEAD");
  const artifactType = query.get("artifactType") ?? undefined;
  const all = describeReferrers(store, repository, reference, behaviour).filter(
    (descriptor) => artifactType === undefined || descriptor.artifactType === artifactType,
  );
  const path = `/v2/${repository}/referrers/${reference}`;
  const { items, link } = page(all, ({ digest }) => digest, path, query);
  sendJson(
    response,
    200,
    { schemaVersion: 2, mediaType: mediaTypes.index, manifests: items },
    {
      "content-type": mediaTypes.index,
      ...(artifactType === undefined ? {} : { "oci-filters-applied": "artifactType" }),
      ...(link ? { link } : {}),
    },
  );
}

function sendNoReferrers({ api }: ReferrersOptions, response: ServerResponse, repository: string): void {
  if (api === "redirect") {
    const page = encodeURIComponent(`${repository}/referrers/sha256`);
    send(response, 303, { location: `https://github.com/-/v2/packages/container/package/${page}` });
  } else {
    send(response, 404, { "content-type": "text/plain; charset=utf-8" }, Buffer.from("404 page not found\n"));
  }
}

function referrersOptions({ referrers = () => ({}) }: DistributionOptions): ReferrersOptions {
  return referrers();
}

function listed<T extends { attributes: { listEnabled: boolean } }>(items: T[]): T[] {
  return items.filter(({ attributes }) => attributes.listEnabled);
}

function unknownManifest(store: RegistryStore, repository: string, reference: string): RegistryError {
  if (!store.repository(repository)) return unknownName(repository);
  const subject = isDigest(reference) ? `manifest ${reference}` : `manifest tagged by "${reference}"`;
  return new RegistryError(404, "MANIFEST_UNKNOWN", `${subject} is not found`, {
    Name: repository,
    Reference: reference,
  });
}

function unknownName(repository: string): RegistryError {
  return new RegistryError(404, "NAME_UNKNOWN", `repository "${repository}" is not found`, { name: repository });
}

function unknownBlob(digest: string): RegistryError {
  return new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry", { digest });
}

function unsupportedMethod(allow: string): RegistryError {
  return new RegistryError(405, "UNSUPPORTED", "the operation is unsupported", undefined, { allow });
}
