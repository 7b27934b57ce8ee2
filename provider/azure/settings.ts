/** The settings that users of azure-native have already: the same keys, environment variables and precedence. */
import { azureFailure } from "../failure/azure";
import { ImportError } from "../failure/failure";

/** A configured value, and the key or variable that it comes from. */
export interface Setting {
  readonly value: string;
  readonly from: string;
}

/** The keys of `azure-native:*` that matter here, with the variables that replace them, in order of precedence. */
const VARIABLES = {
  subscriptionId: ["ARM_SUBSCRIPTION_ID"],
  tenantId: ["ARM_TENANT_ID"],
  auxiliaryTenantIds: ["ARM_AUXILIARY_TENANT_IDS"],
  clientId: ["ARM_CLIENT_ID"],
  clientSecret: ["ARM_CLIENT_SECRET"],
  clientCertificatePath: ["ARM_CLIENT_CERTIFICATE_PATH"],
  clientCertificatePassword: ["ARM_CLIENT_CERTIFICATE_PASSWORD"],
  useOidc: ["ARM_USE_OIDC"],
  oidcAudience: ["ARM_OIDC_AUDIENCE"],
  oidcToken: ["ARM_OIDC_TOKEN"],
  oidcTokenFilePath: ["ARM_OIDC_TOKEN_FILE_PATH"],
  oidcRequestToken: ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
  oidcRequestUrl: ["ACTIONS_ID_TOKEN_REQUEST_URL"],
  useMsi: ["ARM_USE_MSI"],
  useDefaultAzureCredential: ["ARM_USE_DEFAULT_AZURE_CREDENTIAL"],
  disableInstanceDiscovery: ["ARM_DISABLE_INSTANCE_DISCOVERY"],
  environment: ["ARM_ENVIRONMENT", "AZURE_ENVIRONMENT"],
  metadataHost: ["ARM_METADATA_HOSTNAME"],
  resourceManagerEndpoint: ["ARM_RESOURCE_MANAGER_ENDPOINT"],
  resourceManagerAudience: ["ARM_RESOURCE_MANAGER_AUDIENCE"],
  activeDirectoryAuthorityHost: ["ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"],
} as const satisfies Record<string, readonly string[]>;

export type SettingName = keyof typeof VARIABLES;

/** The settings for Azure, without those that are missing or empty. */
export type AzureSettings = { readonly [name in SettingName]?: Setting };

/**
 * Reads the settings. A key in the configuration of the stack takes precedence over the variables, even when it is empty.
 *
 * @param config - the value of `azure-native:<key>`
 */
export function azureSettings(
  config: (key: string) => string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): AzureSettings {
  const settings: { [name in SettingName]?: Setting } = {};
  for (const [name, variables] of Object.entries(VARIABLES) as [SettingName, readonly string[]][]) {
    const configured = config(name);
    const variable = variables.find((candidate) => env[candidate]);
    const setting =
      configured !== undefined
        ? { value: configured, from: `azure-native:${name}` }
        : variable && { value: env[variable] ?? "", from: variable };
    if (setting && setting.value !== "") settings[name] = setting;
  }
  return settings;
}

/** Whether a switch is on. Like azure-native, only `true` counts, not `1` or `yes`. */
export function isOn(setting: Setting | undefined): boolean {
  return setting?.value === "true";
}

/** The name of a setting in messages. */
export function nameOf(name: SettingName): string {
  return `${VARIABLES[name][0]} (azure-native:${name})`;
}

/** The subscription to search first. Pulumi ESC writes it as `/subscriptions/<id>`. */
export function defaultSubscription({ subscriptionId }: AzureSettings): string | undefined {
  return subscriptionId?.value.replace(/^\/subscriptions\//i, "").replace(/\/$/, "");
}

/** Further tenants in which the identity may request tokens. */
export function auxiliaryTenants({ auxiliaryTenantIds }: AzureSettings): string[] {
  if (!auxiliaryTenantIds) return [];
  try {
    const tenants: unknown = JSON.parse(auxiliaryTenantIds.value);
    if (Array.isArray(tenants) && tenants.every((tenant) => typeof tenant === "string")) return tenants;
  } catch {
    // Text that is not JSON fails below, together with JSON of another shape.
  }
  throw new ImportError(
    azureFailure.configurationInvalid(
      auxiliaryTenantIds.from,
      "must be a JSON list of tenant IDs",
      'Write it as ["11111111-…","22222222-…"]',
    ),
  );
}
