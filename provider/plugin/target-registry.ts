/** The target registry as it is, read by the distribution protocol with the Azure identity of the run. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Azure } from "../azure/azure";
import { type Code, failureOf, isClosed } from "../failure/failure";
import type { Digest } from "../reference/digest";
import { parseRegistryName } from "../reference/registry-name";
import type { Target } from "../reference/target";
import { type Manifest, RegistryClient } from "../registry/client";
import type { Outputs } from "../resource/state";
import type { TargetDigests } from "./plan";
import { informOnce } from "./progress";

/** What the manifest in the target is. */
export interface ManifestDetails {
  readonly mediaType: string;
  readonly platforms: readonly string[];
}

/** How long a replica of a geo-replicated registry may lag behind an import that succeeded, in milliseconds. */
const REPLICATION_MS = 60_000;

const FIRST_PAUSE_MS = 250;

/** How long the targets may be read after the operation's timeout, in milliseconds. */
const FINAL_READ_MS = 10_000;

/** How long the configuration of a single image may take to read, in milliseconds. */
const CONFIG_MS = 5_000;

/** How long requests are sent again while the registry is rate limiting, in milliseconds. */
const THROTTLED_MS = 600_000;

/** The codes of a response that does not arrive, or not as a manifest. */
const BROKEN: ReadonlySet<Code | undefined> = new Set(["TARGET_UNAVAILABLE", "TARGET_INVALID_RESPONSE"]);

/** One per registry and process, so that all resources share tokens. */
const clients = new Map<string, RegistryClient>();

/** Forgets the tokens of a registry, which carry the permissions of the moment when they were granted. */
export function forgetTokens(loginServer: string): void {
  clients.delete(loginServer);
}

/** Reads one target registry, for one operation. */
export class TargetRegistry {
  readonly client: RegistryClient;
  /** The manifests that were read after an import. */
  readonly #manifests = new Map<Digest, Manifest>();
  /** Whether the registry could be read; `undefined` before the first read. */
  #isReadable: boolean | undefined;

  constructor(
    readonly loginServer: string,
    azure: Azure,
  ) {
    const credential = { kind: "entra", token: azure.registryToken, identity: azure.describeIdentity() } as const;
    this.client =
      clients.get(loginServer) ??
      new RegistryClient({
        host: loginServer,
        side: "target",
        credential,
        isAzure: true,
        timeoutMs: THROTTLED_MS,
        onWait: (host) => informOnce(`target: ${host} is rate limiting (429/503); retrying for up to 10 minutes`),
      });
    clients.set(loginServer, this.client);
  }

  /**
   * The digest that each target holds: that of a tag, or, in a repository without a tag, `digest` if its manifest exists.
   * `"unreadable"` where this machine cannot reach the registry.
   */
  readDigests(targets: readonly Target[], digest: Digest | undefined, signal: AbortSignal): Promise<TargetDigests> {
    return this.#readAll(targets, (target) => this.#readDigest(target, digest, signal));
  }

