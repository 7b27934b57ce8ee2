/** The part of `@pulumi/azure-native/containerregistry` that tests and examples use, with the types of the SDK. */
import type * as pulumi from "@pulumi/pulumi";
import { AzureResource } from "./azure-resource";

export interface RegistryArgs {
  adminUserEnabled?: pulumi.Input<boolean | undefined>;
  location?: pulumi.Input<string | undefined>;
  registryName?: pulumi.Input<string | undefined>;
  resourceGroupName: pulumi.Input<string>;
  sku: pulumi.Input<{ name: pulumi.Input<string> }>;
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> } | undefined>;
}

export class Registry extends AzureResource {
  declare readonly adminUserEnabled: pulumi.Output<boolean | undefined>;
  declare readonly creationDate: pulumi.Output<string>;
  declare readonly location: pulumi.Output<string>;
  declare readonly loginServer: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly provisioningState: pulumi.Output<string>;
  declare readonly sku: pulumi.Output<{ name: string; tier: string }>;
  declare readonly tags: pulumi.Output<{ [key: string]: string } | undefined>;
  declare readonly type: pulumi.Output<string>;

  constructor(name: string, args: RegistryArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["creationDate", "location", "loginServer", "name", "provisioningState", "sku", "tags", "type"];
    const defaults = { adminUserEnabled: false, publicNetworkAccess: "Enabled" };
    super("azure-native:containerregistry:Registry", name, { ...defaults, ...args }, outputs, opts);
  }
}
