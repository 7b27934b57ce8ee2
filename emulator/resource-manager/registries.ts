import { newRegistry } from "../default-world";
import { cloudOf, type Registry, type RegistryProperties, registryId, same, tenantOf, type World } from "../world";
import { ArmError } from "./errors";

/** A registry as Resource Manager describes it. */
export function registryResource(registry: Registry): Record<string, unknown> {
  return {
    ...registryListing(registry),
    properties: {
      loginServer: registry.loginServer,
      creationDate: "2026-01-01T00:00:00.0000000Z",
      provisioningState: "Succeeded",
      adminUserEnabled: registry.adminUser !== null,
      anonymousPullEnabled: registry.anonymousPull,
      dataEndpointEnabled: false,
      dataEndpointHostNames: [],
      encryption: { status: "disabled" },
      networkRuleBypassOptions: registry.networkRuleBypassOptions,
      networkRuleSet: {
        defaultAction: registry.defaultAction,
        ipRules: registry.ipRules.map((value) => ({ action: "Allow", value })),
      },
      policies: {
        quarantinePolicy: { status: "disabled" },
        trustPolicy: { type: "Notary", status: "disabled" },
        retentionPolicy: { days: 7, status: "disabled" },
        exportPolicy: { status: registry.exportPolicy },
        azureADAuthenticationAsArmPolicy: { status: "enabled" },
        softDeletePolicy: { retentionDays: 7, status: "disabled" },
      },
      privateEndpointConnections: [],
      publicNetworkAccess: registry.publicNetworkAccess,
      zoneRedundancy: "Disabled",
    },
  };
}

/** The short form in lists of resources of any type. */
export function registryListing(registry: Registry): Record<string, unknown> {
  return {
    id: registryId(registry),
    name: registry.name,
    type: "Microsoft.ContainerRegistry/registries",
    location: registry.location,
    sku: { name: registry.sku, tier: registry.sku },
    tags: {},
  };
}

/** The members of a PUT or PATCH body that mean something here. */
interface RegistryBody {
  readonly location?: string;
  readonly sku?: { readonly name?: Registry["sku"] };
  readonly properties?: {
    readonly adminUserEnabled?: boolean;
    readonly anonymousPullEnabled?: boolean;
    readonly publicNetworkAccess?: Registry["publicNetworkAccess"];
    readonly networkRuleBypassOptions?: Registry["networkRuleBypassOptions"];
    readonly networkRuleSet?: {
      readonly defaultAction?: Registry["defaultAction"];
      readonly ipRules?: readonly { readonly value: string }[];
    };
    readonly policies?: { readonly exportPolicy?: { readonly status?: Registry["exportPolicy"] } };
  };
}

/** Creates or changes a registry as PUT and PATCH do; says whether it is new. */
export function putRegistry(
  world: World,
  place: { subscriptionId: string; resourceGroup: string; name: string },
  body: RegistryBody,
): { registry: Registry; isNew: boolean } {
  const changes = propertiesOf(place.name, body);
  const existing = world.registries.find((registry) =>
    same(registryId(registry), registryId({ ...newRegistry(place) })),
  );
  if (existing) {
    Object.assign(existing, changes);
    return { registry: existing, isNew: false };
  }
  if (!/^[a-zA-Z0-9]{5,50}$/.test(place.name)) {
    throw new ArmError(
      400,
      "InvalidRegistryName",
      `The registry name '${place.name}' must be 5 to 50 alphanumeric characters.`,
    );
  }
  const candidate = newRegistry({ ...place, ...changes });
  const tenantId = tenantOf(world, candidate);
  const suffix = (tenantId && cloudOf(world, tenantId)?.registrySuffix) ?? "azurecr.io";
  candidate.loginServer = `${place.name.toLowerCase()}.${suffix}`;
  if (world.registries.some(({ loginServer }) => same(loginServer, candidate.loginServer))) {
    throw new ArmError(
      409,
      "AlreadyInUse",
      `The registry DNS name ${candidate.loginServer} is already in use. You can check if the name is already claimed using following API: https://docs.microsoft.com/rest/api/containerregistry/registries/checknameavailability`,
    );
  }
  world.registries.push(candidate);
  return { registry: candidate, isNew: true };
}

export function deleteRegistry(world: World, registry: Registry): void {
  world.registries.splice(world.registries.indexOf(registry), 1);
}

function propertiesOf(name: string, { location, sku, properties = {} }: RegistryBody): Partial<RegistryProperties> {
  const { networkRuleSet, policies } = properties;
  const changes: { [K in keyof RegistryProperties]?: RegistryProperties[K] | undefined } = {
    location: location?.replaceAll(" ", "").toLowerCase(),
    sku: sku?.name,
    anonymousPull: properties.anonymousPullEnabled,
    adminUser: adminUserOf(name, properties.adminUserEnabled),
    publicNetworkAccess: properties.publicNetworkAccess,
    networkRuleBypassOptions: properties.networkRuleBypassOptions,
    defaultAction: networkRuleSet?.defaultAction,
    ipRules: networkRuleSet?.ipRules?.map(({ value }) => value),
    exportPolicy: policies?.exportPolicy?.status,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function adminUserOf(name: string, isEnabled: boolean | undefined): RegistryProperties["adminUser"] | undefined {
  if (isEnabled === undefined) return undefined;
  return isEnabled ? { username: name, password: `${name}-admin-password` } : null;
}
