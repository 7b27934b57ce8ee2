import type { ScopedToken } from "./registry/acr-authority";
import type { RegistryStore } from "./registry/registry-store";

/** A cloud: where its Resource Manager and Entra answer, and how its registries are called. */
export interface Cloud {
  readonly name: string;
  readonly resourceManager: string;
  readonly login: string;
  /** Another name of the login host, which clients may prefer once they have learned it. */
  readonly loginAlias?: string;
  readonly registrySuffix: string;
  /** Audiences that Resource Manager accepts in a token. */
  readonly audiences: readonly string[];
}

export interface Tenant {
  readonly id: string;
  /** Name of a {@link Cloud}. */
  readonly cloud: string;
  readonly domain: string;
}

export interface Subscription {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
}

/** A workload that Entra trusts because another issuer vouches for it. */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** PEM key that signs the assertions; absent for the issuer of the box itself. */
  readonly publicKey?: string;
}

/** A service principal or managed identity. */
export interface Identity {
  readonly kind: "servicePrincipal" | "managedIdentity";
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly name: string;
  readonly secrets: readonly string[];
  /** PEM certificates whose keys may sign client assertions. */
  readonly certificates: readonly string[];
  readonly federatedCredentials: readonly FederatedCredential[];
  /** A managed identity that answers when the request names no client. */
  readonly systemAssigned: boolean;
}

export interface AdminUser {
  readonly username: string;
  readonly password: string;
}

/** Properties of a container registry, as data. Tests change them through the control API. */
export interface RegistryProperties {
  name: string;
  subscriptionId: string;
  resourceGroup: string;
  location: string;
  sku: "Basic" | "Standard" | "Premium" | "Classic";
  loginServer: string;
  publicNetworkAccess: "Enabled" | "Disabled";
  networkRuleBypassOptions: "AzureServices" | "None";
  /** `Deny` lets in only the addresses of `ipRules`. */
  defaultAction: "Allow" | "Deny";
  ipRules: readonly string[];
  exportPolicy: "enabled" | "disabled";
  anonymousPull: boolean;
  /** Which permissions of roles the data plane honours: actions, or data actions, which ABAC conditions may restrict. */
  roleAssignmentMode: "LegacyRegistryPermissions" | "AbacRepositoryPermissions";
  adminUser: AdminUser | null;
  scopedTokens: readonly ScopedToken[];
  /** Regions of geo-replicas beside `location`. */
  replicas: readonly string[];
  /** Clients of the login server read from a replica that learns of an import so much later. */
  replicationLagMs: number;
}

export interface Registry extends RegistryProperties {
  readonly store: RegistryStore;
}

/** An empty group; one that holds a registry need not be listed. */
export interface ResourceGroup {
  readonly subscriptionId: string;
  readonly name: string;
}

export interface RoleAssignment {
  /** Object ID of the identity. */
  readonly principalId: string;
  readonly role: string;
  /** ARM ID of a subscription, resource group or registry. */
  readonly scope: string;
}

/** Knobs of the services that are no property of one registry. */
export interface Settings {
  /** `Retry-After` of a pending import, seconds; `null` leaves the header out. */
  retryAfter: number | null;
  /** An import takes at least so long. */
  importDurationMs: number;
  /** A polling URL is accepted for so long after it was issued. */
  operationUrlLifetimeMs: number;
  tokenLifetimeSeconds: number;
  resourceGraphPageSize: number;
  /** The address by which network rules know the client. */
  clientAddress: string;
  /** Where a failed import says why: in `error.message`, or only in `error.details[0].message`. */
  importErrorsIn: "message" | "details";
}

/** Everything that exists, as data. */
export interface State {
  readonly clouds: Cloud[];
  readonly tenants: Tenant[];
  readonly subscriptions: Subscription[];
  readonly resourceGroups: ResourceGroup[];
  readonly registries: Registry[];
  readonly identities: Identity[];
  readonly roleAssignments: RoleAssignment[];
  readonly settings: Settings;
}

/** ARM IDs, hosts and names are compared without regard to case. */
export function equalsIgnoreCase(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

export function registryId(registry: RegistryProperties): string {
  const { subscriptionId, resourceGroup, name } = registry;
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerRegistry/registries/${name}`;
}

export function findRegistry(state: State, id: string): Registry | undefined {
  return state.registries.find((registry) => equalsIgnoreCase(registryId(registry), id));
}

export function findSubscription(state: State, id: string): Subscription | undefined {
  return state.subscriptions.find((subscription) => equalsIgnoreCase(subscription.id, id));
}

export function findTenant(state: State, idOrDomain: string): Tenant | undefined {
  return state.tenants.find(
    (tenant) => equalsIgnoreCase(tenant.id, idOrDomain) || equalsIgnoreCase(tenant.domain, idOrDomain),
  );
}

/** The tenant that a registry belongs to, through its subscription. */
export function tenantIdOf(state: State, registry: RegistryProperties): string | undefined {
  return findSubscription(state, registry.subscriptionId)?.tenantId;
}

export function cloudOf(state: State, tenantId: string): Cloud | undefined {
  const cloud = findTenant(state, tenantId)?.cloud;
  return state.clouds.find(({ name }) => name === cloud);
}

/** Regional endpoint (geo-replica login server): `{label}.{region}.geo.{suffix}`. */
function regionalHosts(registry: RegistryProperties): { host: string; region: string }[] {
  const [label = "", ...suffix] = registry.loginServer.split(".");
  return [registry.location, ...registry.replicas].map((region) => ({
    region,
    host: `${label}.${region}.geo.${suffix.join(".")}`.toLowerCase(),
  }));
}

/** The registry that answers for a host, and the region where the host is: none for the login server. */
export function findRegistryByHost(state: State, host: string): { registry: Registry; region?: string } | undefined {
  const byLoginServer = state.registries.find((registry) => equalsIgnoreCase(registry.loginServer, host));
  if (byLoginServer || !host.includes(".geo.")) return byLoginServer && { registry: byLoginServer };
  for (const registry of state.registries) {
    const endpoint = regionalHosts(registry).find((candidate) => equalsIgnoreCase(candidate.host, host));
    if (endpoint) return { registry, region: endpoint.region };
  }
  return undefined;
}
