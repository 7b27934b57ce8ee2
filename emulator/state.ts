/** The state of the emulated services, as data that tests change. */
import type { ScopedToken } from "./registry/acr-authority";
import type { ReferrersOptions } from "./registry/referrers";
import type { RegistryStore } from "./registry/registry-store";
import type { TokenServiceOptions } from "./registry/token-registry";

/** A cloud: the hosts of its services, and the suffix of its registries. */
export interface Cloud {
  readonly name: string;
  readonly resourceManager: string;
  readonly login: string;
  /** An alias of the login host, which some clients prefer. */
  readonly loginAlias?: string;
  readonly registrySuffix: string;
  /** Audiences of tokens that Resource Manager accepts. */
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

/** A workload identity: Entra trusts the assertions of another issuer for it. */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** PEM key of the issuer; absent for the emulated one. */
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
  /** The managed identity of requests that name no client. */
  readonly systemAssigned: boolean;
}

export interface AdminUser {
  readonly username: string;
  readonly password: string;
}

/** Properties of a container registry. */
export interface RegistryProperties {
  name: string;
  subscriptionId: string;
  resourceGroup: string;
  location: string;
  tags: Readonly<Record<string, string>>;
  /** When the registry was created, in ISO 8601. */
  creationDate: string;
  sku: "Basic" | "Standard" | "Premium" | "Classic";
  loginServer: string;
  publicNetworkAccess: "Enabled" | "Disabled";
  networkRuleBypassOptions: "AzureServices" | "None";
  /** `Deny` allows only the addresses of `ipRules`. */
  defaultAction: "Allow" | "Deny";
  ipRules: readonly string[];
  exportPolicy: "enabled" | "disabled";
  /** With a key of the customer; such a registry has no referrers API. */
  encryption: "enabled" | "disabled";
  quarantinePolicy: "enabled" | "disabled";
  referrers: ReferrersOptions;
  anonymousPull: boolean;
  /** Which permissions of roles the data plane honours: actions, or data actions, which ABAC conditions may restrict. */
  roleAssignmentMode: "LegacyRegistryPermissions" | "AbacRepositoryPermissions";
  adminUser: AdminUser | null;
  scopedTokens: readonly ScopedToken[];
  /** Regions of geo-replicas besides `location`. */
  replicas: readonly string[];
  /** The login server serves an import so many milliseconds later than the home region. */
  replicationLagMs: number;
}

export interface Registry extends RegistryProperties {
  readonly store: RegistryStore;
}

/** An empty resource group; one that contains a registry need not be listed. */
export interface ResourceGroup {
  readonly subscriptionId: string;
  readonly name: string;
  /** @default "westus" */
  readonly location?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** A resource of another service, in a resource group, as its client described it. */
export interface OtherResource {
  /** ARM ID. */
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RoleAssignment {
  /** The GUID that clients of Resource Manager give it. */
  readonly name?: string;
  /** Object ID of the identity. */
  readonly principalId: string;
  readonly role: string;
  /** ARM ID of a subscription, resource group or registry. */
  readonly scope: string;
  /** When a client of Resource Manager created it, in ms since 1970; it takes effect `roleAssignmentDelayMs` later. */
  readonly createdAt?: number;
}

/** Settings of the services that are not properties of one registry. */
export interface Settings {
  /** `Retry-After` of a pending import, seconds; `null` leaves the header out. */
  retryAfter: number | null;
  /** The minimum duration of an import. */
  importDurationMs: number;
  /** How long a polling URL is valid. */
  operationUrlLifetimeMs: number;
  tokenLifetimeSeconds: number;
  /** A role assignment created by Resource Manager takes effect so much later. */
  roleAssignmentDelayMs: number;
  resourceGraphPageSize: number;
  /** The client's address in network rules. */
  clientAddress: string;
  /** Where a failed import has its reason: in `error.message`, or only in `error.details[0].message`. */
  importErrorsIn: "message" | "details";
  /** What Docker Hub's token service responds to a request for several scopes. */
  severalScopes: NonNullable<TokenServiceOptions["severalScopes"]>;
  /** Docker Hub's tokens can be read by its registry only. */
  opaqueTokens: boolean;
}

/** The whole state; registries hold their content. */
export interface State {
  readonly clouds: Cloud[];
  readonly tenants: Tenant[];
  readonly subscriptions: Subscription[];
  readonly resourceGroups: ResourceGroup[];
  readonly registries: Registry[];
  readonly otherResources: OtherResource[];
  readonly identities: Identity[];
  readonly roleAssignments: RoleAssignment[];
  readonly settings: Settings;
}

/** Compares resource IDs, hosts and names, which are case-insensitive. */
export function equalsIgnoreCase(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** Whether an ARM ID is a scope, or below it. */
export function isWithin(scope: string, id: string): boolean {
  return equalsIgnoreCase(scope, id) || id.toLowerCase().startsWith(`${scope.toLowerCase()}/`);
}

/** How a registry lists referrers: https://learn.microsoft.com/azure/container-registry/container-registry-manage-artifact */
export function referrersOptions({ encryption, referrers }: RegistryProperties): ReferrersOptions {
  return encryption === "enabled" ? { ...referrers, api: "missing" } : referrers;
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

/** The tenant of the registry's subscription. */
export function tenantIdOf(state: State, registry: RegistryProperties): string | undefined {
  return findSubscription(state, registry.subscriptionId)?.tenantId;
}

export function cloudOf(state: State, tenantId: string): Cloud | undefined {
  const cloud = findTenant(state, tenantId)?.cloud;
  return state.clouds.find(({ name }) => name === cloud);
}

/** Regional endpoints: `{label}.{region}.geo.{suffix}`. */
function regionalHosts(registry: RegistryProperties): { host: string; region: string }[] {
  const [label = "", ...suffix] = registry.loginServer.split(".");
  return [registry.location, ...registry.replicas].map((region) => ({
    region,
    host: `${label}.${region}.geo.${suffix.join(".")}`.toLowerCase(),
  }));
}

/** The registry of a host, and the region of a regional endpoint. */
export function findRegistryByHost(state: State, host: string): { registry: Registry; region?: string } | undefined {
  const byLoginServer = state.registries.find((registry) => equalsIgnoreCase(registry.loginServer, host));
  if (byLoginServer || !host.includes(".geo.")) return byLoginServer && { registry: byLoginServer };
  for (const registry of state.registries) {
    const endpoint = regionalHosts(registry).find((candidate) => equalsIgnoreCase(candidate.host, host));
    if (endpoint) return { registry, region: endpoint.region };
  }
  return undefined;
}
