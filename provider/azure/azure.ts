/** Azure for one run: one identity in one cloud. Loads the Azure SDK with the first request. */
import { failureOf, type Side } from "../failure/failure";
import type { RegistryName, RegistryResource } from "../reference/registry-name";
import { ArmThrottles } from "./arm-throttles";
import { type Cloud, findCloud, isRegistryOf } from "./cloud";
import { createCredential } from "./credential";
import { chooseCredential, describeChoice } from "./credential-choice";
import { type ImportResult, importImage } from "./import-image";
import type { ImportRequest, ImportWatch } from "./import-operation";
import { type AzureRegistry, RegistryFinder } from "./registries";
import type { Session } from "./session";
import { type AzureSettings, defaultSubscription } from "./settings";

/** One per process; results are cached. Errors of Azure are `ImportError`s. */
export class Azure {
  #cloud: Promise<Cloud> | undefined;
  #session: Promise<Session> | undefined;

  readonly #throttlingHosts = new Set<string>();

  /** @param log - Shows a message in the terminal. */
  constructor(
    readonly settings: AzureSettings,
    private readonly log: (message: string) => void = () => {},
  ) {}

  /** Finds a registry. `side` is for the message when there is none. */
  async findRegistry(name: RegistryName, side: Side): Promise<AzureRegistry> {
    const { finder } = await this.#signIn();
    return finder.find(name, side);
  }

  /** Looks a registry up again next time. */
  async forgetRegistry(name: RegistryName): Promise<void> {
    const { finder } = await this.#signIn();
    finder.forget(name);
  }

  /** Whether a host is a registry of this run's cloud by its name, so that it may receive the identity's tokens. */
  async isAzureHost(host: string): Promise<boolean> {
    return isRegistryOf(await this.#findCloud(), host);
  }

  /** An Entra token for the registries of this cloud. */
  readonly registryToken = async (signal?: AbortSignal): Promise<string> => {
    const { credential, cloud } = await this.#signIn();
    const options = signal && { abortSignal: signal };
    const token = await credential.getToken(`${cloud.registryAudience}/.default`, options);
    if (!token) throw new Error("the credential gave no token");
    return token.token;
  };

  /**
   * Imports an image into a registry and resolves with the result, whatever it is.
   *
   * @param signal - Ends the waiting; Azure continues an import that it has accepted.
   * @param watch - Looks for the image while Azure works on it; the import has succeeded when it is there.
   * @throws ImportError where no credential is configured.
   */
  async importImage(
    registry: RegistryResource,
    request: ImportRequest,
    signal: AbortSignal,
    watch?: ImportWatch,
  ): Promise<ImportResult> {
    return importImage(await this.#signIn(), registry, request, signal, watch);
  }

  /** The identity of this run, for messages. */
  describeIdentity(): string {
    try {
      return describeChoice(chooseCredential(this.settings));
    } catch (error) {
      if (failureOf(error)) return "this run (no Azure credential configured)";
      throw error;
    }
  }

  /** Reports the first wait for each host. */
  readonly #reportWait = (host: string): void => {
    if (this.#throttlingHosts.has(host)) return;
    this.#throttlingHosts.add(host);
    this.log(`Azure: ${host} is rate limiting (429 Too Many Requests); waiting as long as it asks`);
  };

  #findCloud(): Promise<Cloud> {
    this.#cloud ??= findCloud(this.settings);
    return this.#cloud;
  }

  #signIn(): Promise<Session> {
    this.#session ??= (async () => {
      const choice = chooseCredential(this.settings);
      const cloud = await this.#findCloud();
      const credential = createCredential(choice, cloud, this.settings);
      const identity = describeChoice(choice);
      const subscriptionId = defaultSubscription(this.settings);
      const throttles = new ArmThrottles(this.#reportWait);
      const context = { cloud, credential, identity, throttles };
      return { ...context, finder: new RegistryFinder({ ...context, subscriptionId }) };
    })();
    return this.#session;
  }
}
