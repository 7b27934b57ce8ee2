/** Requests and responses, as the transport sends and returns them. */

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpResponse {
  readonly status: number;
  /** The URL of the response, after redirects. */
  readonly url: URL;
  readonly body: Buffer;
  header(name: string): string | undefined;
}