  /** {@link readDigests} after an import: the first target by its manifest, whose details are needed next. */
  readImported(targets: readonly Target[], digest: Digest | undefined, signal: AbortSignal): Promise<TargetDigests> {
    return this.#readAll(targets, (target) =>
      target === targets[0] ? this.#readManifest(target, digest, signal) : this.#readDigest(target, digest, signal),
    );
  }

  async #readAll(
    targets: readonly Target[],
    read: (target: Target) => Promise<Digest | undefined>,
  ): Promise<TargetDigests> {
    // Not tried again within an operation: it can take long to find out that a network is blocked.
    if (this.#isReadable === false) return "unreadable";
    try {
      const held = new Map(
        await Promise.all(targets.map(async (target) => [target.name, await read(target)] as const)),
      );
      this.#isReadable = true;
      return held;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined || !isClosed(failure)) throw error;
      this.#isReadable ??= false;
      return "unreadable";
    }
  }

  /**
   * Reads the targets of an import until `isEnough`, or until `timeout` (milliseconds) is over, and returns the last digests. After the
   * signal the targets are read one last time: they decide how the operation ended.
   */
  async waitForDigests(
    targets: readonly Target[],
    digest: Digest | undefined,
    signal: AbortSignal,
    isEnough: (held: ReadonlyMap<string, Digest | undefined>) => boolean,
    timeout = REPLICATION_MS,
  ): Promise<TargetDigests> {
    const deadline = Date.now() + timeout;
    try {
      for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, 8_000)) {
        const held = await this.readImported(targets, digest, signal);
        if (held === "unreadable" || isEnough(held) || Date.now() + pause > deadline) return held;
        const missing = targets.filter(({ name }) => held.get(name) === undefined);
        if (pause === FIRST_PAUSE_MS && digest !== undefined) await this.#rejectQuarantined(missing, digest, signal);
        await sleep(pause, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      return this.readFinalDigests(targets, digest);
    }
  }

  /** Reads the targets after the operation, within a short timeout of its own. */
  readFinalDigests(targets: readonly Target[], digest: Digest | undefined): Promise<TargetDigests> {
    return this.readDigests(targets, digest, AbortSignal.timeout(FINAL_READ_MS));
  }

  /**
   * Reads what the manifest is; `undefined` where it cannot be read, because an import must not fail for that. The
   * configuration of a single image is stored in a storage account, which a firewall may block separately.
   */
  async readDetails({ repository }: Target, digest: Digest, signal: AbortSignal): Promise<ManifestDetails | undefined> {
    const read = this.#manifests.get(digest);
    this.#manifests.delete(digest);
    const manifest = read ?? (await this.client.manifest(repository, digest, signal).catch(() => undefined));
    if (manifest === undefined) return undefined;
    // Not AbortSignal.timeout: Node.js 20 garbage-collects one that only a combined signal refers to.
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), CONFIG_MS);
    const { mediaType } = manifest.descriptor;
    try {
      const platforms = await this.client.platforms(repository, manifest, AbortSignal.any([signal, timeout.signal]));
      return { mediaType, platforms };
    } catch {
      return { mediaType, platforms: manifest.platforms };
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Throws TARGET_QUARANTINED if that is why a tag with this digest does not exist. An image in quarantine has no tag, and only
   * its digest says why: https://github.com/Azure/acr/blob/main/docs/preview/quarantine/readme.md
   */
  async #rejectQuarantined(targets: readonly Target[], digest: Digest, signal: AbortSignal): Promise<void> {
    for (const repository of new Set(targets.map((target) => target.repository))) {
      await this.client.head(repository, digest, signal).catch((error: unknown) => {
        if (failureOf(error)?.code === "TARGET_QUARANTINED") throw error;
      });
    }
  }

  async #readDigest(
    { repository, tag }: Target,
    digest: Digest | undefined,
    signal: AbortSignal,
  ): Promise<Digest | undefined> {
    const tagOrDigest = tag ?? digest;
    return tagOrDigest && (await this.client.head(repository, tagOrDigest, signal))?.digest;
  }

  async #readManifest(target: Target, digest: Digest | undefined, signal: AbortSignal): Promise<Digest | undefined> {
    const tagOrDigest = target.tag ?? digest;
    if (tagOrDigest === undefined) return undefined;
    try {
      const manifest = await this.client.manifest(target.repository, tagOrDigest, signal);
      if (manifest) this.#manifests.set(manifest.descriptor.digest, manifest);
      return manifest?.descriptor.digest;
    } catch (error) {
      // A digest arrives where a body does not, for example through a proxy that inspects content.
      if (!BROKEN.has(failureOf(error)?.code)) throw error;
      return this.#readDigest(target, digest, signal);
    }
  }
}

/** Whether the registry itself was deleted: Azure knows neither its resource ID nor its login server. */
export async function isDeleted(
  { registryId, loginServer }: Pick<Outputs, "registryId" | "loginServer">,
  azure: Azure,
): Promise<boolean> {
  for (const name of [parseRegistryName(registryId), { kind: "loginServer", loginServer } as const]) {
    try {
      await azure.findRegistry(name, "target");
      return false;
    } catch (error) {
      if (failureOf(error)?.code !== "REGISTRY_NOT_FOUND") throw error;
    }
  }
  return true;
}
