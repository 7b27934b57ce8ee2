/** The state that every emulator starts with: tenants, subscriptions, registries, identities and role assignments. */
import { RegistryStore } from "./registry/registry-store";
import type { Cloud, Identity, Registry, RegistryProperties, State } from "./state";

export const tenantId = "11111111-1111-4111-8111-111111111111";
export const subscriptionId = "22222222-2222-4222-8222-222222222222";
export const secondSubscriptionId = "33333333-3333-4333-8333-333333333333";
const otherTenantId = "44444444-4444-4444-8444-444444444444";
const otherTenantSubscriptionId = "55555555-5555-4555-8555-555555555555";

/** The only account of Docker Hub; its password is an access token. */
export const dockerHubAccount = { username: "emulator", password: "dckr_pat_emulator" };
/** A repository of Docker Hub that only its owner may pull. */
export const privateRepository = "emulator/private";

/** May assign roles, which a Contributor may not. */
const accessAdministrator = "Role Based Access Control Administrator";

/** The identity in `ARM_CLIENT_ID` and the like. */
export const defaultIdentity: Identity = {
  kind: "servicePrincipal",
  tenantId,
  clientId: "aaaaaaaa-0000-4000-8000-000000000001",
  objectId: "aaaaaaaa-0000-4000-8000-00000000000f",
  name: "deployer",
  secrets: ["deployer~secret"],
  certificates: [],
  federatedCredentials: [
    {
      issuer: "https://token.actions.githubusercontent.com",
      subject: "repo:emulator/deployments:ref:refs/heads/main",
      audience: "api://AzureADTokenExchange",
    },
  ],
  systemAssigned: false,
};

const buildMachine: Identity = {
  kind: "managedIdentity",
  tenantId,
  clientId: "bbbbbbbb-0000-4000-8000-000000000001",
  objectId: "bbbbbbbb-0000-4000-8000-00000000000f",
  name: "build-machine",
  secrets: [],
  certificates: [],
  federatedCredentials: [],
  systemAssigned: true,
};

/** May pull from `mysourceregistry`, and do nothing else. */
const sourceReader: Identity = {
  ...buildMachine,
  kind: "servicePrincipal",
  clientId: "cccccccc-0000-4000-8000-000000000001",
  objectId: "cccccccc-0000-4000-8000-00000000000f",
  name: "source-reader",
  secrets: ["source-reader~secret"],
  systemAssigned: false,
};

const withoutRights: Identity = {
  ...sourceReader,
  clientId: "dddddddd-0000-4000-8000-000000000001",
  objectId: "dddddddd-0000-4000-8000-00000000000f",
  name: "without-rights",
  secrets: ["without-rights~secret"],
};

/** May pull from `othertenantsource`, in that registry's own tenant. */
const otherTenantReader: Identity = {
  ...sourceReader,
  tenantId: otherTenantId,
  clientId: "eeeeeeee-0000-4000-8000-000000000001",
  objectId: "eeeeeeee-0000-4000-8000-00000000000f",
  name: "other-tenant-reader",
  secrets: ["other-tenant-reader~secret"],
};

export const clouds: readonly Cloud[] = [
  {
    name: "AzureCloud",
    resourceManager: "management.azure.com",
    login: "login.microsoftonline.com",
    registrySuffix: "azurecr.io",
    audiences: ["https://management.azure.com", "https://management.core.windows.net"],
  },
  {
    name: "AzureUSGovernment",
    resourceManager: "management.usgovcloudapi.net",
    login: "login.microsoftonline.us",
    registrySuffix: "azurecr.us",
    audiences: ["https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net"],
  },
  {
    name: "AzureChinaCloud",
    resourceManager: "management.chinacloudapi.cn",
    login: "login.chinacloudapi.cn",
    loginAlias: "login.partner.microsoftonline.cn",
    registrySuffix: "azurecr.cn",
    audiences: ["https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn"],
  },
];

