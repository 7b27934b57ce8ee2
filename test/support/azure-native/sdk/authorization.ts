/** The part of `@pulumi/azure-native/authorization` that tests and examples use, with the types of the SDK. */
import * as pulumi from "@pulumi/pulumi";
import { AzureResource, VERSION } from "./azure-resource";

export interface RoleAssignmentArgs {
  principalId: pulumi.Input<string>;
  principalType?: pulumi.Input<string | undefined>;
  roleAssignmentName?: pulumi.Input<string | undefined>;
  roleDefinitionId: pulumi.Input<string>;
  scope: pulumi.Input<string>;
}

export class RoleAssignment extends AzureResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly principalId: pulumi.Output<string>;
  declare readonly principalType: pulumi.Output<string | undefined>;
  declare readonly roleDefinitionId: pulumi.Output<string>;
  declare readonly scope: pulumi.Output<string>;
  declare readonly type: pulumi.Output<string>;

  constructor(name: string, args: RoleAssignmentArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = ["name", "principalId", "principalType", "roleDefinitionId", "scope", "type"];
    super("azure-native:authorization:RoleAssignment", name, args, outputs, opts);
  }
}

export interface GetClientConfigResult {
  readonly clientId: string;
  readonly objectId: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
}

export function getClientConfigOutput(opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetClientConfigResult> {
  const options = { version: VERSION, ...opts };
  return pulumi.runtime.invokeOutput("azure-native:authorization:getClientConfig", {}, options);
}
