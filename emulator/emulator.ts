/** Starts Azure and the public registries on this machine, behind one HTTPS proxy. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createCertificateAuthority } from "./certificates";
import { clientEnvironment, type Environment } from "./command/environment";
import { ContainerRegistries } from "./container-registries";
import { type EmulatorParts, startControlApi } from "./control-api";
import { addDefaultImages } from "./default-images";
import { defaultState } from "./default-state";
import { managedIdentity } from "./entra/managed-identity";
import { OidcIssuer } from "./entra/oidc-issuer";
import { TokenService } from "./entra/token-service";
import { Faults } from "./faults/faults";
import { Hosts } from "./hosts";
import { Images } from "./images";
import { AzureNetwork } from "./importer/azure-network";
import { type RunningProxy, startProxy } from "./proxy";
import { PublicRegistries } from "./public-registries";
import { RegistryStore } from "./registry/registry-store";
import { Replication } from "./replication";
import { type Origin, RequestLog } from "./request-log";
import { Operations } from "./resource-manager/operations";
import { closeUpstreamConnections } from "./reverse-proxy";
import { createRouter } from "./router";

/** A running emulator. Its parts may be read and changed directly, as the control API does. */
export interface Emulator extends EmulatorParts {
  /** URL for `HTTPS_PROXY`. */
  readonly proxy: string;
  /** File with the certificate of the certificate authority that clients must trust. */
  readonly ca: string;
  /** URL of the control API. */
  readonly control: string;
  /** Every environment variable that a client needs. */
  readonly env: Environment;
  /** Closes every connection and removes the temporary folder. */
  close(): Promise<void>;
}

export interface EmulatorOptions {
  /** Environment of the caller; Pulumi variables that it sets are left out of {@link Emulator.env}. @default process.env */
  readonly caller?: NodeJS.ProcessEnv;
}

/** Starts an emulator with the default state. */
export async function startEmulator({ caller = process.env }: EmulatorOptions = {}): Promise<Emulator> {
  const state = defaultState();
  const log = new RequestLog();
  const faults = new Faults();
  const tokens = new TokenService(state);
  const issuer = new OidcIssuer();
  const operations = new Operations(state.settings);
  const replication = new Replication();
  const registries = new ContainerRegistries(state, tokens, replication);
  const stores = { dockerHub: new RegistryStore(), microsoft: new RegistryStore() };
  const publicRegistries = new PublicRegistries({
    "docker.io": stores.dockerHub,
    "mcr.microsoft.com": stores.microsoft,
  });
  const images = new Images(registries, publicRegistries);
  addDefaultImages(stores, state.registries);

  const [authority, folder] = await Promise.all([
    createCertificateAuthority(),
    mkdtemp(path.join(tmpdir(), "acr-emulator-")),
  ]);
  const router = createRouter({
    log,
    faults,
    tokens,
    managedIdentity: managedIdentity(state, tokens),
    findHost: (host) => hosts.find(host),
  });
  // Two proxies, so that each request is known to come from the client or from inside Azure.
  const startFor = (from: Origin): Promise<RunningProxy> => startProxy({ from, authority, ...router });
  const [clients, azure] = await Promise.all([startFor("client"), startFor("azure")]);
  const network = new AzureNetwork(azure.port, authority.certificate);
  const moveTag = async (reference: string) => images.replace(reference);
  const hosts: Hosts = new Hosts(
    { state, tokens, operations, network, replication, moveTag },
    registries,
    issuer,
    stores,
    publicRegistries,
  );

  const parts: EmulatorParts = { state, log, faults, hosts, images, tokens, issuer, operations };
  const control = await startControlApi(parts);
  const ca = path.join(folder, "ca.pem");
  await writeFile(ca, authority.certificate);
  const proxy = `http://127.0.0.1:${clients.port}`;
  return {
    ...parts,
    proxy,
    ca,
    control: control.url,
    env: await clientEnvironment({ folder, proxy, ca, control: control.url, caller }),
    async close() {
      network.close();
      closeUpstreamConnections();
      await Promise.all([clients.close(), azure.close(), control.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
