/** A registry as Resource Manager describes it. */
import { type Registry, registryId } from "../state";

/** A registry as Resource Manager describes it. */
export function registryResource(registry: Registry): Record<string, unknown> {
  return {
    ...registrySummary(registry),
    properties: {
      loginServer: registry.loginServer,
      creationDate: registry.creationDate,
      provisioningState: "Succeeded",
      adminUserEnabled: registry.adminUser !== null,
      anonymousPullEnabled: registry.anonymousPull,
      dataEndpointEnabled: false,
      dataEndpointHostNames: [],
      encryption: { status: registry.encryption },
      networkRuleBypassOptions: registry.networkRuleBypassOptions,
      networkRuleSet: {
        defaultAction: registry.defaultAction,
        ipRules: registry.ipRules.map((value) => ({ action: "Allow", value })),
      },
      policies: {
        quarantinePolicy: { status: registry.quarantinePolicy },
        trustPolicy: { type: "Notary", status: "disabled" },
        retentionPolicy: { days: 7, status: "disabled" },
        exportPolicy: { status: registry.exportPolicy },
        azureADAuthenticationAsArmPolicy: { status: "enabled" },
        softDeletePolicy: { retentionDays: 7, status: "disabled" },
      },
      privateEndpointConnections: [],
      publicNetworkAccess: registry.publicNetworkAccess,
      roleAssignmentMode: registry.roleAssignmentMode,
      zoneRedundancy: "Disabled",
    },
  };
}

/** The short form, in lists of resources of any type. */
export function registrySummary(registry: Registry): Record<string, unknown> {
  return {
    id: registryId(registry),
    name: registry.name,
    type: "Microsoft.ContainerRegistry/registries",
    location: registry.location,
    sku: { name: registry.sku, tier: registry.sku },
    tags: registry.tags,
  };
}
