/** Finding a registry from whatever name the user gave it. */
import type { Registry } from "@azure/arm-containerregistry";
import type { TokenCredential } from "@azure/core-auth";
import { azureFailure, type Failure, ImportError, type Side } from "../failure/failure";
import {
  parseRegistryName,
  printRegistryName,
  type RegistryName,
  type RegistryResource,
} from "../reference/registry-name";
import type { Cloud } from "./cloud";
import { type ArmResponse, type ResourceManager, resourceManager } from "./resource-manager";
import { errorDetail, noResponseFailure, requestFailure, serviceError } from "./service-error";

/** An Azure Container Registry as Resource Manager describes it. */
export interface AzureRegistry extends RegistryResource {
  readonly location: string;
  /** Whether no network rule keeps anyone out. */
  readonly isOpen: boolean;
  /** Whether trusted services of Azure, its import among them, pass its network rules. */
  readonly trustsAzure: boolean;
}

/** With whom and where to look. */
export interface SearchContext {
  readonly cloud: Cloud;
  readonly credential: TokenCredential;
  /** The subscription to look in first. */
  readonly subscriptionId: string | undefined;
  /** Who is looking, for messages. */
  readonly identity: string;
}

/** How long one look-up may take, throttling included, in milliseconds. */
const LOOKUP_MS = 120_000;

/** What was found, or the sentence that says why not, for whichever side asks. */
type Finding = AzureRegistry | ((side: Side) => Failure);

/** A set of registries that was listed, and when the listing began. */
interface Listing {
  readonly began: number;
  readonly registries: Promise<Registry[] | ((side: Side) => Failure)>;
}

/** Looks registries up, each once; a listing serves all names until one is missing in it. */
export class RegistryFinder {
  readonly #findings = new Map<string, Promise<Finding>>();
  #inSubscription: Listing | undefined;
  #everywhere: Listing | undefined;

  constructor(readonly search: SearchContext) {}

  /** Finds a registry. `side` is for the message when there is none. */
  async find(name: RegistryName, side: Side): Promise<AzureRegistry> {
    const key = printRegistryName(name).toLowerCase();
    const finding = this.#findings.get(key) ?? (name.kind === "id" ? this.#byId(name) : this.#byName(name));
    this.#findings.set(key, finding);
    const found = await finding;
    if (typeof found === "function") throw new ImportError(found(side));
    // Later look-ups may use the login server.
    this.#findings.set(found.loginServer, finding);
    return found;
  }

