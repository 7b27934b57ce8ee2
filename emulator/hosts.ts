/** Which handler serves which host name. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ContainerRegistries } from "./container-registries";
import type { PublicStores } from "./default-images";
import { dockerHubAccount, privateRepository } from "./default-state";
import { loginHost } from "./entra/login-host";
import { githubIssuer, githubRequestHost, type OidcIssuer } from "./entra/oidc-issuer";
import type { ImportFault } from "./faults/fault";
import { hostAliases, isDockerHub } from "./image-reference";
import type { Tunnel } from "./proxy";
import { dockerHub } from "./registry/docker-hub";
import { publicRegistry } from "./registry/public-registry";
import type { ArmServices } from "./resource-manager/import-image";
import { resourceManagerHost } from "./resource-manager/resource-manager";
import { reverseProxy } from "./reverse-proxy";

/** One request to a host. */
export interface HostRequest {
  readonly tunnel: Tunnel;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly importFault: ImportFault | undefined;
}

/** Responds to the requests to one host. */
export type HostHandler = (request: HostRequest) => void | Promise<void>;

/** All hosts that the emulator serves. */
export class Hosts {
  readonly #fixed = new Map<string, HostHandler>();
  readonly #servers = new Map<string, { url: string; handle: HostHandler }>();
  readonly #registries: ContainerRegistries;
  readonly #dockerHub: HostHandler;

  constructor(services: ArmServices, registries: ContainerRegistries, issuer: OidcIssuer, stores: PublicStores) {
    const { state, tokens } = services;
    this.#registries = registries;
    for (const cloud of state.clouds) {
      const login = loginHost({ state, cloud, tokens, issuer });
      const resourceManager = resourceManagerHost(cloud, services);
      for (const host of [cloud.login, cloud.loginAlias ?? cloud.login]) {
        this.#fixed.set(host, ({ req, res }) => login(req, res));
      }
      this.#fixed.set(cloud.resourceManager, ({ req, res, importFault }) => resourceManager(req, res, importFault));
    }
    const requestHost = issuer.requestHost();
    const issuerHost = issuer.issuerHost();
    this.#fixed.set(githubRequestHost, ({ req, res }) => requestHost(req, res));
    this.#fixed.set(new URL(githubIssuer).host, ({ req, res }) => issuerHost(req, res));

    const hub = dockerHub({
      store: stores.dockerHub,
      accounts: [{ ...dockerHubAccount, privateRepositories: [privateRepository] }],
      tokens: state.settings,
    });
    const microsoft = publicRegistry({ store: stores.microsoft });
    this.#dockerHub = ({ req, res }) => hub.registry(req, res);
    this.#fixed.set("auth.docker.io", ({ req, res }) => hub.auth(req, res));
    this.#fixed.set("mcr.microsoft.com", ({ req, res }) => microsoft(req, res));
  }

  /** The handler of a host; undefined for a host that the emulator does not serve. */
  find(host: string): HostHandler | undefined {
    const known =
      this.#servers.get(host)?.handle ?? this.#fixed.get(host) ?? (isDockerHub(host) ? this.#dockerHub : undefined);
    if (known) return known;
    const registry = this.#registries.handlerFor(host);
    return registry && (({ tunnel, req, res }) => registry(tunnel, req, res));
  }

  /** Maps host names to HTTP servers on this machine; `null` removes a mapping. */
  mapToServers(hosts: Readonly<Record<string, string | null>>): void {
    for (const [host, url] of Object.entries(hosts)) {
      for (const name of hostAliases(host)) {
        if (url === null) this.#servers.delete(name);
        else this.#servers.set(name, { url, handle: serverHandler(url) });
      }
    }
  }

  mappedServers(): Record<string, string> {
    return Object.fromEntries([...this.#servers].map(([host, { url }]) => [host, url]));
  }

  clearMappedServers(): void {
    this.#servers.clear();
  }
}

function serverHandler(url: string): HostHandler {
  const forward = reverseProxy(new URL(url));
  return ({ req, res }) => forward(req, res);
}
