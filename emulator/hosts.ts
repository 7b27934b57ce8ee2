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
import type { PublicRegistries, PublicRegistryOptions } from "./public-registries";
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

/** What the control API makes of a host: an HTTP server on this machine, a registry, or what it is by default. */
export type HostSetting = string | PublicRegistryOptions | null;

/** Responds to the requests to one host. */
export type HostHandler = (request: HostRequest) => void | Promise<void>;

/** All hosts that the emulator serves. */
export class Hosts {
  readonly #fixed = new Map<string, HostHandler>();
  readonly #servers = new Map<string, { url: string; handle: HostHandler }>();
  readonly #registries: ContainerRegistries;
  readonly #publicRegistries: PublicRegistries;
  readonly #dockerHub: HostHandler;

  constructor(
    services: ArmServices,
    registries: ContainerRegistries,
    issuer: OidcIssuer,
    stores: PublicStores,
    publicRegistries: PublicRegistries,
  ) {
    const { state, tokens } = services;
    this.#registries = registries;
    this.#publicRegistries = publicRegistries;
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
      referrers: () => publicRegistries.referrersOptions("docker.io"),
    });
    const microsoft = publicRegistry({
      store: stores.microsoft,
      referrers: () => publicRegistries.referrersOptions("mcr.microsoft.com"),
    });
    this.#dockerHub = ({ req, res }) => hub.registry(req, res);
    this.#fixed.set("auth.docker.io", ({ req, res }) => hub.auth(req, res));
    this.#fixed.set("mcr.microsoft.com", ({ req, res }) => microsoft(req, res));
  }

  /** The handler of a host; undefined for a host that the emulator does not serve. */
  find(host: string): HostHandler | undefined {
    const known =
      this.#servers.get(host)?.handle ?? this.#fixed.get(host) ?? (isDockerHub(host) ? this.#dockerHub : undefined);
    if (known) return known;
    const added = this.#publicRegistries.handlerFor(host);
    if (added) return ({ req, res }) => added(req, res);
    const registry = this.#registries.handlerFor(host);
    return registry && (({ tunnel, req, res }) => registry(tunnel, req, res));
  }

  /** Sets which registry or server a host is. */
  set(hosts: Readonly<Record<string, HostSetting>>): void {
    for (const [host, setting] of Object.entries(hosts)) {
      const aliases = hostAliases(host);
      const [name = host] = aliases;
      if (typeof setting === "string") {
        for (const alias of aliases) this.#servers.set(alias, { url: setting, handle: serverHandler(setting) });
        continue;
      }
      for (const alias of aliases) this.#servers.delete(alias);
      if (setting === null) this.#publicRegistries.remove(name);
      else this.#publicRegistries.set(name, setting);
    }
  }

  settings(): Record<string, HostSetting> {
    const servers = Object.fromEntries([...this.#servers].map(([host, { url }]) => [host, url]));
    return { ...this.#publicRegistries.options(), ...servers };
  }

  clearSettings(): void {
    this.set(Object.fromEntries(Object.keys(this.settings()).map((host) => [host, null])));
  }
}

function serverHandler(url: string): HostHandler {
  const forward = reverseProxy(new URL(url));
  return ({ req, res }) => forward(req, res);
}
