/** A way to the emulator without a proxy, for processes that are started with the preload. */
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import path from "node:path";

export interface DirectRoute {
  /** Variables of processes that are to use it; a proxy is removed from their environment. */
  readonly env: NodeJS.ProcessEnv;
  close(): void;
}

/**
 * Opens a port per host that leads to the emulator's proxy. The preload sends connections to these ports, so the client
 * itself connects, does TLS and knows of no proxy.
 */
export async function openDirectRoute(proxy: string, hosts: readonly string[]): Promise<DirectRoute> {
  const servers = await Promise.all(hosts.map((host) => listen(host, new URL(proxy))));
  const ports = servers.map((server, index) => [hosts[index], (server.address() as AddressInfo).port]);
  return {
    env: {
      HTTPS_PROXY: undefined,
      NODE_OPTIONS: `--require ${JSON.stringify(path.join(__dirname, "redirect-connections.cjs"))}`,
      BENCH_PORTS: JSON.stringify(Object.fromEntries(ports)),
    },
    close() {
      for (const server of servers) server.close();
    },
  };
}

async function listen(host: string, proxy: URL): Promise<Server> {
  const server = createServer((client) => {
    const tunnel = connect(Number(proxy.port), proxy.hostname);
    tunnel.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
    // The response to CONNECT comes alone: a TLS server speaks second.
    tunnel.once("data", () => client.pipe(tunnel).pipe(client));
    for (const socket of [client, tunnel]) {
      socket.setNoDelay(true);
      socket.on("error", () => {
        client.destroy();
        tunnel.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
