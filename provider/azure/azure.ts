/** Azure as one run sees it: one identity, one cloud. Loads the Azure SDK when the first question is asked. */
import { failureOf, type Side } from "../failure/failure";
import { type Cloud, findCloud, isRegistryOf } from "./cloud";
import { createCredential } from "./credential";
import { chooseCredential, describeChoice } from "./credential-choice";
import { type ImportOutcome, importImage } from "./import-image";
import type { ImportOptions, ImportRequest } from "./import-operation";
import { type AzureRegistry, RegistryFinder, type RegistryResource } from "./registries";
import type { Session } from "./session";
import { type AzureSettings, defaultSubscription } from "./settings";

/** One per process: what was asked once is remembered. Every refusal is an `ImportError`. */
export class Azure {
  #cloud: Promise<Cloud> | undefined;
  #session: Promise<Session> | undefined;

  constructor(readonly settings: AzureSettings) {}

  /** Finds a registry by resource ID, login server or name; `side` is for the message if there is none. */
  async findRegistry(name: string, side: Side): Promise<AzureRegistry> {
    const { finder } = await this.#signIn();
    return finder.find(name, side);
  }

  /** Whether a host is a registry of this run's cloud by its name, so that it may see the identity's tokens. */
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

  /** Imports an image into a registry. Resolves for whatever end it takes; throws only where no credential is configured. */
  async importImage(
    registry: RegistryResource,
    request: ImportRequest,
    options: ImportOptions,
  ): Promise<ImportOutcome> {
    return importImage(await this.#signIn(), registry, request, options);
  }

  /** Who this run is in Azure, for messages. */
  describeIdentity(): string {
    try {
      return describeChoice(chooseCredential(this.settings));
    } catch (error) {
      if (failureOf(error)) return "nobody: no Azure credential is configured";
      throw error;
    }
  }

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
      return {
        cloud,
        credential,
        identity,
        finder: new RegistryFinder({ cloud, credential, identity, subscriptionId }),
      };
    })();
    return this.#session;
  }
}
