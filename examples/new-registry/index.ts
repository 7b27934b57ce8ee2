// Creates a registry, imports an image into it, and runs that image as a container app.
import * as app from "@pulumi/azure-native/app";
import * as authorization from "@pulumi/azure-native/authorization";
import * as containerregistry from "@pulumi/azure-native/containerregistry";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as resources from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";
import { ImportedImage } from "pulumi-acr-import";

const { objectId, subscriptionId } = authorization.getClientConfigOutput();
const roleDefinition = (id: string) =>
  pulumi.interpolate`/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${id}`;

const { name: resourceGroupName } = new resources.ResourceGroup("images");
const registry = new containerregistry.Registry("registry", { resourceGroupName, sku: { name: "Premium" } });

// Container Registry Data Importer and Data Reader. An Owner or Contributor of the registry has these permissions already,
// unless the registry uses ABAC.
const importer = new authorization.RoleAssignment("importer", {
  scope: registry.id,
  principalId: objectId,
  roleDefinitionId: roleDefinition("577a9874-89fd-4f24-9dbd-b5034d0ad23a"),
});

// The ID stays known when the registry is updated, unlike its login server. With the registry goes the image.
const hello = new ImportedImage(
  "hello",
  { registry: registry.id, source: "docker.io/library/hello-world:latest" },
  { dependsOn: importer, deletedWith: registry },
);

const identity = new managedidentity.UserAssignedIdentity("hello", { resourceGroupName });

// AcrPull
const puller = new authorization.RoleAssignment("puller", {
  scope: registry.id,
  principalId: identity.principalId,
  principalType: "ServicePrincipal",
  roleDefinitionId: roleDefinition("7f951dda-4ed3-4680-a7ca-43fe172d538d"),
});

const environment = new app.ManagedEnvironment("hello", { resourceGroupName });

new app.ContainerApp(
  "hello",
  {
    resourceGroupName,
    managedEnvironmentId: environment.id,
    identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
    configuration: { registries: [{ server: registry.loginServer, identity: identity.id }] },
    template: { containers: [{ name: "hello", image: hello.reference }] },
  },
  { dependsOn: puller },
);

export const image = hello.reference;
