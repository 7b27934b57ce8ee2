/** Requests to the API of one registry, authorized for one identity. */
import { setMaxListeners } from "node:events";
import { failureOf, ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import type { RegistryAction } from "../failure/roles";
import { targetFailure } from "../failure/target";
import { isObject, parseJson } from "../json";
import { DOCKER_HUB } from "../reference/host";
import { type AuthHeaders, Authorization } from "./authorization";
import type { RegistryCredential } from "./credential";
import { denialError, errorCodeOf } from "./denial";
import { Identity } from "./identity";
import { pingResponse } from "./ping";
import { sendRequest } from "./request";
import type { Scope } from "./scope";
import type { HttpRequest, HttpResponse } from "./transport/http-message";
import type { RequestOptions } from "./transport/send";

const DOCKER_HUB_API = "registry-1.docker.io";
const MAX_PAGES = 1000;

/** Entries of a page where the server lets the client choose. */
export const PAGE_SIZE = 1000;

export interface RegistryApiOptions {
  /** The host as references name it, with its port if that is not 443. */
  readonly host: string;
  /** The side of the import that failures name. */
  readonly side: Side;
  readonly credential: RegistryCredential;
  /** Azure confirms that the host is a registry: a login server that Resource Manager knows, or a host with the cloud's suffix. */
  readonly isAzure?: boolean;
  /**
   * How long one call may go on retrying, in milliseconds.
   *
   * @default 120_000
   */
  readonly timeoutMs?: number;
  /** Called before each wait, in milliseconds, that a busy host asks for. */
  readonly onWait?: (host: string, ms: number) => void;
}

export interface ApiRequest extends Omit<HttpRequest, "url"> {
  /** Path and query, or the URL of a further page. */
  readonly path: string | URL;
  readonly scope: Scope;
  /** For the message when the request is denied. */
  readonly action: RegistryAction;
  /** What the request is about, without the registry: `library/node:22`. */
  readonly object: string;
}

export interface PageRequest extends Pick<ApiRequest, "path" | "scope" | "follows" | "maxBodyBytes"> {
  /** Whether a response says that the list does not exist. By default 404 does. */
  readonly isAbsent?: (response: HttpResponse) => boolean;
}

export class RegistryApi {
  readonly side: Side;
  /** The host that serves the API, which Docker Hub's references do not name. */
  readonly host: string;
  readonly isAzure: boolean;
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #onWait: RegistryApiOptions["onWait"];
  readonly #identity: Identity;
  readonly #authorization: Authorization;

  constructor({ host: name, side, credential, isAzure = false, timeoutMs = 120_000, onWait }: RegistryApiOptions) {
    const host = name === DOCKER_HUB ? DOCKER_HUB_API : name;
    const identity = new Identity(side, name, credential);
    this.side = side;
    this.#name = name;
    this.host = host;
    this.isAzure = isAzure;
    this.#timeoutMs = timeoutMs;
    this.#onWait = onWait;
    this.#identity = identity;
    this.#authorization = new Authorization({ side, name, host, isAzure, identity });
  }

  /** The options of the requests of one call, which share its deadline. */
  requestOptions(signal: AbortSignal | undefined): RequestOptions {
    // Node.js 20 warns about a leak when more than ten requests listen to one signal.
    if (signal) setMaxListeners(0, signal);
    return { deadline: Date.now() + this.#timeoutMs, onWait: this.#onWait, signal };
  }

  /** Sends a request; a response that denies it becomes a failure. */
  async send(request: ApiRequest, options: RequestOptions): Promise<HttpResponse> {
    const auth = await this.#authorization.authorize(request.scope, options);
    const { response, used } = await this.#sendAuthorized(auth, request, options);
    const { status } = response;
    if (status === 401 || status === 403) throw this.#denied(response, used, request.action, request.object);
    return response;
  }

  /**
   * Sends a HEAD. `undefined` when its response decides nothing, because a GET can have another one: servers and proxies
   * refuse HEAD, fail with it, and redirect it to URLs that are signed for GET. Only rate limiting counts, and a 404 where the
   * caller believes it.
   */
  async tryHead(request: Omit<ApiRequest, "method">, options: RequestOptions): Promise<HttpResponse | undefined> {
    const auth = await this.#authorization.authorize(request.scope, options);
    const sent = await this.#sendAuthorized(auth, { ...request, method: "HEAD" }, options).catch(undecided);
    if (!sent) return undefined;
    const { response, used } = sent;
    if (response.status === 401) this.#authorization.forget(used);
    return response.status === 200 || response.status === 404 ? response : undefined;
  }

  /** Sends a change. False when its object does not exist. */
  async change(request: ApiRequest, signal: AbortSignal | undefined): Promise<boolean> {
    const response = await this.send(request, this.requestOptions(signal));
    const { status } = response;
    if (status >= 200 && status < 300) return true;
    if (status === 404) return false;
    if (status !== 405 && status !== 409) throw this.unexpectedStatus(request.method, response);
    const reference = this.reference(request.object);
    throw new ImportError(targetFailure.locked(reference, request.action, this.serverMessage(response)));
  }

  /**
   * Reads all pages of a list, following `Link` headers. False when the list does not exist.
   *
   * https://www.rfc-editor.org/rfc/rfc8288
   */
  async eachPage(
    request: PageRequest,
    signal: AbortSignal | undefined,
    read: (response: HttpResponse) => void,
  ): Promise<boolean> {
    const options = this.requestOptions(signal);
    const { isAbsent = ({ status }) => status === 404, path, ...rest } = request;
    const seen = new Set<string>();
    let url: URL | undefined = this.#url(path);
    while (url) {
      if (seen.has(url.href) || seen.size === MAX_PAGES) throw this.invalidResponse("the list does not end");
      const response: HttpResponse = await this.send(
        { ...rest, path: url, method: "GET", action: "pull", object: request.scope.repository },
        options,
      );
      if (seen.size === 0 && isAbsent(response)) return false;
      seen.add(url.href);
      if (response.status !== 200) throw this.unexpectedStatus("GET", response);
      read(response);
      const next: URL | undefined = nextPage(response, url);
      if (next && next.origin !== url.origin) throw this.invalidResponse("the list continues on another host");
      url = next;
    }
    return true;
  }

  /** {@link eachPage}, for pages that are JSON objects. */
  eachJsonPage(
    request: PageRequest,
    signal: AbortSignal | undefined,
    read: (body: Readonly<Record<string, unknown>>) => void,
  ): Promise<boolean> {
    return this.eachPage(request, signal, (response) => {
      const body = parseJson(response.body.toString("utf8"));
      if (!isObject(body)) throw this.invalidResponse("the list is not valid JSON");
      read(body);
    });
  }

  /** A 404 counts only where a registry responds: anything else sends neither 200 nor a challenge for `GET /v2/`. */
  notFound(): undefined {
    const { status, challenges } = pingResponse(this.host) ?? { status: 200, challenges: [] };
    if (status === 200 || status === 401 || challenges.length > 0) return undefined;
    throw this.invalidResponse(`GET /v2/ returned HTTP ${status}`);
  }

  reference(object: string): string {
    return `${this.#name}/${object}`;
  }

  serverMessage(response: HttpResponse): string | undefined {
    return this.#identity.serverMessage(response);
  }

  unexpectedStatus(method: string, response: HttpResponse): ImportError {
    const quarantined = errorCodeOf(response) === "IMAGE_QUARANTINED" ? imageAt(response.url) : undefined;
    if (quarantined !== undefined) return new ImportError(registryFailure.quarantined(this.side, quarantined));
    const reason = `${method} returned ${this.serverMessage(response) ?? `HTTP ${response.status}`}`;
    return this.invalidResponse(reason, response);
  }

  invalidResponse(reason: string, response?: HttpResponse): ImportError {
    const { host } = response?.url ?? { host: this.host };
    const redirected = host === this.host ? "" : `, after a redirect to ${host}`;
    return new ImportError(registryFailure.invalidResponse(this.side, this.#name, `${reason}${redirected}`));
  }

  /** Sends a request, and once more where the response asks for another authorization. */
  async #sendAuthorized(
    auth: AuthHeaders,
    request: ApiRequest,
    options: RequestOptions,
  ): Promise<{ readonly response: HttpResponse; readonly used: AuthHeaders }> {
    const response = await this.#sendWith(auth, request, options);
    if (!asksForAuthorization(response, auth)) return { response, used: auth };
    const other = await this.#authorization.reauthorize(request.scope, auth, response, options);
    if (!other) return { response, used: auth };
    return { response: await this.#sendWith(other, request, options), used: other };
  }

  #sendWith(auth: AuthHeaders, request: ApiRequest, options: RequestOptions): Promise<HttpResponse> {
    const { path, scope, action, object, ...message } = request;
    const headers = { ...message.headers, ...auth.headers };
    return sendRequest(this.side, { ...message, url: this.#url(path).href, headers }, options);
  }

  #url(path: string | URL): URL {
    return new URL(path, `https://${this.host}`);
  }

  #denied(response: HttpResponse, { scheme }: AuthHeaders, action: RegistryAction, object: string): ImportError {
    const message = this.serverMessage(response);
    const { credential, description } = this.#identity;
    const sentCredentials = credential.kind === "password" && (scheme.kind === "basic" || scheme.kind === "bearer");
    if (response.status === 401 && sentCredentials && response.url.host === this.host) {
      return this.#identity.reject(message);
    }
    const reference = this.reference(object);
    const image = response.url.host === this.host ? undefined : imageAt(response.url);
    const denied = image
      ? registryFailure.redirectDenied(this.side, this.#name, response.url.host, image, message)
      : credential.kind === "password" && scheme.kind === "anonymous"
        ? registryFailure.credentialsNotRequested(this.side, this.#name, reference, message)
        : registryFailure.accessDenied(this.side, reference, description, message, action);
    return denialError(this.side, response, message, denied);
  }
}

/** A refusal that another authorization may turn: a 401, any with a challenge, and those of a token for several repositories. */
function asksForAuthorization({ status, header }: HttpResponse, { token }: AuthHeaders): boolean {
  if (token?.isShared && REFUSALS_OF_SHARED_TOKENS.has(status)) return true;
  return status === 401 || (status >= 400 && status < 500 && header("www-authenticate") !== undefined);
}

/** It permits too little, or is too long: https://www.rfc-editor.org/rfc/rfc6585#section-5 */
const REFUSALS_OF_SHARED_TOKENS: ReadonlySet<number> = new Set([400, 403, 431]);

/** Swallows the failure of a HEAD that says nothing about a GET. */
function undecided(error: unknown): undefined {
  const { code = "" } = failureOf(error) ?? {};
  if (!/_(UNAVAILABLE|INVALID_RESPONSE)$/.test(code)) throw error;
}

/** The image of a manifest's or blob's URL: `ghcr.io/owner/app:1`. */
function imageAt({ host, pathname }: URL): string | undefined {
  const [, repository, reference] = /^\/v2\/([a-z0-9._/-]+)\/(?:manifests|blobs)\/([\w.:-]+)$/.exec(pathname) ?? [];
  if (repository === undefined || reference === undefined) return undefined;
  return `${host}/${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
}

/**
 * `Link: </v2/…?last=…>; rel="next"`, which is relative to the response. Where another registry responded after a redirect, as
 * behind registry.k8s.io, the page is asked for where the first one was: only that host gets the credentials.
 */
function nextPage(response: HttpResponse, requested: URL): URL | undefined {
  const [, target] = /<([^<>]*)>[^<]*;\s*rel="?next"?/i.exec(response.header("link") ?? "") ?? [];
  if (target === undefined || !URL.canParse(target, response.url.href)) return undefined;
  const next = new URL(target, response.url);
  const { origin, pathname } = response.url;
  if (origin === requested.origin || next.origin !== origin || next.pathname !== pathname) return next;
  return new URL(next.search, requested);
}
