import path from "node:path";

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

/** A whole environment for a child process: nothing of the machine but Node and the system's commands, and `variables`. */
export function environment(home: string, variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: [path.dirname(process.execPath), "/usr/bin", "/bin"].join(path.delimiter),
    LANG: "C.UTF-8",
    HOME: home,
    // What a killed process leaves goes with its home.
    TMPDIR: home,
    ...variables,
  };
}

/**
 * The machine's own environment, as it was before `clean-environment.ts`. For npm alone, which may need its proxies and
 * certificates to reach its registry.
 */
export const machineEnvironment: Readonly<NodeJS.ProcessEnv> = { ...process.env };
