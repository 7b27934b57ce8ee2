/** The Azure clouds: the endpoints of Resource Manager and Entra, and the hosts of Azure registries. */
import { azureFailure } from "../failure/azure";
import { ImportError } from "../failure/failure";
import { send } from "../registry/transport/send";
import { type AzureSettings, nameOf, type Setting } from "./settings";

/** One Azure cloud. URLs end without a slash. */
export interface Cloud {
  readonly resourceManager: string;
  readonly resourceManagerAudience: string;
  /** Entra, as `authorityHost` of @azure/identity. */
  readonly authority: string;
  /** The suffix of the login servers of this cloud, with its leading period; empty where it is not known. */
  readonly registrySuffix: string;
  /** The resource for which Entra grants tokens to be used with the registries themselves. */
  readonly registryAudience: string;
}

const PUBLIC: Cloud = {
  resourceManager: "https://management.azure.com",
  resourceManagerAudience: "https://management.azure.com",
  authority: "https://login.microsoftonline.com",
  registrySuffix: ".azurecr.io",
  // Registries may refuse tokens for Resource Manager (azureADAuthenticationAsArmPolicy), never these.
  registryAudience: "https://containerregistry.azure.net",
};

const US_GOVERNMENT = cloudOf(
  "https://management.usgovcloudapi.net",
  "https://management.usgovcloudapi.net",
  "https://login.microsoftonline.us",
  ".azurecr.us",
);

const CHINA = cloudOf(
  "https://management.chinacloudapi.cn",
  "https://management.chinacloudapi.cn",
  "https://login.chinacloudapi.cn",
  ".azurecr.cn",
);

/** The names that azure-native accepts, in lower case. */
const CLOUDS: Readonly<Record<string, Cloud>> = {
  public: PUBLIC,
  azurecloud: PUBLIC,
  usgov: US_GOVERNMENT,
  usgovernment: US_GOVERNMENT,
  azureusgovernment: US_GOVERNMENT,
  azureusgovernmentcloud: US_GOVERNMENT,
  usgovernmentl4: US_GOVERNMENT,
  china: CHINA,
  azurechinacloud: CHINA,
};

/** The cloud of the settings: by its three URLs, its metadata host or its name; otherwise the public one. */
export async function findCloud(settings: AzureSettings): Promise<Cloud> {
  const { resourceManagerEndpoint, resourceManagerAudience, activeDirectoryAuthorityHost } = settings;
  if (resourceManagerEndpoint && resourceManagerAudience && activeDirectoryAuthorityHost) {
    return cloudOf(
      resourceManagerEndpoint.value,
      resourceManagerAudience.value,
      activeDirectoryAuthorityHost.value,
      "",
    );
  }
  if (settings.metadataHost) return fromMetadata(settings.metadataHost);
  if (!settings.environment) return PUBLIC;
  const cloud = CLOUDS[settings.environment.value.toLowerCase()];
  if (cloud) return cloud;
  throw new ImportError(
    azureFailure.configurationInvalid(
      settings.environment.from,
      `is not a known Azure cloud: ${settings.environment.value}`,
      `Use public, usgovernment or china. For any other cloud, set ${nameOf("metadataHost")} to its Resource Manager host`,
    ),
  );
}

/**
 * Whether a host is a registry of this cloud by its name: `name.azurecr.io` or the regional `name.region.geo.azurecr.io`.
 * Entra tokens are sent to such hosts, so a look-alike such as `x.azurecr.io.evil.com` must not match.
 */
export function isRegistryOf(cloud: Cloud, host: string): boolean {
  const name = host.toLowerCase();
  if (cloud.registrySuffix === "" || !name.endsWith(cloud.registrySuffix)) return false;
  return /^[a-z0-9]+(?:-[a-z0-9]+)?(?:\.[a-z0-9]+\.geo)?$/.test(name.slice(0, -cloud.registrySuffix.length));
}

function cloudOf(
  resourceManager: string,
  resourceManagerAudience: string,
  authority: string,
  registrySuffix: string,
): Cloud {
  return {
    resourceManager: withoutSlash(resourceManager),
    resourceManagerAudience: withoutSlash(resourceManagerAudience),
    authority: withoutSlash(authority),
    registrySuffix,
    registryAudience: withoutSlash(resourceManager),
  };
}

/** The part of the response of `GET /metadata/endpoints` that is needed here. */
interface Metadata {
  readonly resourceManager?: string;
  readonly authentication?: { readonly loginEndpoint?: string; readonly audiences?: readonly string[] };
  readonly suffixes?: { readonly acrLoginServer?: string };
}

async function fromMetadata({ value, from }: Setting): Promise<Cloud> {
  const origin = withoutSlash(value.includes("://") ? value : `https://${value}`);
  if (!origin.startsWith("https://")) {
    throw new ImportError(azureFailure.configurationInvalid(from, "must be an HTTPS address", "Use https"));
  }
  const url = `${origin}/metadata/endpoints?api-version=2022-09-01`;
  const response = await send({ method: "GET", url }, { deadline: Date.now() + 30_000 }).catch((error: Error) => {
    throw new ImportError(
      azureFailure.unavailable("Azure", new URL(origin).host, `did not return its endpoints: ${error.message}`),
    );
  });
  const metadata = response.status === 200 ? parse(response.body.toString("utf8")) : undefined;
  const { resourceManager, authentication, suffixes } = metadata ?? {};
  const audience = authentication?.audiences?.[0];
  if (!resourceManager || !authentication?.loginEndpoint || !audience) {
    throw new ImportError(
      azureFailure.configurationInvalid(
        from,
        `is not the metadata host of an Azure cloud: ${url} returned HTTP ${response.status}`,
        "Set it to the Resource Manager host of the cloud, such as management.azure.com",
      ),
    );
  }
  const suffix = suffixes?.acrLoginServer?.replace(/^\.?/, ".").toLowerCase() ?? "";
  const cloud = cloudOf(resourceManager, audience, authentication.loginEndpoint, suffix);
  return suffix === PUBLIC.registrySuffix ? { ...cloud, registryAudience: PUBLIC.registryAudience } : cloud;
}

function parse(text: string): Metadata | undefined {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")) as Metadata;
  } catch {
    return undefined;
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