/** Creates a registry, with Azure's defaults for what is not given. */
export function newRegistry(given: Partial<RegistryProperties> & { name: string }): Registry {
  return {
    subscriptionId,
    resourceGroup: "images",
    location: "westus",
    tags: {},
    creationDate: new Date().toISOString(),
    sku: "Premium",
    loginServer: `${given.name.toLowerCase()}.azurecr.io`,
    publicNetworkAccess: "Enabled",
    networkRuleBypassOptions: "AzureServices",
    defaultAction: "Allow",
    ipRules: [],
    exportPolicy: "enabled",
    encryption: "disabled",
    quarantinePolicy: "disabled",
    referrers: {},
    anonymousPull: false,
    roleAssignmentMode: "LegacyRegistryPermissions",
    adminUser: null,
    scopedTokens: [],
    replicas: [],
    replicationLagMs: 0,
    ...given,
    store: new RegistryStore(),
  };
}

/** Creates the default state. */
export function defaultState(): State {
  // The same at every start, for stacks that outlive the emulator.
  const creationDate = "2026-01-01T00:00:00.000Z";
  const otherTenantSource = newRegistry({
    name: "othertenantsource",
    creationDate,
    subscriptionId: otherTenantSubscriptionId,
    scopedTokens: [
      {
        name: "importer",
        passwords: ["importer-token-password"],
        repositories: { "aci-helloworld": ["content/read", "metadata/read"] },
      },
    ],
  });
  const subscriptionScope = `/subscriptions/${subscriptionId}`;
  const secondSubscriptionScope = `/subscriptions/${secondSubscriptionId}`;
  const inGroup = (scope: string, name: string) =>
    `${scope}/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/${name}`;
  return {
    clouds: [...clouds],
    tenants: [
      { id: tenantId, cloud: "AzureCloud", domain: "emulator.onmicrosoft.com" },
      { id: otherTenantId, cloud: "AzureCloud", domain: "othertenant.onmicrosoft.com" },
    ],
    subscriptions: [
      { id: subscriptionId, tenantId, name: "Images" },
      { id: secondSubscriptionId, tenantId, name: "More images" },
      { id: otherTenantSubscriptionId, tenantId: otherTenantId, name: "Other tenant" },
    ],
    resourceGroups: [],
    registries: [
      newRegistry({ name: "myregistry", creationDate }),
      newRegistry({ name: "mysourceregistry", creationDate }),
      newRegistry({ name: "privatesource", creationDate, publicNetworkAccess: "Disabled" }),
      newRegistry({ name: "othersubsource", creationDate, subscriptionId: secondSubscriptionId }),
      otherTenantSource,
    ],
    otherResources: [],
    identities: [defaultIdentity, buildMachine, sourceReader, withoutRights, otherTenantReader],
    roleAssignments: [
      { principalId: defaultIdentity.objectId, role: "Contributor", scope: subscriptionScope },
      { principalId: defaultIdentity.objectId, role: accessAdministrator, scope: subscriptionScope },
      { principalId: defaultIdentity.objectId, role: "Contributor", scope: secondSubscriptionScope },
      { principalId: defaultIdentity.objectId, role: accessAdministrator, scope: secondSubscriptionScope },
      { principalId: buildMachine.objectId, role: "Contributor", scope: subscriptionScope },
      { principalId: buildMachine.objectId, role: "Contributor", scope: secondSubscriptionScope },
      { principalId: sourceReader.objectId, role: "AcrPull", scope: inGroup(subscriptionScope, "mysourceregistry") },
      {
        principalId: otherTenantReader.objectId,
        role: "AcrPull",
        scope: inGroup(`/subscriptions/${otherTenantSubscriptionId}`, otherTenantSource.name),
      },
    ],
    settings: {
      retryAfter: 1,
      importDurationMs: 0,
      operationUrlLifetimeMs: 10 * 60_000,
      tokenLifetimeSeconds: 3599,
      roleAssignmentDelayMs: 0,
      resourceGraphPageSize: 1000,
      clientAddress: "203.0.113.7",
      importErrorsIn: "message",
      severalScopes: "all",
      opaqueTokens: false,
    },
  };
}
