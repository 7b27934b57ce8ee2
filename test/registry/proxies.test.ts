/** Connections through an HTTP proxy. */
import net, { type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { createCertificateAuthority } from "acr-emulator";
import { CONNECTIONS_PER_HOST } from "../../provider/registry/transport/agents";
import { trust } from "../support/trust";
import { anonymous, DIGEST, failure, sendManifest, useFakeRegistry, verifiesIpv6 } from "./fake-registry";

const fake = useFakeRegistry();

test("opens at most 32 connections to a host and keeps them alive through the proxy", async () => {
  let running = 0;
  let most = 0;
  fake.handlers[fake.host] = async (_request, response) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    sendManifest(response);
  };
  const client = fake.client();
  await Promise.all(Array.from({ length: 100 }, (_, at) => client.head("app", `${at}`)));
  expect(fake.requests).toHaveLength(101);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(CONNECTIONS_PER_HOST);
  expect(fake.proxyAuthorizations.length).toBeLessThanOrEqual(CONNECTIONS_PER_HOST);
});

test("reports a proxy that refuses the connection", async () => {
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    text: expect.stringContaining(`proxy ${new URL(fake.proxy).host} refused the connection (HTTP 403)`),
  });
});

test("ends every look-up when the proxy cannot be reached, also those that wait for a connection", async () => {
  // After a ping that succeeds, each look-up needs a connection of its own.
  fake.handlers[fake.host] = (_request, response) => sendManifest(response);
  await fake.client().head("app", "1");
  process.env.HTTPS_PROXY = "http://user:hidden@127.0.0.1:9";
  const found = await Promise.all(Array.from({ length: 40 }, (_, at) => failure(fake.client().head("app", `${at}`))));
  process.env.HTTPS_PROXY = fake.proxy;
  expect(found).toHaveLength(40);
  expect(found[39]).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    text: expect.stringContaining("proxy 127.0.0.1:9 failed (ECONNREFUSED)"),
  });
  expect(JSON.stringify(found)).not.toContain("hidden");
});

test("reports a proxy setting that is not an http or https URL, without printing it", async () => {
  for (const proxy of ["socks5://user:hidden@127.0.0.1:9", "http://user:hidden@:x"]) {
    process.env.HTTPS_PROXY = proxy;
    const found = await failure(fake.client().head("app", "1"));
    expect(found).toMatchObject({
      code: "SOURCE_UNREACHABLE",
      text: expect.stringContaining("the proxy in the environment is not an http or https URL"),
    });
    expect(found.text).not.toContain("hidden");
  }
});

test("sends user and password of the proxy URL to the proxy", async () => {
  fake.handlers[fake.host] = (_request, response) => sendManifest(response);
  process.env.HTTPS_PROXY = fake.proxy.replace("http://", "http://us%40er:p%3Ass%25%@");
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
  const sent = Buffer.from("us@er:p:ss%%").toString("base64");
  expect(new Set(fake.proxyAuthorizations)).toEqual(new Set([`Basic ${sent}`]));
  expect(new Set(fake.authorizations)).toEqual(new Set(["-"]));
});

(verifiesIpv6 ? test : test.skip)("connects to an IPv6 address through the proxy", async () => {
  fake.handlers["[::1]:5000"] = (_request, response) => sendManifest(response);
  expect((await fake.client(anonymous, { host: "[::1]:5000" }).head("app", "1"))?.digest).toBe(DIGEST);
});

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Starts another proxy, which does with each connection what `handle` does, and puts it into the environment. */
async function useProxy(handle: (socket: Duplex, count: number) => void, scheme = "http"): Promise<void> {
  let count = 0;
  const server = net.createServer((socket) => {
    closing.push(() => socket.destroy());
    handle(
      socket.on("error", () => undefined),
      ++count,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  process.env.HTTPS_PROXY = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Connects a client to the proxy of the fake hosts. */
function forward(client: Duplex): void {
  const { hostname, port } = new URL(fake.proxy);
  const upstream = net.connect(Number(port), hostname).on("error", () => undefined);
  closing.push(() => upstream.destroy());
  client.pipe(upstream).pipe(client);
}

test("connects to a proxy over TLS", async () => {
  fake.handlers[fake.host] = (_request, response) => sendManifest(response);
  const authority = await createCertificateAuthority();
  trust(authority.certificate);
  const secureContext = await authority.contextFor("127.0.0.1");
  await useProxy((socket) => forward(new tls.TLSSocket(socket as Socket, { isServer: true, secureContext })), "https");
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
});

test.each([
  ["closes the connection", ""],
  ["responds with 502", "HTTP/1.1 502 Bad Gateway\r\n\r\n"],
  ["responds with something else than HTTP", "SSH-2.0-OpenSSH\r\n"],
  ["responds with a header that is too long", `HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}\r\n\r\n`],
])("retries when the proxy %s", async (_what, text) => {
  fake.handlers[fake.host] = (_request, response) => sendManifest(response);
  await useProxy((socket, count) => (count === 1 ? socket.once("data", () => socket.end(text)) : forward(socket)));
  expect((await fake.client().head("app", "1"))?.digest).toBe(DIGEST);
});

test.each([
  ["closes the connection", "", "failed (ECONNRESET)"],
  ["responds with 502", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "refused the connection (HTTP 502)"],
  ["closes the tunnel", "HTTP/1.1 200 OK\r\n\r\n", "the connection broke (ECONNRESET)"],
  ["responds with 407", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "refused the connection (HTTP 407)"],
])("reports a proxy that always %s", async (_what, text, reason) => {
  await useProxy((socket) => socket.once("data", () => socket.end(text)));
  expect(await failure(fake.client().head("app", "1"))).toMatchObject({
    code: expect.stringMatching(/^SOURCE_UN(REACHABLE|AVAILABLE)$/),
    text: expect.stringContaining(reason),
  });
});
