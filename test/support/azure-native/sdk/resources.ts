/** The part of `@pulumi/azure-native/resources` that tests and examples use, with the types of the SDK. */
import type * as pulumi from "@pulumi/pulumi";
import { AzureResource } from "./azure-resource";

export interface ResourceGroupArgs {
  location?: pulumi.Input<string | undefined>;
  resourceGroupName?: pulumi.Input<string | undefined>;
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> } | undefined>;
}

export class ResourceGroup extends AzureResource {
  declare readonly location: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly tags: pulumi.Output<{ [key: string]: string } | undefined>;
  declare readonly type: pulumi.Output<string>;

  constructor(name: string, args: ResourceGroupArgs = {}, opts?: pulumi.CustomResourceOptions) {
    super("azure-native:resources:ResourceGroup", name, args, ["location", "name", "tags", "type"], opts);
  }
}
