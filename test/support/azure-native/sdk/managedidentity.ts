/** The part of `@pulumi/azure-native/managedidentity` that examples use, with the types of the SDK. */
import type * as pulumi from "@pulumi/pulumi";
import { AzureResource } from "./azure-resource";

export interface UserAssignedIdentityArgs {
  location?: pulumi.Input<string | undefined>;
  resourceGroupName: pulumi.Input<string>;
  resourceName?: pulumi.Input<string | undefined>;
}

export class UserAssignedIdentity extends AzureResource {
  declare readonly clientId: pulumi.Output<string>;
  declare readonly location: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly principalId: pulumi.Output<string>;
  declare readonly tenantId: pulumi.Output<string>;
  declare readonly type: pulumi.Output<string>;

  constructor(name: string, args: UserAssignedIdentityArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["clientId", "location", "name", "principalId", "tenantId", "type"];
    super("azure-native:managedidentity:UserAssignedIdentity", name, args, outputs, opts);
  }
}
