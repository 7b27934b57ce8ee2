/** Blob uploads (end-4 to end-6, end-11 of the distribution specification). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isDigest } from "./digest";
import { readBody, send } from "./http";
import { RegistryError } from "./registry-error";
import type { RegistryStore, UploadSession } from "./registry-store";

/** One request to one repository, with its parsed path. */
export interface RepositoryContext {
  options: { store: RegistryStore };
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  query: URLSearchParams;
  repository: string;
  /** Tag, digest or upload session. */
  reference: string;
}

/** `POST …/blobs/uploads/`: mounts a blob, uploads it at once, or starts a session. */
export async function startUpload(
  context: RepositoryContext & { mayPull: (repository: string) => boolean },
): Promise<void> {
  const { options, request, response, query, repository, mayPull } = context;
  const mount = query.get("mount");
  const from = query.get("from");
  if (mount !== null && from !== null && mayPull(from) && options.store.mountBlob(from, mount, repository))
    return sendCreated(response, repository, mount);
  const algorithm = query.get("digest-algorithm") ?? "sha256";
  if (algorithm !== "sha256" && algorithm !== "sha512")
    throw new RegistryError(400, "DIGEST_INVALID", `unsupported digest algorithm "${algorithm}"`);
  const digest = query.get("digest");
  if (digest !== null && mount === null) {
    options.store.putBlob(repository, await readBody(request), digest);
    return sendCreated(response, repository, digest);
  }
  sendProgress(response, 202, options.store.startUpload(repository));
}

/** Requests to the location of a session. */
export async function handleUpload(context: RepositoryContext): Promise<void> {
  const { options, request, response, method, query, repository, reference } = context;
  const session = options.store.upload(repository, reference);
  if (session === undefined) throw new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  switch (method) {
    case "GET":
    case "HEAD":
      return sendProgress(response, 204, session);
    case "PATCH":
      append(session, request.headers["content-range"], await readBody(request));
      return sendProgress(response, 202, session);
    case "PUT": {
      const digest = query.get("digest") ?? "";
      if (!isDigest(digest)) throw new RegistryError(400, "DIGEST_INVALID", `invalid digest "${digest}"`);
      append(session, request.headers["content-range"], await readBody(request));
      options.store.endUpload(session.id);
      options.store.putBlob(repository, Buffer.concat(session.chunks), digest);
      return sendCreated(response, repository, digest);
    }
    case "DELETE":
      options.store.endUpload(session.id);
      return send(response, 204, {});
    default:
      throw new RegistryError(405, "UNSUPPORTED", "the operation is unsupported", undefined, {
        allow: "GET, HEAD, PATCH, PUT, DELETE",
      });
  }
}

/** Appends a chunk; one that does not start where the last one ended is an error, and nothing is stored. */
function append(session: UploadSession, contentRange: string | undefined, chunk: Buffer): void {
  if (contentRange !== undefined) {
    const [, first, last] = /^(\d+)-(\d+)$/.exec(contentRange) ?? [];
    if (first === undefined || Number(first) !== session.size)
      throw new RegistryError(416, "BLOB_UPLOAD_INVALID", "chunk is out of order", undefined, progress(session));
    if (Number(last) - Number(first) + 1 !== chunk.length)
      throw new RegistryError(400, "SIZE_INVALID", "provided length did not match content length");
  }
  session.chunks.push(chunk);
  session.size += chunk.length;
}

function progress({ id, repository, size }: UploadSession): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    "docker-upload-uuid": id,
  };
}

function sendProgress(response: ServerResponse, status: number, session: UploadSession): void {
  send(response, status, progress(session));
}

function sendCreated(response: ServerResponse, repository: string, digest: string): void {
  send(response, 201, { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest });
}
