/** Fake registries, token services and storage hosts for the tests of the registry client. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import tls from "node:tls";
import { createCertificateAuthority } from "acr-emulator";
import { type Failure, failureOf, formatFailure } from "../../provider/failure/failure";
import { parseDigest } from "../../provider/reference/digest";
import { type RegistryApiOptions, RegistryClient, type RegistryCredential } from "../../provider/registry/client";
import { trust } from "../support/trust";

/** The responses of one host. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface FakeRegistry {
  /** A host that no other test of the process has used: the client remembers the ping of a host. */
  readonly host: string;
  /** The hosts that exist, and their responses. The proxy refuses to connect to any other. */
  handlers: Record<string, Handler>;
  /** Every request: `GET registry.example.com/v2/`. */
  readonly requests: string[];
  /** The `Authorization` header of every request, `-` for none. */
  readonly authorizations: string[];
  /** The `Proxy-Authorization` header of every CONNECT, `-` for none. */
  readonly proxyAuthorizations: string[];
  /** The URL of the proxy before the hosts, which is also in `HTTPS_PROXY`. */
  readonly proxy: string;
  /** The certificate authority of all hosts, PEM. */
  readonly certificate: string;
  /** Makes {@link host} respond to one method, or `*`, with a handler, and to the others with a manifest. */
  respondTo(method: string, handler: Handler): void;
  /** A client of {@link host}. */
  client(credential?: RegistryCredential, options?: Partial<RegistryApiOptions>): RegistryClient;
}

/** Starts the hosts for all tests of a file; each test begins without handlers and requests. */
export function useFakeRegistry(): FakeRegistry {
  const state = {
    host: "",
    handlers: {} as Record<string, Handler>,
    requests: [] as string[],
    authorizations: [] as string[],
    proxyAuthorizations: [] as string[],
    proxy: "",
    certificate: "",
    respondTo(method: string, handler: Handler): void {
      state.handlers[state.host] = openRegistry((request, response) =>
        request.method === method || method === "*" ? handler(request, response) : sendManifest(response),
      );
    },
    client: (credential: RegistryCredential = anonymous, options: Partial<RegistryApiOptions> = {}) =>
      // Jest ends a test after 120 s; no test is to depend on this limit.
      new RegistryClient({ host: state.host, side: "source", credential, timeoutMs: 100_000, ...options }),
  };
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    state.requests.push(`PLAIN ${request.method} ${request.url}`);
    response.writeHead(500).end();
  });

  beforeAll(async () => {
    const authority = await createCertificateAuthority();
    trust(authority.certificate);
    state.certificate = authority.certificate;
    const hosts = new WeakMap<object, string>();
    const inner = new Server((request, response) => {
      const host = hosts.get(request.socket) ?? "";
      state.requests.push(`${request.method} ${host}${request.url}`);
      state.authorizations.push(request.headers.authorization ?? "-");
      Promise.resolve(state.handlers[host]?.(request, response)).catch(() => response.destroy());
    });
    inner.keepAliveTimeout = 0;
    server.on("connection", (socket) => {
      sockets.add(socket.on("error", () => undefined));
    });
    server.on("connect", async ({ url = "", headers }, socket: Socket) => {
      const host = url.replace(/:443$/, "");
      state.proxyAuthorizations.push(headers["proxy-authorization"] ?? "-");
      if (!(host in state.handlers)) {
        socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      const name = new URL(`https://${host}`).hostname.replace(/^\[|\]$/g, "");
      const secureContext = await authority.contextFor(name);
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      const secure = new tls.TLSSocket(socket, { isServer: true, secureContext });
      secure.on("error", () => socket.destroy());
      hosts.set(secure, host);
      inner.emit("connection", secure);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    state.proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  let count = 0;
  beforeEach(() => {
    state.host = `registry.r${count++}.example.com`;
    state.handlers = {};
    for (const list of [state.requests, state.authorizations, state.proxyAuthorizations]) list.length = 0;
    process.env.HTTPS_PROXY = state.proxy;
  });

  afterAll(async () => {
    delete process.env.HTTPS_PROXY;
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return state;
}

/** Whether Node.js can verify the certificate of an IPv6 address: 22.23.3 cannot. */
export const verifiesIpv6 =
  tls.checkServerIdentity("::1", {
    subjectaltname: "IP Address:0:0:0:0:0:0:0:1",
    subject: {},
  } as tls.PeerCertificate) === undefined;

export const anonymous: RegistryCredential = { kind: "anonymous" };
export const SECRET = "s3cret-p4ss";
export const user = { kind: "password", username: "reader", password: SECRET } as const;

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
export const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, layers: [] });
export const DIGEST = sha256(MANIFEST);
export const OTHER_DIGEST = parseDigest(`sha256:${"0".repeat(64)}`);

export function sha256(text: string) {
  return parseDigest(`sha256:${createHash("sha256").update(text).digest("hex")}`);
}

/** The failure that work ends in, as data and as text. It never shows the password of {@link user}. */
export async function failure(work: Promise<unknown>): Promise<Partial<Failure> & { text: string }> {
  const found = await work.then(
    (value) => ({ text: `no failure: ${JSON.stringify(value)}` }),
    (error) => {
      const data = failureOf(error);
      return data ? { ...data, text: formatFailure(data) } : { text: `another error: ${error}` };
    },
  );
  expect(JSON.stringify(found)).not.toContain(SECRET);
  expect(JSON.stringify(found)).not.toContain(Buffer.from(`reader:${SECRET}`).toString("base64"));
  return found;
}

/** The {@link failure} of a response that is not a registry's, for a reason. */
export const invalid = (reason: string) => ({
  code: "SOURCE_INVALID_RESPONSE",
  text: expect.stringContaining(reason),
});

/** Sends JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string | string[]> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** Sends a manifest, {@link MANIFEST} by default. */
export function sendManifest(
  response: ServerResponse,
  headers: Record<string, string> = {},
  body: string = MANIFEST,
): void {
  const length = { "content-length": body.length };
  response
    .writeHead(200, { "content-type": MANIFEST_TYPE, "docker-content-digest": DIGEST, ...length, ...headers })
    .end(body);
}

/** Sends a 401 with challenges. */
export function challenge(response: ServerResponse, ...values: string[]): void {
  const errors = [{ code: "UNAUTHORIZED", message: "authentication required" }];
  json(response, 401, { errors }, { "www-authenticate": values });
}

/** An open registry: it responds to pings with 200, and to everything else with the handler. */
export const openRegistry =
  (handler: Handler = (_request, response) => sendManifest(response)): Handler =>
  (request, response) =>
    request.url === "/v2/" ? json(response, 200, {}) : handler(request, response);

/** A registry that accepts one token, which its realm issues. */
export const tokenRegistry =
  (realm: string, handler: Handler = (_request, response) => sendManifest(response), token = "good"): Handler =>
  (request, response) =>
    request.headers.authorization === `Bearer ${token}`
      ? handler(request, response)
      : challenge(response, `Bearer realm="${realm}",service="reg, istry",scope="repository:placeholder:pull"`);

/** A token service with one response for everything. */
export const tokenService =
  (body: object = { token: "good" }): Handler =>
  (_request, response) =>
    json(response, 200, body);

/** A registry with its token service under `/token`. */
export const withTokenService =
  (tokens: Handler, registry: Handler): Handler =>
  (request, response) =>
    request.url?.startsWith("/token") ? tokens(request, response) : registry(request, response);
