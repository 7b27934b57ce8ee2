import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createCertificateAuthority } from "./certificates";
import { ContainerRegistries } from "./container-registries";
import { type Controlled, startControl } from "./control";
import { defaultWorld } from "./default-world";
import { managedIdentity, managedIdentityHost } from "./entra/managed-identity";
import { OidcIssuer } from "./entra/oidc-issuer";
import { TokenService } from "./entra/tokens";
import { clientEnvironment, type Environment } from "./environment";
import { applyFaults, Faults } from "./faults";
import { Hosts, privateRepository, type Site, type Visit } from "./hosts";
import { Images } from "./images";
import { AzureNetwork } from "./importer/azure-network";
import { type BoxProxy, startProxy, type Tunnel } from "./proxy";
import { closeRealServerConnections } from "./real-server";
import { bearerToken, type Handler } from "./registry/http";
import { type ImageOptions, makeImage, type Unique } from "./registry/images";
import { RegistryStore } from "./registry/store";
import { Replication } from "./replication";
import { type Origin, RequestLog } from "./request-log";
import { Operations } from "./resource-manager/operations";

/** Azure and the public registries on this machine, running. */
export interface Emulator extends Controlled {
  /** URL for `HTTPS_PROXY`. */
  readonly proxy: string;
  /** File with the certificate authority that clients must trust. */
  readonly ca: string;
  /** URL of the control API. */
  readonly control: string;
  /** Every variable that a client needs. */
  readonly env: Environment;
  close(): Promise<void>;
}

export interface EmulatorOptions {
  /** Environment of the caller: what it has set for Pulumi stays as it is. @default process.env */
  readonly caller?: NodeJS.ProcessEnv;
}

