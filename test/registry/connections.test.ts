/** Direct connections: TLS, time limits, the end of the process. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { type CertificateAuthority, createCertificateAuthority } from "acr-emulator";
import { RegistryClient } from "../../provider/registry/client";
import { CONNECTIONS_PER_HOST } from "../../provider/registry/transport/agents";
import { environment } from "../../scripts/environment";
import { trust } from "../support/trust";
import {
  anonymous,
  DIGEST,
  failure,
  type Handler,
  MANIFEST_TYPE,
  openRegistry,
  useFakeRegistry,
  verifiesIpv6,
} from "./fake-registry";

const fake = useFakeRegistry();
let trusted: CertificateAuthority;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  trusted = await createCertificateAuthority();
  trust(trusted.certificate);
});
beforeEach(() => {
  delete process.env.HTTPS_PROXY;
});
afterEach(() => {
  jest.useRealTimers();
  for (const close of closing.splice(0)) close();
});

/** A server on this machine, its certificate made for `name`. */
async function serve(
  handler: Handler,
  options: { address?: string; name?: string; authority?: CertificateAuthority } = {},
) {
  const { address = "127.0.0.1", name = address, authority = trusted } = options;
  const sockets = new Set<Socket>();
  const secureContext = await authority.contextFor(name);
  const inner = new http.Server(handler);
  inner.keepAliveTimeout = 0;
  const server = net.createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    inner.emit(
      "connection",
      new tls.TLSSocket(socket, { isServer: true, secureContext }).on("error", () => undefined),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  closing.push(() => server.close());
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { host: `${address.includes(":") ? `[${address}]` : address}:${port}`, sockets };
}

const registry = openRegistry();
const client = (host: string) => new RegistryClient({ host, side: "source", credential: anonymous });
const head = (host: string, tag = "1") => client(host).head("app", tag);
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

/** Fakes the timers of requests. The waits between retries, of node:timers/promises, stay real. */
function fakeTimers(): void {
  jest.useFakeTimers({ doNotFake: ["Date", "nextTick", "queueMicrotask", "setImmediate", "setInterval"] });
}

test("opens at most 32 connections to a host and keeps them alive", async () => {
  const { host, sockets } = await serve(registry);
  await Promise.all(Array.from({ length: 60 }, (_, at) => head(host, `${at}`)));
  await head(host, "again");
  expect(sockets.size).toBeGreaterThan(1);
  expect(sockets.size).toBeLessThanOrEqual(CONNECTIONS_PER_HOST);
});

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));
(hasIpv6 && verifiesIpv6 ? test : test.skip)("connects to an IPv6 address (where the machine has one)", async () => {
  const { host } = await serve(registry, { address: "::1" });
  expect((await head(host))?.digest).toBe(DIGEST);
});

test.each([
  ["for another host", { name: "other.example.com" }, "its certificate is for another host"],
  ["from an unknown authority", { authority: undefined }, "NODE_EXTRA_CA_CERTS"],
])("never accepts a certificate %s, and sends nothing", async (_what, options, reason) => {
  const handler = jest.fn(registry);
  const authority = "authority" in options ? await createCertificateAuthority() : trusted;
  const { host } = await serve(handler, { ...options, authority });
  expect(await failure(head(host))).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    text: expect.stringContaining(reason),
  });
  expect(handler).not.toHaveBeenCalled();
});

test("sends nothing in plain text to a server without TLS", async () => {
  const received: string[] = [];
  const server = http.createServer((request, response) => {
    received.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  expect(await failure(head(`127.0.0.1:${port}`))).toMatchObject({ code: expect.stringMatching(/^SOURCE_UN/) });
  expect(received).toEqual([]);
});

test("reports a closed port", async () => {
  const { host } = await serve(registry);
  for (const close of closing.splice(0)) close();
  expect(await failure(head(host))).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    text: expect.stringContaining("ECONNREFUSED"),
  });
});

test("gives up a body that does not end after 30 seconds, twice", async () => {
  let dripping = 0;
  const { host } = await serve(
    openRegistry((_request, response) => {
      dripping++;
      response.writeHead(200, { "content-type": MANIFEST_TYPE }).write(" ");
    }),
  );
  fakeTimers();
  const found = failure(client(host).manifest("app", "1"));
  for (const attempt of [1, 2]) {
    while (dripping < attempt) await turns(1);
    jest.advanceTimersByTime(29_000);
    await turns(1);
    expect(dripping).toBe(attempt);
    jest.advanceTimersByTime(1_500);
  }
  expect(await found).toMatchObject({
    code: "SOURCE_UNAVAILABLE",
    text: expect.stringContaining("no response in time"),
  });
});

test.each(["directly", "through a proxy"])("gives up a connection, made %s, after 10 seconds, twice", async (way) => {
  let connections = 0;
  const server = net.createServer((socket) => {
    connections++;
    closing.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (way === "through a proxy") process.env.HTTPS_PROXY = address;
  fakeTimers();
  const found = failure(head(way === "directly" ? address : "registry.silent.example.com"));
  for (const attempt of [1, 2]) {
    while (connections < attempt) await turns(1);
    jest.advanceTimersByTime(9_000);
    await turns(1);
    expect(connections).toBe(attempt);
    jest.advanceTimersByTime(1_500);
  }
  expect(await found).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    text: expect.stringContaining("no connection in time (ETIMEDOUT)"),
  });
});

describe("the end of the program", () => {
  const program = `
    const { RegistryClient } = require(${JSON.stringify(path.join(__dirname, "../../provider/registry/client.ts"))});
    const client = new RegistryClient({ host: process.env.REGISTRY, side: "source", credential: { kind: "anonymous" } });
    Promise.all(["1", "2", "3"].map((tag) => client.head("app", tag)))
      .then(() => { console.log("done"); process.on("exit", () => console.log("exit")); });`;

  test.each(["directly", "through a proxy"])("is not delayed by idle connections, made %s", async (way) => {
    const folder = await mkdtemp(path.join(tmpdir(), "connections-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const ca = path.join(folder, "ca.pem");
    let variables: NodeJS.ProcessEnv;
    if (way === "directly") {
      variables = { REGISTRY: (await serve(registry)).host };
      await writeFile(ca, trusted.certificate);
    } else {
      fake.handlers[fake.host] = registry;
      variables = { REGISTRY: fake.host, HTTPS_PROXY: fake.proxy };
      await writeFile(ca, fake.certificate);
    }
    const child = spawn(process.execPath, ["--import", "tsx", "-e", program], {
      cwd: path.join(__dirname, "../.."),
      env: environment(folder, { ...variables, NODE_EXTRA_CA_CERTS: ca }),
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    // The server never closes an idle connection, so that a process that waits for that would not end.
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect({ output, code }).toEqual({ output: "done\nexit\n", code: 0 });
  });
});
