/** The explicit provider that programs pass to give some images another Azure identity than the stack's. */
import * as pulumi from "@pulumi/pulumi";

/** Settings of azure-native's provider that tell the identity, the cloud and the subscription. */
export interface ProviderArgs {
  /** Subscription in which registries are looked up first. */
  subscriptionId?: pulumi.Input<string>;
  tenantId?: pulumi.Input<string>;
  /** JSON list of further tenants in which the identity may get tokens. */
  auxiliaryTenantIds?: pulumi.Input<string>;
  clientId?: pulumi.Input<string>;
  /** Secret of a service principal. Always secret in state. */
  clientSecret?: pulumi.Input<string>;
  /** Certificate file of a service principal, PEM or PFX. */
  clientCertificatePath?: pulumi.Input<string>;
  /** Always secret in state. */
  clientCertificatePassword?: pulumi.Input<string>;
  useOidc?: pulumi.Input<boolean>;
  oidcAudience?: pulumi.Input<string>;
  /** Always secret in state. */
  oidcToken?: pulumi.Input<string>;
  oidcTokenFilePath?: pulumi.Input<string>;
  /** Always secret in state. */
  oidcRequestToken?: pulumi.Input<string>;
  oidcRequestUrl?: pulumi.Input<string>;
  useMsi?: pulumi.Input<boolean>;
  useDefaultAzureCredential?: pulumi.Input<boolean>;
  /** `public`, `usgovernment` or `china`. */
  environment?: pulumi.Input<string>;
  metadataHost?: pulumi.Input<string>;
}

const SECRETS: ReadonlySet<string> = new Set([
  "clientSecret",
  "clientCertificatePassword",
  "oidcToken",
  "oidcRequestToken",
] satisfies (keyof ProviderArgs)[]);

/**
 * Gives the images that use it another Azure identity, cloud or subscription. The names are those of azure-native's provider;
 * a setting that is left out comes from the environment (`ARM_*`), not from the stack's configuration.
 *
 * Pass it as `provider` of an image. Among the `providers` of a component it would also apply to other dynamic resources. An
 * image that gets another provider keeps its name or an alias: each provider has a process of its own, which does not see
 * that a renamed image has been adopted.
 *
 * @example
 * ```ts
 * const other = new Provider("other-tenant", { tenantId, clientId, clientSecret, subscriptionId });
 * new ImportedImage("node", { registry: "theirregistry", source: "docker.io/library/node:22" }, { provider: other });
 * ```
 */
export class Provider extends pulumi.ProviderResource {
  /**
   * @param name - Name of the provider, unique in the program.
   * @param args - Its settings.
   * @param opts - Pulumi's options.
   */
  constructor(name: string, args: ProviderArgs = {}, opts?: pulumi.ResourceOptions) {
    super("pulumi-nodejs", name, toInputs(args), opts);
  }
}

function toInputs(args: ProviderArgs): pulumi.Inputs {
  const entries = Object.entries(args).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const text = pulumi.output(value).apply((known) => (known === undefined || known === null ? "" : String(known)));
      return [`azure-native:${name}`, SECRETS.has(name) ? pulumi.secret(text) : text];
    }),
  );
}