/** Starts the box with the default world. */
export async function startEmulator({ caller = process.env }: EmulatorOptions = {}): Promise<Emulator> {
  const world = defaultWorld();
  const log = new RequestLog();
  const faults = new Faults();
  const tokens = new TokenService(world);
  const issuer = new OidcIssuer();
  const operations = new Operations(world.settings);
  const replication = new Replication();
  const registries = new ContainerRegistries(world, tokens, replication);
  const stores = { dockerHub: new RegistryStore(), microsoft: new RegistryStore() };
  const images = new Images(
    registries,
    new Map([
      ["docker.io", stores.dockerHub],
      ["mcr.microsoft.com", stores.microsoft],
    ]),
  );
  makeDefaultImages(stores, world.registries);

  const [authority, folder] = await Promise.all([
    createCertificateAuthority(),
    mkdtemp(path.join(tmpdir(), "acr-emulator-")),
  ]);
  const metadata = managedIdentity(world, tokens);
  const front: Front = { log, faults, tokens, metadata, site: (host) => hosts.site(host) };
  const startFor = (from: Origin): Promise<BoxProxy> => startProxy({ from, authority, ...frontDoor(front) });
  const [clients, azure] = await Promise.all([startFor("client"), startFor("azure")]);
  const network = new AzureNetwork(azure.port, authority.certificate);
  const moveTag = async (reference: string) => images.replace(reference);
  const hosts: Hosts = new Hosts(
    { world, tokens, operations, network, replication, moveTag },
    registries,
    issuer,
    stores,
  );

  const controlled: Controlled = { world, log, faults, hosts, images, tokens, issuer, operations };
  const control = await startControl(controlled);
  const ca = path.join(folder, "ca.pem");
  await writeFile(ca, authority.certificate);
  const proxy = `http://127.0.0.1:${clients.port}`;
  return {
    ...controlled,
    proxy,
    ca,
    control: control.url,
    env: await clientEnvironment({ folder, proxy, ca, control: control.url, caller }),
    async close() {
      network.close();
      closeRealServerConnections();
      await Promise.all([clients.close(), azure.close(), control.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Front {
  readonly log: RequestLog;
  readonly faults: Faults;
  readonly tokens: TokenService;
  readonly metadata: Handler;
  site(host: string): Site | undefined;
}

/** What every request passes, whatever its host: log and faults, then the host's own site. */
function frontDoor({ log, faults, tokens, metadata, site }: Front) {
  async function admit(tunnel: Tunnel): Promise<"open" | "answered" | number> {
    const { host, from } = tunnel;
    const [fault] = faults.strike({ host, from, method: "CONNECT", path: "" });
    if (fault?.latency) await new Promise((resolve) => setTimeout(resolve, fault.latency));
    if (fault?.hang) return "answered";
    if (fault?.reset) {
      tunnel.reset();
      return "answered";
    }
    if (fault?.status) return fault.status;
    if (site(host)) return "open";
    log.refuse(from, host, "CONNECT");
    return 403;
  }

  async function serve(tunnel: Tunnel, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { from, host, id } = tunnel;
    const entry = log.begin(from, host, id, req, res);
    try {
      const struck = faults.strike({ host, from, method: entry.method, path: req.url ?? "/" });
      const harm = await applyFaults(struck, req, res, entry, tunnel);
      if (harm.answered) return;
      if (harm.expireToken) expireToken(req, tokens);
      const visit: Visit = { tunnel, req, res, importFault: harm.import };
      const answers = site(host);
      if (answers) await answers(visit);
      else res.writeHead(404, { "content-length": 0 }).end();
    } catch (error) {
      entry.error = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`emulator: ${entry.method} https://${host}${entry.path}: ${entry.error}\n`);
      if (res.headersSent) res.destroy();
      else res.writeHead(500, { "content-length": 0 }).end();
    }
  }

  function servePlain(tunnel: Tunnel, req: IncomingMessage, res: ServerResponse): void {
    if (tunnel.host === managedIdentityHost) {
      log.begin(tunnel.from, tunnel.host, undefined, req, res);
      void metadata(req, res);
    } else {
      log.refuse(tunnel.from, tunnel.host, req.method ?? "GET", req.url);
      req.resume();
      res.writeHead(403, { "content-length": 0 }).end();
    }
  }

  return {
    admit,
    serve: (tunnel: Tunnel, req: IncomingMessage, res: ServerResponse) => void serve(tunnel, req, res),
    servePlain,
  };
}

/** An Entra token is marked as expired where it is known; any other becomes one that nobody knows. */
function expireToken(req: IncomingMessage, tokens: TokenService): void {
  const token = bearerToken(req);
  if (token !== undefined && !tokens.expire(token)) req.headers.authorization = "Bearer expired";
}

function makeDefaultImages(
  stores: { dockerHub: RegistryStore; microsoft: RegistryStore },
  registries: Controlled["world"]["registries"],
): void {
  const make = (store: RegistryStore, host: string, repository: string, tag: string, options?: ImageOptions) =>
    makeImage(store, repository, tag, options, sameAtEveryStart(`${host}/${repository}:${tag}`));
  make(stores.dockerHub, "docker.io", "library/hello-world", "latest", {
    platforms: ["linux/amd64", "linux/arm/v7", "linux/arm64/v8", "windows/amd64"],
  });
  make(stores.dockerHub, "docker.io", "tensorflow/tensorflow", "latest-gpu", {
    kind: "docker",
    platforms: ["linux/amd64"],
  });
  make(stores.dockerHub, "docker.io", privateRepository, "latest");
  make(stores.microsoft, "mcr.microsoft.com", "windows/servercore", "ltsc2019", {
    kind: "docker-list",
    platforms: ["windows/amd64"],
  });
  for (const { name, loginServer, store } of registries) {
    if (name !== "myregistry")
      make(store, loginServer, "aci-helloworld", "latest", { platforms: ["linux/amd64", "linux/arm64/v8"] });
  }
}

/** For a stack that is kept while the emulator is started anew: its sources have not moved. */
function sameAtEveryStart(reference: string): Unique {
  let count = 0;
  return () => `${reference} ${++count}`;
}
