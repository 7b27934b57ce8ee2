/** The resource types that the stand-in for azure-native's plugin knows: names, IDs and bodies in Resource Manager. */
import { randomBytes, randomUUID } from "node:crypto";

export type Properties = Record<string, unknown>;

export interface ResourceType {
  readonly apiVersion: string;
  /** The input that names the resource in Azure; generated where the program does not give it. */
  readonly nameInput: string;
  generateName(logicalName: string): string;
  readonly hasLocation: boolean;
  /** Inputs whose change replaces the resource, beside its name, group and location. */
  readonly replaceOnChanges?: readonly string[];
  readonly outputs: readonly string[];
  path(inputs: Properties, subscriptionId: string): string;
  body(inputs: Properties): Properties;
}

const tracked = ["name", "type", "location", "tags"];
const registryProperties = [
  "adminUserEnabled",
  "anonymousPullEnabled",
  "networkRuleBypassOptions",
  "networkRuleSet",
  "policies",
  "publicNetworkAccess",
  "roleAssignmentMode",
];
const assignmentProperties = ["principalId", "principalType", "roleDefinitionId"];

export const resourceTypes: Readonly<Record<string, ResourceType>> = {
  "azure-native:resources:ResourceGroup": {
    apiVersion: "2022-09-01",
    nameInput: "resourceGroupName",
    generateName: withSuffix,
    hasLocation: true,
    outputs: tracked,
    path: groupPath,
    body: (inputs) => pick(inputs, ["location", "tags"]),
  },
  "azure-native:containerregistry:Registry": {
    ...inGroup("Microsoft.ContainerRegistry/registries", "registryName", registryProperties),
    apiVersion: "2023-01-01-preview",
    generateName: (name) => withSuffix(name.replace(/[^a-zA-Z0-9]/g, "")),
    outputs: [...tracked, ...registryProperties, "sku", "loginServer", "creationDate", "provisioningState"],
  },
  "azure-native:authorization:RoleAssignment": {
    apiVersion: "2022-04-01",
    nameInput: "roleAssignmentName",
    generateName: () => randomUUID(),
    hasLocation: false,
    replaceOnChanges: ["scope", "principalId", "roleDefinitionId"],
    outputs: ["name", "type", "scope", ...assignmentProperties],
    path: ({ scope, roleAssignmentName }) =>
      `${scope}/providers/Microsoft.Authorization/roleAssignments/${roleAssignmentName}`,
    body: (inputs) => ({ properties: pick(inputs, assignmentProperties) }),
  },
  "azure-native:managedidentity:UserAssignedIdentity": {
    ...inGroup("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName", []),
    apiVersion: "2023-01-31",
    outputs: [...tracked, "principalId", "clientId", "tenantId"],
  },
  "azure-native:app:ManagedEnvironment": {
    ...inGroup("Microsoft.App/managedEnvironments", "environmentName", []),
    apiVersion: "2025-01-01",
    outputs: [...tracked, "defaultDomain", "provisioningState"],
  },
  "azure-native:app:ContainerApp": {
    ...inGroup("Microsoft.App/containerApps", "containerAppName", [
      "managedEnvironmentId",
      "configuration",
      "template",
    ]),
    apiVersion: "2025-01-01",
    outputs: [
      ...tracked,
      "managedEnvironmentId",
      "configuration",
      "template",
      "latestRevisionFqdn",
      "provisioningState",
    ],
  },
};

/** A type whose resources live in a resource group. */
function inGroup(
  type: string,
  nameInput: string,
  properties: readonly string[],
): Omit<ResourceType, "apiVersion" | "outputs"> {
  return {
    nameInput,
    generateName: withSuffix,
    hasLocation: true,
    path: (inputs, subscriptionId) => `${groupPath(inputs, subscriptionId)}/providers/${type}/${inputs[nameInput]}`,
    body: (inputs) => ({
      ...pick(inputs, ["location", "tags", "sku"]),
      ...(inputs.identity === undefined ? {} : { identity: identityBody(inputs.identity as IdentityArgs) }),
      properties: pick(inputs, properties),
    }),
  };
}

interface IdentityArgs {
  readonly type: string;
  readonly userAssignedIdentities?: readonly string[];
}

/** A list in the SDK, the keys of an object in Resource Manager. */
function identityBody({ type, userAssignedIdentities = [] }: IdentityArgs): Properties {
  return { type, userAssignedIdentities: Object.fromEntries(userAssignedIdentities.map((id) => [id, {}])) };
}

function groupPath({ resourceGroupName }: Properties, subscriptionId: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroupName}`;
}

function withSuffix(name: string): string {
  return `${name}${randomBytes(4).toString("hex")}`;
}

export function pick(properties: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(
    names.flatMap((name) => (properties[name] === undefined ? [] : [[name, properties[name]]])),
  );
}
