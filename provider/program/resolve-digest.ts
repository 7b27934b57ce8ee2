import type { Azure } from "../azure/azure";
import { failureOf, ImportError, registryFailure, sourceFailure } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { LATEST } from "../reference/tag";
import { RegistryClient, type RegistryCredential } from "../registry/client";
import type { ManifestDescriptor } from "../registry/manifest";
import { printSource, type SourceImage } from "../resource/source";
import type { DigestResult } from "../resource/state";

/** A wait that looks like a program that hangs, in milliseconds. */
const LONG_WAIT_MS = 4_000;

/**
 * Resolves references to digests, in the program: all images at once, over shared connections and tokens, each distinct
 * (reference, credentials) once. The engine would call `check` and `diff` strictly one after another instead, and pay
 * each look-up in full.
 */
export class DigestResolver {
  readonly #heads = new Map<string, Promise<ManifestDescriptor | undefined>>();
  readonly #clients = new Map<string, RegistryClient>();
  readonly #reported = new Set<string>();

  /**
   * @param azure - Access to Azure, asked for only when a source needs it.
   * @param log - Takes a sentence for who waits at the terminal.
   */
  constructor(
    private readonly azure: () => Azure,
    private readonly log: (sentence: string) => void = () => {},
  ) {}

  /** The digest behind the source; nothing when the digest is to be taken from the target. Never rejects. */
  resolve(source: SourceImage): Promise<DigestResult> {
    if (source.digest !== undefined) return Promise.resolve({ digest: source.digest });
    if (source.digestFrom === "target") return Promise.resolve({});
    return this.#lookUp(source).then((digest) => ({ digest }), toFailure);
  }

  async #lookUp(source: SourceImage): Promise<Digest> {
    const { host, isAzure } = await this.#locate(source);
    const { repository, tag = LATEST, credentials } = source;
    // Shared by where it is asked, not by how it is written: one registry can be named in several ways.
    const head = async (credential: RegistryCredential) => {
      const found = await cached(this.#heads, JSON.stringify([host, credential, repository, tag]), () =>
        this.#client(host, isAzure, credential).head(repository, tag),
      );
      if (found === undefined) throw new ImportError(registryFailure.notFound("source", printSource(source)));
      return found.digest;
    };
    if (credentials) return head({ kind: "password", ...credentials });
    if (!isAzure) return head({ kind: "anonymous" });
    try {
      const azure = this.azure();
      return await head({ kind: "entra", token: azure.registryToken, who: azure.describeIdentity() });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // A registry of strangers may be open to everybody. If it is not, the best reason is that Azure does not know it.
      return head({ kind: "anonymous" }).catch(async () => {
        await this.azure().findRegistry(host, "source");
        throw error;
      });
    }
  }

  async #locate({ registry }: SourceImage): Promise<{ host: string; isAzure: boolean }> {
    if (registry.host !== undefined) {
      // Cloud suffixes all have this in their names; only then is it worth asking which ones this cloud has.
      const isAzure = registry.host.includes(".azurecr.") && (await this.azure().isAzureHost(registry.host));
      return { host: registry.host, isAzure };
    }
    const { loginServer } = await this.azure().findRegistry(registry.id ?? registry.name, "source");
    return { host: loginServer, isAzure: true };
  }

  #client(host: string, isAzure: boolean, credential: RegistryCredential): RegistryClient {
    return cached(
      this.#clients,
      JSON.stringify([host, credential]),
      () => new RegistryClient({ host, side: "source", credential, isAzure, onWait: this.#reportWait }),
    );
  }

  /** Once for each host, and not for a moment. */
  readonly #reportWait = (host: string, ms: number): void => {
    if (ms < LONG_WAIT_MS || this.#reported.has(host)) return;
    this.#reported.add(host);
    this.log(`source: ${host} is too busy to answer (429 or 503); trying again for up to two minutes`);
  };
}

/** Whether this identity, or the lack of one, is what the registry objects to. */
function isRefusal(error: unknown): boolean {
  const code = failureOf(error)?.code ?? "";
  return code.startsWith("AZURE_CREDENTIAL") || /^SOURCE_(CREDENTIALS_REJECTED|ACCESS_DENIED)$/.test(code);
}

/** Nothing is thrown in the program, where it would end with a stack. */
function toFailure(error: unknown): DigestResult {
  return {
    failure: failureOf(error) ?? sourceFailure.unresolved(error instanceof Error ? error.message : String(error)),
  };
}

function cached<T>(map: Map<string, T>, key: string, make: () => T): T {
  const existing = map.get(key) ?? make();
  map.set(key, existing);
  return existing;
}
