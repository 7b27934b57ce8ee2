/** The data planes of all Azure container registries, behind their network rules. */
import { registryAudience, type TokenService } from "./entra/token-service";
import type { Tunnel } from "./proxy";
import { acrRegistry } from "./registry/acr-registry";
import { type Handler, sendJson } from "./registry/http";
import type { Replication } from "./replication";
import { hasDataPermission } from "./resource-manager/permissions";
import {
  cloudOf,
  equalsIgnoreCase,
  findRegistryByHost,
  type Registry,
  referrersOptions,
  type State,
  tenantIdOf,
} from "./state";

/** The address that network rules see when the importer is not a trusted service. */
const importerAddress = "20.42.0.10";

/** Finds the registry behind a login server or regional endpoint, and its handler. */
export class ContainerRegistries {
  readonly #handlers = new WeakMap<Registry, Map<string, Handler>>();

  constructor(
    readonly state: State,
    readonly tokens: TokenService,
    readonly replication: Replication,
  ) {}

  find(host: string): Registry | undefined {
    return findRegistryByHost(this.state, host)?.registry;
  }

  /** The handler of a registry's host; it responds with 403 where the network rules block the client. */
  handlerFor(host: string): ((tunnel: Tunnel, ...message: Parameters<Handler>) => ReturnType<Handler>) | undefined {
    const found = findRegistryByHost(this.state, host);
    if (!found) return undefined;
    const { registry, region } = found;
    const isHome = region !== undefined && equalsIgnoreCase(region, registry.location);
    return (tunnel, req, res) => {
      const blocked = this.#blockedAddress(registry, tunnel);
      if (blocked === undefined) return this.#handler(registry, host, isHome)(req, res);
      req.resume();
      const message = `client with IP '${blocked}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.`;
      sendJson(res, 403, { errors: [{ code: "DENIED", message }] });
    };
  }

  /** The client's address if the network rules block it. */
  #blockedAddress(registry: Registry, { from, trustedService }: Tunnel): string | undefined {
    if (trustedService && registry.networkRuleBypassOptions === "AzureServices") return undefined;
    const address = from === "client" ? this.state.settings.clientAddress : importerAddress;
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
    const { state, tokens, replication } = this;
    const tenantId = tenantIdOf(state, registry) ?? "";
    return acrRegistry({
      store: isHome ? registry.store : replication.replicaOf(registry.store, () => registry.replicationLagMs),
      host,
      tenantId,
      audiences: [registryAudience, ...(cloudOf(state, tenantId)?.audiences ?? [])],
      verifyEntra: (token, audiences) => tokens.verify(token, audiences),
      verifyServicePrincipal: (clientId, secret) =>
        state.identities.find(
          (identity) => equalsIgnoreCase(identity.clientId, clientId) && identity.secrets.includes(secret),
        ),
      allows: (principal, action) => hasDataPermission(state, registry, principal, action),
      // Getters, because the control API changes these while the registry runs.
      referrers: () => referrersOptions(registry),
      quarantine: () => registry.quarantinePolicy === "enabled",
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
