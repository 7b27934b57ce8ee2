import type { IncomingMessage, ServerResponse } from "node:http";
import type { ContainerRegistries } from "./container-registries";
import { loginHost } from "./entra/login";
import { githubIssuer, githubRequestHost, type OidcIssuer } from "./entra/oidc-issuer";
import type { ImportFault } from "./faults";
import { isDockerHub, namesOf } from "./image-references";
import type { Tunnel } from "./proxy";
import { realServer } from "./real-server";
import { dockerHub } from "./registry/docker-hub";
import { openRegistry } from "./registry/open-registry";
import type { RegistryStore } from "./registry/store";
import type { ImportServices } from "./resource-manager/import-image";
import { resourceManagerHost } from "./resource-manager/resource-manager";

/** What answers for a host. */
export type Site = (visit: Visit) => void | Promise<void>;

/** One request at a site. */
export interface Visit {
  readonly tunnel: Tunnel;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly importFault: ImportFault | undefined;
}

export const dockerHubAccount = { username: "emulator", password: "dckr_pat_emulator" };
/** Docker Hub shows this repository to its owner only. */
export const privateRepository = "emulator/private";

/** All hosts of the box. */
export class Hosts {
  readonly #fixed = new Map<string, Site>();
  readonly #real = new Map<string, { url: string; site: Site }>();
  readonly #registries: ContainerRegistries;
  readonly #dockerHub: Site;

  constructor(
    services: ImportServices,
    registries: ContainerRegistries,
    issuer: OidcIssuer,
    stores: { dockerHub: RegistryStore; microsoft: RegistryStore },
  ) {
    const { world, tokens } = services;
    this.#registries = registries;
    for (const cloud of world.clouds) {
      const login = loginHost({ world, cloud, tokens, issuer });
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
    });
    const microsoft = openRegistry({ store: stores.microsoft });
    this.#dockerHub = ({ req, res }) => hub.registry(req, res);
    this.#fixed.set("auth.docker.io", ({ req, res }) => hub.auth(req, res));
    this.#fixed.set("mcr.microsoft.com", ({ req, res }) => microsoft(req, res));
  }

  /** What answers for the host; nothing for a host that is no part of the box. */
  site(host: string): Site | undefined {
    const known =
      this.#real.get(host)?.site ?? this.#fixed.get(host) ?? (isDockerHub(host) ? this.#dockerHub : undefined);
    if (known) return known;
    const registry = this.#registries.site(host);
    return registry && (({ tunnel, req, res }) => registry(tunnel, req, res));
  }

  /** Maps host names to real HTTP servers; `null` takes a name away. */
  map(hosts: Readonly<Record<string, string | null>>): void {
    for (const [host, url] of Object.entries(hosts)) {
      for (const name of namesOf(host)) {
        if (url === null) this.#real.delete(name);
        else this.#real.set(name, { url, site: realSite(url) });
      }
    }
  }

  mapped(): Record<string, string> {
    return Object.fromEntries([...this.#real].map(([host, { url }]) => [host, url]));
  }

  clearMapped(): void {
    this.#real.clear();
  }
}

function realSite(url: string): Site {
  const forward = realServer(new URL(url));
  return ({ req, res }) => forward(req, res);
}
