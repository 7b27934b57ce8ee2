/** The part of `@pulumi/azure-native/app` (Container Apps) that examples use, with the types of the SDK. */
import type * as pulumi from "@pulumi/pulumi";
import { AzureResource } from "./azure-resource";

export interface ManagedEnvironmentArgs {
  environmentName?: pulumi.Input<string | undefined>;
  location?: pulumi.Input<string | undefined>;
  resourceGroupName: pulumi.Input<string>;
}

export class ManagedEnvironment extends AzureResource {
  declare readonly defaultDomain: pulumi.Output<string>;
  declare readonly location: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly provisioningState: pulumi.Output<string>;
  declare readonly type: pulumi.Output<string>;

  constructor(name: string, args: ManagedEnvironmentArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["defaultDomain", "location", "name", "provisioningState", "type"];
    super("azure-native:app:ManagedEnvironment", name, args, outputs, opts);
  }
}

export interface ContainerAppArgs {
  configuration?: pulumi.Input<ConfigurationArgs | undefined>;
  containerAppName?: pulumi.Input<string | undefined>;
  identity?: pulumi.Input<ManagedServiceIdentityArgs | undefined>;
  location?: pulumi.Input<string | undefined>;
  managedEnvironmentId?: pulumi.Input<string | undefined>;
  resourceGroupName: pulumi.Input<string>;
  template?: pulumi.Input<TemplateArgs | undefined>;
}

export interface ConfigurationArgs {
  ingress?: pulumi.Input<{ external?: pulumi.Input<boolean>; targetPort?: pulumi.Input<number> } | undefined>;
  registries?: pulumi.Input<
    pulumi.Input<{ identity?: pulumi.Input<string | undefined>; server?: pulumi.Input<string | undefined> }>[]
  >;
}

export interface ManagedServiceIdentityArgs {
  type: pulumi.Input<string>;
  userAssignedIdentities?: pulumi.Input<pulumi.Input<string>[] | undefined>;
}

export interface TemplateArgs {
  containers?: pulumi.Input<
    pulumi.Input<{ image?: pulumi.Input<string | undefined>; name?: pulumi.Input<string | undefined> }>[]
  >;
}

export class ContainerApp extends AzureResource {
  declare readonly latestRevisionFqdn: pulumi.Output<string>;
  declare readonly location: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly provisioningState: pulumi.Output<string>;
  declare readonly type: pulumi.Output<string>;

  constructor(name: string, args: ContainerAppArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["latestRevisionFqdn", "location", "name", "provisioningState", "type"];
    super("azure-native:app:ContainerApp", name, args, outputs, opts);
  }
}
