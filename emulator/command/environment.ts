/** Environment variables of clients, and of commands that run inside the emulator. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { defaultIdentity, subscriptionId } from "../default-state";

export type Environment = Record<string, string>;

/** Proxy variables that would bypass the emulator, or, in lower case, send gRPC between Pulumi's processes to it. */
const proxyVariables = ["https_proxy", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const credentialVariables = /^(ARM_|AZURE_|ACTIONS_ID_TOKEN_|IDENTITY_|MSI_)/;

/** The variables that a client needs. Pulumi variables that the caller has set are left out. */
export async function clientEnvironment(options: {
  folder: string;
  proxy: string;
  ca: string;
  control: string;
  caller: NodeJS.ProcessEnv;
}): Promise<Environment> {
  const { folder, proxy, ca, control, caller } = options;
  const own = async (name: string) => {
    const made = path.join(folder, name);
    await mkdir(made, { recursive: true });
    return made;
  };
  const [backend, home, azure, docker] = await Promise.all([
    own("pulumi-state"),
    own("pulumi-home"),
    own("azure"),
    own("docker"),
  ]);
  const pulumi: Environment = {
    PULUMI_BACKEND_URL: pathToFileURL(backend).href,
    PULUMI_HOME: home,
    PULUMI_CONFIG_PASSPHRASE: "emulator",
  };
  const free = Object.entries(pulumi).filter(([name]) => caller[name] === undefined);
  return {
    HTTPS_PROXY: proxy,
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",
    NODE_EXTRA_CA_CERTS: ca,
    SSL_CERT_FILE: ca,
    REQUESTS_CA_BUNDLE: ca,
    CURL_CA_BUNDLE: ca,
    AZURE_CONFIG_DIR: azure,
    AZURE_CORE_COLLECT_TELEMETRY: "no",
    DOCKER_CONFIG: docker,
    ARM_TENANT_ID: defaultIdentity.tenantId,
    ARM_SUBSCRIPTION_ID: subscriptionId,
    ARM_CLIENT_ID: defaultIdentity.clientId,
    ARM_CLIENT_SECRET: defaultIdentity.secrets[0] ?? "",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    ...Object.fromEntries(free),
    EMULATOR_CONTROL: control,
  };
}

/** The caller's environment with the variables of a client, and without foreign proxies and credentials. */
export function commandEnvironment(caller: NodeJS.ProcessEnv, client: Environment): Environment {
  const kept = Object.entries(caller).flatMap(([name, value]) =>
    value === undefined || proxyVariables.includes(name) || credentialVariables.test(name) ? [] : [[name, value]],
  );
  return { ...Object.fromEntries(kept), ...client };
}
