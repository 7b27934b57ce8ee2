import { registryAudience, type TokenService } from "./entra/tokens";
import type { Tunnel } from "./proxy";
import { acrRegistry } from "./registry/acr";
import { type Handler, sendJson } from "./registry/http";
import type { Replication } from "./replication";
import { mayOnDataPlane } from "./resource-manager/access";
import { cloudOf, findRegistryByHost, type Registry, same, tenantOf, type World } from "./world";

/** Address by which network rules know the importer when it is no trusted service. */
const azureAddress = "20.42.0.10";

/** The data planes of all Azure container registries: login servers and regional endpoints. */
export class ContainerRegistries {
  readonly #handlers = new WeakMap<Registry, Map<string, Handler>>();

  constructor(
    readonly world: World,
    readonly tokens: TokenService,
    readonly replication: Replication,
  ) {}

  find(host: string): Registry | undefined {
    return findRegistryByHost(this.world, host)?.registry;
  }

  /** Answers a request, unless the registry's network rules keep the caller out. */
  site(host: string): ((tunnel: Tunnel, ...message: Parameters<Handler>) => ReturnType<Handler>) | undefined {
    const found = findRegistryByHost(this.world, host);
    if (!found) return undefined;
    const { registry, region } = found;
    const isHome = region !== undefined && same(region, registry.location);
    return (tunnel, req, res) => {
      const keptOut = this.#addressKeptOut(registry, tunnel);
      if (keptOut === undefined) return this.#handler(registry, host, isHome)(req, res);
      req.resume();
      const message = `client with IP '${keptOut}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.`;
      sendJson(res, 403, { errors: [{ code: "DENIED", message }] });
    };
  }

  /** The caller's address when the network rules refuse it. */
  #addressKeptOut(registry: Registry, { from, trustedService }: Tunnel): string | undefined {
    if (trustedService && registry.networkRuleBypassOptions === "AzureServices") return undefined;
    const address = from === "client" ? this.world.settings.clientAddress : azureAddress;
    if (registry.publicNetworkAccess === "Disabled") return address;
    return registry.defaultAction === "Deny" && !registry.ipRules.includes(address) ? address : undefined;
  }

  #handler(registry: Registry, host: string, isHome: boolean): Handler {
    const handlers = this.#handlers.get(registry) ?? new Map<string, Handler>();
    this.#handlers.set(registry, handlers);
    const handler = handlers.get(host) ?? this.#createHandler(registry, host, isHome);
    handlers.set(host, handler);
    return handler;
  }

  #createHandler(registry: Registry, host: string, isHome: boolean): Handler {
    const { world, tokens, replication } = this;
    const tenantId = tenantOf(world, registry) ?? "";
    return acrRegistry({
      store: isHome ? registry.store : replication.replicaOf(registry.store, () => registry.replicationLagMs),
      host,
      tenantId,
      audiences: [registryAudience, ...(cloudOf(world, tenantId)?.audiences ?? [])],
      verifyEntra: (token, audiences) => tokens.verify(token, audiences),
      verifyServicePrincipal: (clientId, secret) =>
        world.identities.find((identity) => same(identity.clientId, clientId) && identity.secrets.includes(secret)),
      allows: (principal, action) => mayOnDataPlane(world, registry, principal, action),
      // Read at each request: the control API changes them while the registry runs.
      get anonymousPull() {
        return registry.anonymousPull;
      },
      get scopedTokens() {
        return registry.scopedTokens;
      },
      get adminUser() {
        return registry.adminUser;
      },
    });
  }
}
