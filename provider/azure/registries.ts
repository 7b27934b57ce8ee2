/** Finds an Azure registry by resource ID, login server or name. */
import type { Registry } from "@azure/arm-containerregistry";
import { type Failure, ImportError, type Side } from "../failure/failure";
import {
  parseRegistryName,
  printRegistryName,
  type RegistryName,
  type RegistryResource,
} from "../reference/registry-name";
import { explainLookupProblem, type LookupProblem } from "./lookup-problem";
import { type ArmContext, type ArmResponse, type ResourceManager, resourceManager } from "./resource-manager";
import { serviceError } from "./service-error";

/** An Azure Container Registry as Resource Manager describes it. */
export interface AzureRegistry extends RegistryResource {
  readonly location: string;
  /** Whether no network rule restricts access. */
  readonly isOpen: boolean;
  /** Whether trusted Azure services, such as the import service, bypass the network rules. */
  readonly trustsAzure: boolean;
}

/** The identity that looks registries up, and where. */
export interface SearchContext extends ArmContext {
  /** The subscription to search first. */
  readonly subscriptionId: string | undefined;
  /** The identity in messages. */
  readonly identity: string;
}

/** The time limit of one look-up, in milliseconds. Only rate limiting takes so long; all else ends after a few retries. */
const LOOKUP_MS = 600_000;

type Finding = AzureRegistry | LookupProblem;

/** A list of registries, and when it was requested. */
interface Listing {
  readonly began: number;
  readonly registries: Promise<Registry[] | LookupProblem>;
}

/** Looks up each registry once. A list serves all names until one is missing from it. */
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
    if ("kind" in found) throw new ImportError(this.#explain(found, side));
    // Later look-ups may use the login server.
    this.#findings.set(found.loginServer, finding);
    return found;
  }

  /** Looks a registry up again next time. */
  forget(name: RegistryName): void {
    this.#findings.delete(printRegistryName(name).toLowerCase());
  }

  async #byId(name: RegistryName & { kind: "id" }): Promise<Finding> {
    const arm = this.#resourceManager(name.subscriptionId);
    try {
      const registry = await arm.client.registries.get(name.resourceGroup, name.name, deadline());
      return azureRegistry(registry) ?? { kind: "not ready", name: name.id };
    } catch (error) {
      return problemOf(arm, error, name.id, (response) => {
        if (serviceError(response)?.code === "InvalidAuthenticationTokenTenant") {
          return { kind: "foreign tenant", id: name.id };
        }
        return response.status === 404 ? { kind: "not found", id: name.id, response } : undefined;
      });
    }
  }

  /** In the default subscription first, then wherever the identity can see registries. */
  async #byName(name: Exclude<RegistryName, { kind: "id" }>): Promise<Finding> {
    const { subscriptionId } = this.search;
    const began = Date.now();
    const wanted = name.kind === "name" ? name.name : name.loginServer;
    const isWanted = (registry: Registry) =>
      (name.kind === "name" ? registry.name : registry.loginServer)?.toLowerCase() === wanted.toLowerCase();
    const lookUp = async (listing: Listing | undefined) => {
      const listed = (await listing?.registries) ?? [];
      return Array.isArray(listed) ? listed.filter(isWanted) : listed;
    };

    const look = async (): Promise<Finding | undefined> => {
      if (subscriptionId) this.#inSubscription ??= this.#list(subscriptionId);
      const near = await lookUp(this.#inSubscription);
      if (Array.isArray(near) && near.length > 0) return oneOf(near, wanted);
      this.#everywhere ??= this.#listEverywhere();
      const far = await lookUp(this.#everywhere);
      if (Array.isArray(far) && far.length > 0) return oneOf(far, wanted);
      // A list that could not be read is the problem to report, unless only the permission for it is missing.
      const problems = [far, near].filter((listed): listed is LookupProblem => !Array.isArray(listed));
      return problems.find((problem) => this.#explain(problem, "target").code !== "AZURE_PERMISSION_DENIED");
    };

    const found = (await look()) ?? (this.#forgetListingsBefore(began) ? await look() : undefined);
    if (found) return found;
    const searched = subscriptionId
      ? `subscription ${subscriptionId} and every other that it can read`
      : "every subscription that it can read";
    return { kind: "not visible", name: wanted, searched };
  }

  /** Registries may have been created since they were listed, by this program for instance. */
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
        return problemOf(arm, error, scope, ({ status }) =>
          status === 404 ? { kind: "no subscription", scope } : undefined,
        );
      }
    };
    return { began: Date.now(), registries: list() };
  }

  #listEverywhere(): Listing {
    return { began: Date.now(), registries: this.#queryResourceGraph() };
  }

  /** All registries that the identity can read, of every subscription of its tenant. */
  async #queryResourceGraph(): Promise<Registry[] | LookupProblem> {
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
          throw new Error(`the search for registries returned HTTP ${response.status}`);
        }
        const { data, $skipToken } = JSON.parse(response.body) as GraphResponse;
        registries.push(...data.map(({ properties, ...registry }) => ({ ...registry, ...properties })));
        page = $skipToken;
      } while (page);
      return registries;
    } catch (error) {
      return problemOf(arm, error, "the tenant");
    }
  }

  #resourceManager(subscriptionId?: string): ResourceManager {
    return resourceManager(this.search, subscriptionId);
  }

  #explain(problem: LookupProblem, side: Side): Failure {
    const { cloud, identity } = this.search;
    return explainLookupProblem(problem, { side, host: new URL(cloud.resourceManager).host, identity });
  }
}

/** The problem behind the error of a request: in the response that was received, otherwise in the error itself. */
function problemOf(
  arm: ResourceManager,
  error: unknown,
  scope: string,
  special: (response: ArmResponse) => LookupProblem | undefined = () => undefined,
): LookupProblem {
  const response = arm.lastResponse();
  if (!response || response.status < 400) return { kind: "no response", error };
  return special(response) ?? { kind: "error response", response, scope };
}

interface GraphResponse {
  readonly data: readonly (Registry & { readonly properties?: Partial<Registry> })[];
  readonly $skipToken?: string;
}

function deadline(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(LOOKUP_MS) };
}

function oneOf(registries: readonly Registry[], wanted: string): Finding {
  const [first, ...others] = registries;
  const ids = registries.map(({ id = "" }) => id);
  if (others.length > 0) return { kind: "ambiguous", name: wanted, ids };
  return (first && azureRegistry(first)) ?? { kind: "not ready", name: wanted };
}

/** The registry, or why it cannot import; `undefined` while Azure is still creating it. */
function azureRegistry(registry: Registry): Finding | undefined {
  const { id, name, loginServer, location, sku, publicNetworkAccess, networkRuleSet, networkRuleBypassOptions } =
    registry;
  const parsed = id === undefined ? undefined : parseRegistryName(id);
  if (!id || !name || !loginServer || parsed?.kind !== "id") return undefined;
  // The SKU that stores its images in a storage account of the customer.
  if (sku?.name.toLowerCase() === "classic") return { kind: "SKU unsupported", name, sku: sku.name };
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
