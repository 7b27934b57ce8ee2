/** What all resources of the stand-in for azure-native's SDK have in common. */
import * as pulumi from "@pulumi/pulumi";

/** The version of azure-native that is imitated; the engine starts the installed plugin of this version. */
export const VERSION = "3.28.0";

/** A resource that declares its outputs, as generated classes do: what is not an input is unknown in previews. */
export class AzureResource extends pulumi.CustomResource {
  constructor(
    type: string,
    name: string,
    args: object,
    outputs: readonly string[],
    opts: pulumi.CustomResourceOptions = {},
  ) {
    const declared = Object.fromEntries(outputs.map((output) => [output, undefined]));
    super(type, name, { ...declared, ...args }, pulumi.mergeOptions({ version: VERSION }, opts));
  }
}
