/** Resolves references to digests: in the program, for all images at once; in `check` where the program cannot. */
import type { Azure } from "../azure/azure";
import { failureOf, ImportError } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { sourceFailure } from "../failure/source";
import type { Digest } from "../reference/digest";
import { parseRegistryName } from "../reference/registry-name";
import { LATEST } from "../reference/tag";
import { RegistryClient, type RegistryCredential } from "../registry/client";
import type { ManifestDescriptor } from "../registry/manifest";
import { printSource, type Source } from "../resource/source";
import type { DigestResult } from "../resource/state";

/** A wait that makes the program look as if it hung, in milliseconds. */
const LONG_WAIT_MS = 4_000;

/**
 * Resolves each distinct reference once per identity, over shared connections and tokens.
 *
 * In the program all look-ups run in parallel. In `check` they could not: the engine calls `check` for one resource after
 * another, so each look-up would add its full latency.
 */
export class DigestResolver {
  readonly #lookups = new Map<string, Promise<ManifestDescriptor | undefined>>();
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

  /** Resolves the digest of a source; empty when the digest comes from the target. Never rejects. */
  resolve(source: Source): Promise<DigestResult> {
    if (source.digest !== undefined) return Promise.resolve({ digest: source.digest });
    if (source.digestFrom === "target") return Promise.resolve({});
    return this.#lookUp(source).then((digest) => ({ digest }), toFailure);
  }

  async #lookUp(source: Source): Promise<Digest> {
    const { host, isAzure } = await this.#locate(source);
    const { repository, tag = LATEST, credentials } = source;
    const head = async (credential: RegistryCredential) => {
      // Keyed by the host, because one registry can be named in several ways.
      const descriptor = await cached(this.#lookups, JSON.stringify([host, credential, repository, tag]), () =>
        this.#client(host, isAzure, credential).head(repository, tag),
      );
      if (descriptor === undefined) throw new ImportError(registryFailure.notFound("source", printSource(source)));
      return descriptor.digest;
    };
    if (credentials) return head({ kind: "password", ...credentials });
    if (!isAzure) return head({ kind: "anonymous" });
    try {
      const azure = this.azure();
      return await head({ kind: "entra", token: azure.registryToken, identity: azure.describeIdentity() });
    } catch (error) {
      if (!isIdentityDenied(error)) throw error;
      // A registry outside this tenant may allow anonymous pulls. If it does not, that Azure cannot find it explains most.
      return head({ kind: "anonymous" }).catch(async () => {
        await this.azure().findRegistry(parseRegistryName(host), "source");
        throw error;
      });
    }
  }

  async #locate({ registry }: Source): Promise<{ host: string; isAzure: boolean }> {
    if (registry.kind === "host") {
      // Every cloud's registry suffix contains this; only then is it worth finding out this cloud's suffix.
      const isAzure = registry.host.includes(".azurecr.") && (await this.azure().isAzureHost(registry.host));
      return { host: registry.host, isAzure };
    }
    const { loginServer } = await this.azure().findRegistry(registry, "source");
    return { host: loginServer, isAzure: true };
  }

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

/** An error thrown in the program would end it with a stack trace. */
function toFailure(error: unknown): DigestResult {
  return {
    failure: failureOf(error) ?? sourceFailure.unresolved(error instanceof Error ? error.message : String(error)),
  };
}

function cached<T>(map: Map<string, T>, key: string, create: () => T): T {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}
