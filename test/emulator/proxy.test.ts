/** Tests of the proxy: tunnels, certificates, hosts that are not served, and the log. */
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import tls from "node:tls";
import { startEmulator } from "../../emulator/emulator";
import { useEmulator } from "../support/emulator";
import { Client } from "./client";

const running = useEmulator();
const client = new Client(running);

/** Sends CONNECT and returns the status and the socket. */
function connect(target: string, proxy = running.server.proxy): Promise<{ status: number; socket: net.Socket }> {
  const { hostname: host, port } = new URL(proxy);
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method: "CONNECT", path: target, agent: false });
    request.on("connect", ({ statusCode = 0 }, socket) =>
      resolve({ status: statusCode, socket: socket as net.Socket }),
    );
    request.on("error", reject);
    request.end();
  });
}

test("a host has a certificate of its own name", async () => {
  const { socket } = await connect("myregistry.azurecr.io:443");
  const secure = tls.connect({ socket, servername: "myregistry.azurecr.io", ca: readFileSync(running.server.ca) });
  await new Promise((resolve) => secure.once("secureConnect", resolve));
  expect(secure.authorized).toBe(true);
  expect(secure.getPeerCertificate().subjectaltname).toBe("DNS:myregistry.azurecr.io");
  secure.destroy();
});

test("selects HTTP/1.1 over HTTP/2, and without SNI the certificate of the CONNECT host", async () => {
  const { socket } = await connect("mcr.microsoft.com:443");
  const secure = tls.connect({ socket, ALPNProtocols: ["h2", "http/1.1"], rejectUnauthorized: false });
  await new Promise((resolve) => secure.once("secureConnect", resolve));
  expect(secure.alpnProtocol).toBe("http/1.1");
  expect(secure.getPeerCertificate().subjectaltname).toBe("DNS:mcr.microsoft.com");
  secure.destroy();
});

test.each(["example.com:443", "myregistry.azurecr.io:5000", "[2001:db8::1]:443", "notaregistry.azurecr.io:443"])(
  "rejects %s with 403 and logs it",
  async (target) => {
    await running.control.clearRequests();
    const { status, socket } = await connect(target);
    socket.destroy();
    expect(status).toBe(403);
    const [entry] = await running.control.requests();
    expect(entry).toMatchObject({ method: "CONNECT", status: 403, refused: true, from: "client" });
  },
);

test("rejects plain HTTP and logs it", async () => {
  await running.control.clearRequests();
  const { hostname, port } = new URL(running.server.proxy);
  const status = await new Promise((resolve) =>
    http.get({ host: hostname, port, path: "http://example.com/x", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }),
  );
  expect(status).toBe(403);
  expect(await running.control.requests()).toMatchObject([{ host: "example.com", path: "/x", refused: true }]);
});

test("the log has the tunnel of each request, and no secrets", async () => {
  await running.control.clearRequests();
  await client.form("https://login.microsoftonline.com/common/oauth2/v2.0/token?code=hush", { client_secret: "hush" });
  await client.request("https://login.microsoftonline.com/x?a=1");
  const entries = await running.control.requests();
  expect(entries.map(({ tunnel }) => tunnel)).toEqual([entries[0]?.tunnel, entries[0]?.tunnel]);
  expect(entries[0]).toMatchObject({
    method: "POST",
    path: "/common/oauth2/v2.0/token?code=…",
    formKeys: ["client_secret"],
    requestBytes: "client_secret=hush".length,
    credential: "none",
    status: 400,
  });
  expect(JSON.stringify(entries)).not.toContain("hush");
});

test("closes with an idle tunnel open", async () => {
  const emulator = await startEmulator({ caller: {} });
  const { socket } = await connect("myregistry.azurecr.io:443", emulator.proxy);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  await emulator.close();
  await closed;
  await expect(connect("myregistry.azurecr.io:443", emulator.proxy)).rejects.toThrow("ECONNREFUSED");
  expect(net.isIP(new URL(emulator.control).hostname)).toBe(4);
});
