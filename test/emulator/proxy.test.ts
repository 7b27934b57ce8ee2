import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import tls from "node:tls";
import { startEmulator } from "../../emulator/emulator";
import { useEmulator } from "../support/emulator";
import { Client } from "./client";

const box = useEmulator();
const client = new Client(box);

/** Opens a tunnel by hand and says what the proxy answered. */
function connect(target: string, proxy = box.emulator.proxy): Promise<{ status: number; socket: net.Socket }> {
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

test("a host of the box answers with a certificate of its own name", async () => {
  const { socket } = await connect("myregistry.azurecr.io:443");
  const secure = tls.connect({ socket, servername: "myregistry.azurecr.io", ca: readFileSync(box.emulator.ca) });
  await new Promise((resolve) => secure.once("secureConnect", resolve));
  expect(secure.authorized).toBe(true);
  expect(secure.getPeerCertificate().subjectaltname).toBe("DNS:myregistry.azurecr.io");
  secure.destroy();
});

test("clients that offer HTTP/2 get HTTP/1.1, clients without SNI get the certificate of the CONNECT host", async () => {
  const { socket } = await connect("mcr.microsoft.com:443");
  const secure = tls.connect({ socket, ALPNProtocols: ["h2", "http/1.1"], rejectUnauthorized: false });
  await new Promise((resolve) => secure.once("secureConnect", resolve));
  expect(secure.alpnProtocol).toBe("http/1.1");
  expect(secure.getPeerCertificate().subjectaltname).toBe("DNS:mcr.microsoft.com");
  secure.destroy();
});

test.each(["example.com:443", "myregistry.azurecr.io:5000", "[2001:db8::1]:443", "notaregistry.azurecr.io:443"])(
  "%s is refused with 403 and logged",
  async (target) => {
    await box.control.clearRequests();
    const { status, socket } = await connect(target);
    socket.destroy();
    expect(status).toBe(403);
    const [entry] = await box.control.requests();
    expect(entry).toMatchObject({ method: "CONNECT", status: 403, refused: true, from: "client" });
  },
);

test("plain HTTP through the proxy is refused and logged", async () => {
  await box.control.clearRequests();
  const { hostname, port } = new URL(box.emulator.proxy);
  const status = await new Promise((resolve) =>
    http.get({ host: hostname, port, path: "http://example.com/x", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }),
  );
  expect(status).toBe(403);
  expect(await box.control.requests()).toMatchObject([{ host: "example.com", path: "/x", refused: true }]);
});

test("requests of one tunnel share its number in the log, and secrets do not get there", async () => {
  await box.control.clearRequests();
  await client.form("https://login.microsoftonline.com/common/oauth2/v2.0/token?code=hush", { client_secret: "hush" });
  await client.request("https://login.microsoftonline.com/x?a=1");
  const entries = await box.control.requests();
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

test("a kept-alive tunnel does not hold up closing", async () => {
  const emulator = await startEmulator({ caller: {} });
  const { socket } = await connect("myregistry.azurecr.io:443", emulator.proxy);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  const started = performance.now();
  await emulator.close();
  await closed;
  expect(performance.now() - started).toBeLessThan(1000);
  await expect(connect("myregistry.azurecr.io:443", emulator.proxy)).rejects.toThrow("ECONNREFUSED");
  expect(net.isIP(new URL(emulator.control).hostname)).toBe(4);
});