  async #byId(name: RegistryName & { kind: "id" }): Promise<Finding> {
    const arm = this.#resourceManager(name.subscriptionId);
    try {
      const registry = await arm.client.registries.get(name.resourceGroup, name.name, deadline());
      return azureRegistry(registry) ?? notYetCreated(name.id);
    } catch (error) {
      return this.#refused(arm, error, name.id, (response) => {
        const said = serviceError(response);
        if (said?.code === "InvalidAuthenticationTokenTenant") {
          return (side) => azureFailure.foreignTenant(side, name.id, this.search.identity);
        }
        if (response.status !== 404) return undefined;
        return (side) =>
          azureFailure.registryNotFound(
            side,
            name.id,
            said?.code === "SubscriptionNotFound"
              ? "the tenant's subscriptions"
              : "that subscription and resource group",
            side === "source"
              ? "check the resource ID; a source in another tenant is named by its login server with source.credentials"
              : "check the resource ID, and that the identity belongs to the registry's tenant",
            said && errorDetail(said),
          );
      });
    }
  }

  /** In the default subscription first, then wherever the identity can see registries. */
  async #byName(name: Exclude<RegistryName, { kind: "id" }>): Promise<Finding> {
    const { subscriptionId, identity } = this.search;
    const began = Date.now();
    const wanted = name.kind === "name" ? name.name : name.loginServer;
    const isWanted = (registry: Registry) =>
      (name.kind === "name" ? registry.name : registry.loginServer)?.toLowerCase() === wanted.toLowerCase();
    const lookUp = async (listing: Listing | undefined) => {
      const listed = (await listing?.registries) ?? [];
      return typeof listed === "function" ? listed : listed.filter(isWanted);
    };

    const look = async (): Promise<Finding | undefined> => {
      if (subscriptionId) this.#inSubscription ??= this.#list(subscriptionId);
      const near = await lookUp(this.#inSubscription);
      if (typeof near !== "function" && near.length > 0) return oneOf(near, wanted);
      this.#everywhere ??= this.#listEverywhere();
      const far = await lookUp(this.#everywhere);
      if (typeof far !== "function" && far.length > 0) return oneOf(far, wanted);
      // A listing that failed proves nothing: say why it failed, unless merely the rights for it are missing.
      for (const failed of [far, near]) {
        if (typeof failed === "function" && failed("target").code !== "AZURE_PERMISSION_DENIED") return failed;
      }
      return undefined;
    };

    const found = (await look()) ?? (this.#forgetListingsBefore(began) ? await look() : undefined);
    if (found) return found;
    const searched = subscriptionId
      ? `subscription ${subscriptionId} and every other that it can read`
      : "every subscription that it can read";
    return (side) => azureFailure.registryInvisible(side, wanted, identity, searched);
  }

  /** Registries may have been created since they were listed, by this very program for instance. */
  #forgetListingsBefore(moment: number): boolean {
    const isStale = (listing: Listing | undefined) => listing !== undefined && listing.began < moment;
    const stale = isStale(this.#inSubscription) || isStale(this.#everywhere);
    if (isStale(this.#inSubscription)) this.#inSubscription = undefined;
    if (isStale(this.#everywhere)) this.#everywhere = undefined;
    return stale;
  }

  #list(subscriptionId: string): Listing {
    const arm = this.#resourceManager(subscriptionId);
    const list = async () => {
      const registries: Registry[] = [];
      try {
        for await (const registry of arm.client.registries.list(deadline())) registries.push(registry);
        return registries;
      } catch (error) {
        const scope = `/subscriptions/${subscriptionId}`;
        return this.#refused(arm, error, scope, ({ status }) =>
          status === 404 ? missingSubscription(scope) : undefined,
        );
      }
    };
    return { began: Date.now(), registries: list() };
  }

  #listEverywhere(): Listing {
    return { began: Date.now(), registries: this.#askResourceGraph() };
  }

  /** All registries that the identity can read, of every subscription of its tenant. */
  async #askResourceGraph(): Promise<Registry[] | ((side: Side) => Failure)> {
    const { cloud } = this.search;
    const arm = this.#resourceManager();
    const url = `${cloud.resourceManager}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01`;
    const query = `resources | where type =~ "microsoft.containerregistry/registries" | project id, name, location, sku, properties | order by id asc`;
    const registries: Registry[] = [];
    let page: string | undefined;
    try {
      do {
        const options = { resultFormat: "objectArray", $top: 1_000, ...(page && { $skipToken: page }) };
        const response = await arm.send({ url, body: { query, options } }, deadline().abortSignal);
        if (response.status !== 200) {
          throw new Error(`the search for registries is answered with ${response.status}`);
        }
        const { data, $skipToken } = JSON.parse(response.body) as GraphAnswer;
        registries.push(...data.map(({ properties, ...registry }) => ({ ...registry, ...properties })));
        page = $skipToken;
      } while (page);
      return registries;
    } catch (error) {
      return this.#refused(arm, error, "the tenant");
    }
  }

  #resourceManager(subscriptionId?: string): ResourceManager {
    return resourceManager(this.search.cloud, this.search.credential, subscriptionId);
  }

  /** What an error means: from the response that was received, else from the error itself. */
  #refused(
    arm: ResourceManager,
    error: unknown,
    scope: string,
    special: (response: ArmResponse) => ((side: Side) => Failure) | undefined = () => undefined,
  ): (side: Side) => Failure {
    const response = arm.lastResponse();
    if (!response || response.status < 400) return (side) => noResponseFailure(arm.host, error, side);
    const { identity } = this.search;
    return (
      special(response) ??
      ((side) =>
        requestFailure(arm.host, response, { side, scope, identity }) ??
        azureFailure.unavailable(side, arm.host, `answers ${response.status}`, response.body.slice(0, 500)))
    );
  }
}

interface GraphAnswer {
  readonly data: readonly (Registry & { readonly properties?: Partial<Registry> })[];
  readonly $skipToken?: string;
}

function deadline(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(LOOKUP_MS) };
}

function oneOf(registries: readonly Registry[], wanted: string): Finding {
  const [first, ...others] = registries;
  const ids = registries.map(({ id = "" }) => id);
  if (others.length > 0) return (side) => azureFailure.registryAmbiguous(side, wanted, ids);
  return (first && azureRegistry(first)) ?? notYetCreated(wanted);
}

/** The registry, or why it is none that can import; `undefined` while Azure has not finished making it. */
function azureRegistry(registry: Registry): Finding | undefined {
  const { id, name, loginServer, location, sku, publicNetworkAccess, networkRuleSet, networkRuleBypassOptions } =
    registry;
  const parsed = id === undefined ? undefined : parseRegistryName(id);
  if (!id || !name || !loginServer || parsed?.kind !== "id") return undefined;
  // The one SKU that keeps its images in a storage account of the customer.
  if (sku?.name.toLowerCase() === "classic") return (side) => azureFailure.registryUnmanaged(side, name, sku.name);
  return {
    id,
    name,
    subscriptionId: parsed.subscriptionId,
    resourceGroup: parsed.resourceGroup,
    loginServer: loginServer.toLowerCase(),
    location,
    isOpen: publicNetworkAccess !== "Disabled" && networkRuleSet?.defaultAction !== "Deny",
    trustsAzure: networkRuleBypassOptions !== "None",
  };
}

function notYetCreated(name: string): (side: Side) => Failure {
  return (side) =>
    azureFailure.registryNotFound(
      side,
      name,
      "Resource Manager, where it has no login server yet",
      "wait until the registry is created, then run the command again",
    );
}

function missingSubscription(scope: string): (side: Side) => Failure {
  return () =>
    azureFailure.configurationInvalid(
      "the subscription",
      `${scope} does not exist for this identity`,
      "check ARM_SUBSCRIPTION_ID (azure-native:subscriptionId) and the tenant",
    );
}
