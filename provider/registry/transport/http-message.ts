/** Requests and responses, as the transport sends and returns them. */

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether a redirect to a URL is followed; one that is not is the response. Without it, all are. */
  readonly follows?: (target: URL) => boolean;
  /**
   * How long the body of the response may be; a longer one is a failure.
   *
   * @default MAX_BODY_BYTES
   */
  readonly maxBodyBytes?: number;
}

/** The size that registries accept for a manifest, in bytes: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface HttpResponse {
  readonly status: number;
  /** The URL of the response, after redirects. */
  readonly url: URL;
  readonly body: Buffer;
  header(name: string): string | undefined;
}
