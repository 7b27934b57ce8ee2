/** Reads source registries, each with the credentials of its source, the identity of the run, or neither. */
import type { Azure } from "../azure/azure";
import { failureOf } from "../failure/failure";
import { parseRegistryName } from "../reference/registry-name";
import { RegistryClient, type RegistryCredential } from "../registry/client";
import type { Source } from "../resource/source";
import { cached } from "./cached";

/** A wait that makes the program look as if it hung, in milliseconds. */
const LONG_WAIT_MS = 4_000;

/** What chooses the client. */
type SourceAccess = Pick<Source, "registry" | "credentials">;

/** Shares connections and tokens among sources of the same registry and identity. */
export class SourceRegistries {
  readonly #clients = new Map<string, RegistryClient>();
  readonly #reported = new Set<string>();

  /**
   * @param azure - Access to Azure, created only when a source needs it.
   * @param log - Shows a message in the terminal.
   */
  constructor(
    private readonly azure: () => Azure,
    private readonly log: (message: string) => void = () => {},
  ) {}

  /** Reads with the client of the source's registry; once more anonymously where Azure's identity is denied. */
  async read<T>(source: SourceAccess, read: (client: RegistryClient, isAzure: boolean) => Promise<T>): Promise<T> {
    const { host, isAzure } = await this.#locate(source);
    const { credentials } = source;
    const readAs = (credential: RegistryCredential) => read(this.#client(host, isAzure, credential), isAzure);
    if (credentials) return readAs({ kind: "password", ...credentials });
    if (!isAzure) return readAs({ kind: "anonymous" });
    try {
      const azure = this.azure();
      return await readAs({ kind: "entra", token: azure.registryToken, identity: azure.describeIdentity() });
    } catch (error) {
      if (!isIdentityDenied(error)) throw error;
      // A registry outside this tenant may allow anonymous pulls. If it does not, that Azure cannot find it explains most.
      return readAs({ kind: "anonymous" }).catch(async () => {
        await this.azure().findRegistry(parseRegistryName(host), "source");
        throw error;
      });
    }
  }

  /** The host of a source's registry, which a name or resource ID does not tell. */
  async host(source: SourceAccess): Promise<string> {
    const { registry } = source;
    return registry.kind === "host" ? registry.host : (await this.#locate(source)).host;
  }

  async #locate({ registry }: SourceAccess): Promise<{ host: string; isAzure: boolean }> {
    if (registry.kind === "host") {
      // Every cloud's registry suffix contains this; only then is it worth finding out this cloud's suffix.
      const isAzure = registry.host.includes(".azurecr.") && (await this.azure().isAzureHost(registry.host));
      return { host: registry.host, isAzure };
    }
    const { loginServer } = await this.azure().findRegistry(registry, "source");
    return { host: loginServer, isAzure: true };
  }

  /** One per host, however the source names it, and identity. */
  #client(host: string, isAzure: boolean, credential: RegistryCredential): RegistryClient {
    return cached(
      this.#clients,
      JSON.stringify([host, credential]),
      () => new RegistryClient({ host, side: "source", credential, isAzure, onWait: this.#reportWait }),
    );
  }

  /** Reports a long wait, once per host. */
  readonly #reportWait = (host: string, ms: number): void => {
    if (ms < LONG_WAIT_MS || this.#reported.has(host)) return;
    this.#reported.add(host);
    this.log(`source: ${host} is rate limiting (429/503); retrying for up to 2 minutes`);
  };
}

/** Whether the registry denies access to this identity, or there is no identity. */
function isIdentityDenied(error: unknown): boolean {
  const code = failureOf(error)?.code ?? "";
  return code.startsWith("AZURE_CREDENTIAL") || /^SOURCE_(CREDENTIALS_REJECTED|ACCESS_DENIED)$/.test(code);
}
