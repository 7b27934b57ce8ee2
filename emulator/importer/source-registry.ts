/** Reads from the source registry of an import. */
import type { IncomingHttpHeaders } from "node:http";
import { looksLikeEntraToken } from "../entra/token-service";
import type { AzureNetwork, HttpResponse } from "./azure-network";

/** The importer's credential for the source. */
export type SourceCredential =
  | { readonly kind: "anonymous" }
  | { readonly kind: "password"; readonly username?: string; readonly password: string }
  /** The caller's identity, for a source named by resource ID. */
  | { readonly kind: "entra"; readonly token: string };

export interface SourceOptions {
  readonly host: string;
  readonly repository: string;
  readonly credential: SourceCredential;
  /** The importer acts as a trusted service, as for a source named by resource ID. */
  readonly trusted: boolean;
}

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.artifact.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const dockerHubNames = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);
const tokenUsername = "00000000-0000-0000-0000-000000000000";
const maximumRedirects = 3;

/** A client of the distribution protocol, with the credential of the import. */
export class SourceRegistry {
  readonly #source: SourceOptions;
  readonly #network: AzureNetwork;
  readonly #base: string;
  #authorization: string | undefined;

  constructor(source: SourceOptions, network: AzureNetwork) {
    this.#source = source;
    this.#network = network;
    const host = dockerHubNames.has(source.host.toLowerCase()) ? "registry-1.docker.io" : source.host;
    this.#base = `https://${host}/v2/${source.repository}`;
  }

  manifest(reference: string): Promise<HttpResponse> {
    return this.#get(new URL(`${this.#base}/manifests/${reference}`), { accept: manifestTypes });
  }

  /** Bytes `first` to `last` of a blob. */
  blobRange(digest: string, first: number, last: number): Promise<HttpResponse> {
    return this.#get(new URL(`${this.#base}/blobs/${digest}`), { range: `bytes=${first}-${last}` });
  }

  async #get(url: URL, headers: Record<string, string>): Promise<HttpResponse> {
    const response = await this.#send(url, headers, this.#authorization);
    if (response.status !== 401) return this.#follow(url, headers, response);
    const authorization = await this.#authorize(response.headers);
    if (authorization === undefined) return response;
    this.#authorization = authorization;
    return this.#follow(url, headers, await this.#send(url, headers, authorization));
  }

  /** Follows redirects; another host, such as blob storage, does not get the credential. */
  async #follow(url: URL, headers: Record<string, string>, first: HttpResponse): Promise<HttpResponse> {
    let response = first;
    let from = url;
    for (let hop = 0; hop < maximumRedirects && response.status >= 301 && response.status <= 308; hop++) {
      const location = response.headers.location;
      if (location === undefined) break;
      const to = new URL(location, from);
      response = await this.#send(to, headers, to.host === url.host ? this.#authorization : undefined);
      from = to;
    }
    return response;
  }

  #send(url: URL, headers: Record<string, string>, authorization: string | undefined): Promise<HttpResponse> {
    const all = authorization === undefined ? headers : { ...headers, authorization };
    return this.#network.send({ method: "GET", url, headers: all, trusted: this.#source.trusted });
  }

  /** The `Authorization` header for the registry's challenge. */
  async #authorize(headers: IncomingHttpHeaders): Promise<string | undefined> {
    const challenge = headers["www-authenticate"] ?? "";
    const { credential } = this.#source;
    if (/^basic\b/i.test(challenge)) {
      return credential.kind === "password" ? basic(credential.username ?? "", credential.password) : undefined;
    }
    const realm = challengeParameter(challenge, "realm");
    if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    const service = challengeParameter(challenge, "service") ?? "";
    const scope = challengeParameter(challenge, "scope") ?? `repository:${this.#source.repository}:pull`;
    const token = await this.#requestToken(url, service, scope);
    return token === undefined ? undefined : `Bearer ${token}`;
  }

  async #requestToken(realm: URL, service: string, scope: string): Promise<string | undefined> {
    const { credential } = this.#source;
    if (credential.kind === "entra") return this.#exchangeEntraToken(realm, service, scope, credential.token);
    if (
      credential.kind === "password" &&
      credential.username === undefined &&
      looksLikeEntraToken(credential.password)
    ) {
      return this.#exchangeEntraToken(realm, service, scope, credential.password);
    }
    const url = new URL(realm);
    url.searchParams.set("service", service);
    url.searchParams.set("scope", scope);
    const authorization =
      credential.kind === "password" ? basic(credential.username ?? tokenUsername, credential.password) : undefined;
    return tokenIn(await this.#send(url, {}, authorization));
  }

  /** Exchanges an Entra token for a refresh token, and that for an access token. */
  async #exchangeEntraToken(
    realm: URL,
    service: string,
    scope: string,
    entraToken: string,
  ): Promise<string | undefined> {
    const exchanged = await this.#post(new URL("/oauth2/exchange", realm), {
      grant_type: "access_token",
      service,
      access_token: entraToken,
    });
    const refreshToken = stringField(exchanged, "refresh_token");
    if (refreshToken === undefined) return undefined;
    const form = { grant_type: "refresh_token", service, scope, refresh_token: refreshToken };
    return tokenIn(await this.#post(realm, form));
  }

  #post(url: URL, form: Record<string, string>): Promise<HttpResponse> {
    return this.#network.send({
      method: "POST",
      url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
      trusted: this.#source.trusted,
    });
  }
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function challengeParameter(challenge: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1];
}

function tokenIn(response: HttpResponse): string | undefined {
  return stringField(response, "access_token") ?? stringField(response, "token");
}

function stringField(response: HttpResponse, name: string): string | undefined {
  if (response.status !== 200) return undefined;
  try {
    const value = (JSON.parse(response.body.toString("utf8")) as Record<string, unknown>)[name];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
