/** Environment variables that tests remove, and those of the machine. */

/** Variables that change what the product or Pulumi does: accounts, proxies, certificates, defaults of tools. */
const ambient = [
  /^(AZURE|ARM|PULUMI|DOCKER|REGISTRY|ACTIONS|SYSTEM|IDENTITY|IMDS|MSI|EMULATOR|AWS|GOOGLE)_/,
  /^(HTTPS?|ALL|NO|GRPC|FTP)_PROXY$/i,
  /^(NODE_EXTRA_CA_CERTS|NODE_USE_ENV_PROXY|NODE_OPTIONS|NODE_PATH|SSL_CERT_FILE|SSL_CERT_DIR)$/,
  /^(REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|XDG_CONFIG_HOME|XDG_RUNTIME_DIR)$/,
];

export function ambientVariables(environment: NodeJS.ProcessEnv): string[] {
  return Object.keys(environment).filter((name) => ambient.some((pattern) => pattern.test(name)));
}

/**
 * The environment of the machine before `clean-environment.ts`. Only for npm, which may need its proxies and certificates
 * to reach the npm registry.
 */
export const machineEnvironment: Readonly<NodeJS.ProcessEnv> = { ...process.env };
