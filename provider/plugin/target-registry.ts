import { setTimeout as sleep } from "node:timers/promises";
import type { Azure } from "../azure/azure";
import { failureOf, isClosed } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { RegistryClient } from "../registry/client";
import { type Inputs, isTag, type Outputs, repositoryOf, tagOf } from "../resource/state";
import type { TargetDigests } from "./plan";

/** What a manifest in the target turned out to be. */
export interface ManifestDetails {
  readonly mediaType: string;
  readonly platforms: readonly string[];
}

/**
 * How long the target is asked again after an import that succeeded, in milliseconds: the replica of a geo-replicated
 * registry that answers here gets the image a little later.
 */
const REPLICATION_MS = 60_000;

/** How long a look at the targets may take once the time limit of the operation is reached, in milliseconds. */
const FINAL_READ_MS = 10_000;

/** How long the configuration of a single image may take to arrive, in milliseconds. */
const CONFIG_MS = 5_000;

/** One per registry and process, so that a hundred resources share tokens. */
const clients = new Map<string, RegistryClient>();

/** The target registry as it is, read over its own protocol with the Azure identity of the run. */
export class TargetRegistry {
  readonly client: RegistryClient;
  readonly loginServer: string;
  #unreadable = false;

  constructor({ loginServer }: Pick<Inputs, "loginServer">, azure: Azure) {
    this.loginServer = loginServer;
    const credential = { kind: "entra", token: azure.registryToken, who: azure.describeIdentity() } as const;
    this.client =
      clients.get(loginServer) ?? new RegistryClient({ host: loginServer, side: "target", credential, isAzure: true });
    clients.set(loginServer, this.client);
  }

  /**
   * What each target holds now: the digest of a tag; of a repository without tag, the digest if its manifest is there.
   * `"unreadable"` where this machine cannot reach the registry.
   */
  async readDigests(
    targets: readonly string[],
    digest: Digest | undefined,
    signal: AbortSignal,
  ): Promise<TargetDigests> {
    // Found out once, it is not tried again in the same operation: a closed network can take its time to say so.
    if (this.#unreadable) return "unreadable";
    try {
      const held = await Promise.all(
        targets.map(async (target) => [target, await this.#targetDigest(target, digest, signal)] as const),
      );
      return new Map(held);
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined || !isClosed(failure)) throw error;
      this.#unreadable = true;
      return "unreadable";
    }
  }

  /**
   * Reads the targets until they show what is waited for or patience ends, and says what they held last. When the time
   * of the operation is up, they are still looked at once: what is there decides how it ended.
   */
  async waitForDigests(
    targets: readonly string[],
    digest: Digest | undefined,
    signal: AbortSignal,
    enough: (held: ReadonlyMap<string, Digest | undefined>) => boolean,
    patience = REPLICATION_MS,
  ): Promise<TargetDigests> {
    const deadline = Date.now() + patience;
    try {
      for (let pause = 250; ; pause = Math.min(pause * 2, 8_000)) {
        const held = await this.readDigests(targets, digest, signal);
        if (held === "unreadable" || enough(held) || Date.now() + pause > deadline) return held;
        await sleep(pause, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      return this.readDigestsOnce(targets, digest);
    }
  }

  /** What the targets hold when the operation is over, for which there is a little time of its own. */
  readDigestsOnce(targets: readonly string[], digest: Digest | undefined): Promise<TargetDigests> {
    return this.readDigests(targets, digest, AbortSignal.timeout(FINAL_READ_MS));
  }

  /**
   * What the manifest is; `undefined` where it cannot be read, since nobody should fail for lack of a description. The
   * configuration of a single image lies in a storage account, which a firewall may keep from here for no other reason.
   */
  async readDetails(target: string, digest: Digest, signal: AbortSignal): Promise<ManifestDetails | undefined> {
    const repository = repositoryOf(target);
    const found = await this.client.manifest(repository, digest, signal).catch(() => undefined);
    if (found === undefined) return undefined;
    // Not AbortSignal.timeout: Node.js 20 forgets one that only a combined signal holds.
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), CONFIG_MS);
    try {
      const platforms = await this.client.platforms(repository, found, AbortSignal.any([signal, limit.signal]));
      return { mediaType: found.descriptor.mediaType, platforms };
    } catch {
      return { mediaType: found.descriptor.mediaType, platforms: found.platforms };
    } finally {
      clearTimeout(timer);
    }
  }

  async #targetDigest(target: string, digest: Digest | undefined, signal: AbortSignal): Promise<Digest | undefined> {
    const name = isTag(target) ? tagOf(target) : digest;
    if (name === undefined) return undefined;
    return (await this.client.head(repositoryOf(target), name, signal))?.digest;
  }
}

/** Whether the registry itself is gone, and everything in it: neither its ID nor its login server is known any more. */
export async function isDeleted(
  { registryId, loginServer }: Pick<Outputs, "registryId" | "loginServer">,
  azure: Azure,
): Promise<boolean> {
  for (const name of [registryId, loginServer]) {
    try {
      await azure.findRegistry(name, "target");
      return false;
    } catch (error) {
      if (failureOf(error)?.code !== "REGISTRY_NOT_FOUND") throw error;
    }
  }
  return true;
}
