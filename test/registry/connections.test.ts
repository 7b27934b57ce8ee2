import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { type CertificateAuthority, createCertificateAuthority } from "acr-emulator";
import { failureOf } from "../../provider/failure/failure";
import { RegistryClient } from "../../provider/registry/client";
import { agentFor } from "../../provider/registry/connections";
import { environment } from "../../scripts/environment";
import { type Site, startInternet, trust } from "./internet";

const TYPE = "application/vnd.oci.image.manifest.v1+json";
const MANIFEST = '{"schemaVersion":2}';
const DIGEST = `sha256:${createHash("sha256").update(MANIFEST).digest("hex")}`;

let trusted: CertificateAuthority;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  trusted = await createCertificateAuthority();
  trust(trusted.certificate);
});
afterEach(() => {
  jest.useRealTimers();
  for (const name of ["HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"]) delete process.env[name];
  for (const close of closing.splice(0)) close();
});

/** A server on this machine, its certificate made for `name`. */
async function serve(site: Site, options: { address?: string; name?: string; authority?: CertificateAuthority } = {}) {
  const { address = "127.0.0.1", name = address, authority = trusted } = options;
  const sockets = new Set<Socket>();
  const secureContext = await authority.contextFor(name);
  const inner = new http.Server(site);
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

const registry: Site = (_request, response) =>
  response
    .writeHead(200, { "content-type": TYPE, "docker-content-digest": DIGEST, "content-length": MANIFEST.length })
    .end(MANIFEST);
const head = (host: string, tag = "1") =>
  new RegistryClient({ host, side: "source", credential: { kind: "anonymous" }, timeoutMs: 2_000 }).head("app", tag);
const failure = (work: Promise<unknown>) => work.then(() => "no failure", failureOf);

test("without a proxy: 16 connections at most, kept alive", async () => {
  const { host, sockets } = await serve(registry);
  await Promise.all(Array.from({ length: 60 }, (_, at) => head(host, `${at}`)));
  await head(host, "again");
  expect(sockets.size).toBeGreaterThan(1);
  expect(sockets.size).toBeLessThanOrEqual(16);
});

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));
(hasIpv6 ? test : test.skip)("an IPv6 address is a host like any other (where the machine has one)", async () => {
  const { host } = await serve(registry, { address: "::1" });
  expect((await head(host))?.digest).toBe(DIGEST);
});

test.each([
  ["for another host", { name: "other.example.com" }, "its certificate is for another host"],
  ["from an unknown authority", { authority: undefined }, "NODE_EXTRA_CA_CERTS"],
])("a certificate %s is never accepted, and nothing is sent", async (_what, options, reason) => {
  const site = jest.fn(registry);
  const authority = "authority" in options ? await createCertificateAuthority() : trusted;
  const { host } = await serve(site, { ...options, authority });
  expect(await failure(head(host))).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    reason: expect.stringContaining(reason),
  });
  expect(site).not.toHaveBeenCalled();
});

test("a server without TLS gets nothing in plain text", async () => {
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

test("nobody listens", async () => {
  const { host } = await serve(registry);
  for (const close of closing.splice(0)) close();
  expect(await failure(head(host))).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    reason: expect.stringContaining("ECONNREFUSED"),
  });
});

test("a body that drips is given up after 30 seconds, twice", async () => {
  let dripping = 0;
  const { host } = await serve((request, response) => {
    if (request.url === "/v2/") return response.end("{}");
    dripping++;
    return response.writeHead(200, { "content-type": TYPE }).write(" ");
  });
  const client = new RegistryClient({ host, side: "source", credential: { kind: "anonymous" } });
  const doNotFake = ["Date", "nextTick", "queueMicrotask", "setImmediate", "setInterval"] as const;
  jest.useFakeTimers({ doNotFake: [...doNotFake] });
  const found = failure(client.manifest("app", "1"));
  for (const attempt of [1, 2]) {
    while (dripping < attempt) await new Promise(setImmediate);
    await new Promise(setImmediate);
    jest.advanceTimersByTime(29_000);
    await new Promise(setImmediate);
    expect(dripping).toBe(attempt);
    jest.advanceTimersByTime(1_500);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    jest.advanceTimersByTime(1_000);
  }
  expect(await found).toMatchObject({
    code: "SOURCE_UNAVAILABLE",
    reason: expect.stringContaining("no response in time"),
  });
});

test.each([
  ["name:port without a scheme", "127.0.0.1:1", "http://127.0.0.1:1/"],
  ["http", "http://127.0.0.1:1", "http://127.0.0.1:1/"],
  ["https", "https://proxy.example.com", "https://proxy.example.com/"],
])("a proxy given as %s", (_what, given, read) => {
  process.env.HTTPS_PROXY = given;
  const agent = agentFor("https://registry.example.com/v2/");
  expect("proxy" in agent && String(agent.proxy)).toBe(read);
  process.env.NO_PROXY = ".example.com";
  expect("proxy" in agentFor("https://registry.example.com/v2/")).toBe(false);
});

describe("the end of the program", () => {
  const program = `
    const { RegistryClient } = require(${JSON.stringify(path.join(__dirname, "../../provider/registry/client.ts"))});
    const client = new RegistryClient({ host: process.env.REGISTRY, side: "source", credential: { kind: "anonymous" } });
    Promise.all(["1", "2", "3"].map((tag) => client.head("app", tag)))
      .then(() => { console.log("done"); process.on("exit", () => console.log("exit")); });`;

  test.each(["directly", "through a proxy"])("idle connections, made %s, do not hold it up", async (way) => {
    const folder = await mkdtemp(path.join(tmpdir(), "connections-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const ca = path.join(folder, "ca.pem");
    let variables: NodeJS.ProcessEnv;
    if (way === "directly") {
      variables = { REGISTRY: (await serve(registry)).host };
      await writeFile(ca, trusted.certificate);
    } else {
      const internet = await startInternet();
      closing.push(() => internet.close());
      internet.sites["registry.example.com"] = registry;
      variables = { REGISTRY: "registry.example.com", HTTPS_PROXY: internet.proxy };
      await writeFile(ca, internet.certificate);
    }
    const child = spawn(process.execPath, ["--import", "tsx", "-e", program], {
      cwd: path.join(__dirname, "../.."),
      env: environment(folder, { ...variables, NODE_EXTRA_CA_CERTS: ca }),
    });
    let output = "";
    let doneAt = 0;
    child.stdout.on("data", (chunk) => {
      output += chunk;
      doneAt ||= Date.now();
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect({ output, code }).toEqual({ output: "done\nexit\n", code: 0 });
    // Node closes idle connections after 5 seconds: much less means that it did not wait for that
    expect(Date.now() - doneAt).toBeLessThan(2_000);
  });
});
