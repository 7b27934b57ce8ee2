/**
 * The life cycle of azure-native's resources, as its plugin behaves where that matters to other resources:
 *
 * - the preview of a create knows the inputs and nothing else;
 * - the preview of an update knows the inputs, `name` and `location` (the engine keeps the ID);
 * - a named resource is deleted before its replacement is created, one with a generated name afterwards.
 *
 * https://github.com/pulumi/pulumi-azure-native/blob/master/provider/pkg/provider/provider.go
 */
import { isDeepStrictEqual } from "node:util";
import { ResourceManager } from "./resource-manager";
import { type Properties, pick, type ResourceType, resourceTypes } from "./resource-types";

/** The engine's marker of a value that a preview does not know. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The input that marks a generated name. */
const GENERATED = "__autonamed";

export interface Diff {
  readonly changed: readonly string[];
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

export class AzureNative {
  #config: ReadonlyMap<string, string> = new Map();
  #arm = new ResourceManager(this.#config);

  configure(config: ReadonlyMap<string, string>): void {
    this.#config = config;
    this.#arm = new ResourceManager(config);
  }

  async check(urn: string, olds: Properties, news: Properties): Promise<Properties> {
    const { nameInput, generateName, hasLocation } = typeOf(urn);
    const generated = (olds[GENERATED] && olds[nameInput]) ?? generateName(urn.split("::").at(-1) ?? "");
    const name = nameInput in news ? {} : { [nameInput]: generated, [GENERATED]: true };
    const location = hasLocation ? { location: news.location ?? olds.location ?? (await this.#location(news)) } : {};
    return { ...news, ...location, ...name };
  }

  diff(urn: string, olds: Properties, news: Properties): Diff {
    const { nameInput, replaceOnChanges = [] } = typeOf(urn);
    const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
      (key) => !isDeepStrictEqual(olds[key], news[key]),
    );
    const immutable = [nameInput, "resourceGroupName", "location", ...replaceOnChanges];
    const replaces = changed.filter((key) => immutable.includes(key));
    return { changed, replaces, deleteBeforeReplace: replaces.length > 0 && !news[GENERATED] };
  }

  previewCreate(urn: string, inputs: Properties): Properties {
    return withUnknownOutputs(typeOf(urn), inputs);
  }

  previewUpdate(urn: string, olds: Properties, inputs: Properties): Properties {
    return { ...withUnknownOutputs(typeOf(urn), inputs), ...pick(olds, ["name", "location"]) };
  }

  async create(urn: string, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    const type = typeOf(urn);
    const path = type.path(inputs, this.#arm.subscriptionId);
    const { status } = await this.#arm.send("GET", path, type.apiVersion);
    if (status === 200) throw new Error(`cannot create already existing resource '${path}'`);
    const { id } = await this.#arm.request("PUT", path, type.apiVersion, type.body(inputs));
    return { id: String(id), outputs: await this.#outputs(type, path, inputs) };
  }

  async update(urn: string, id: string, inputs: Properties): Promise<Properties> {
    const type = typeOf(urn);
    await this.#arm.request("PUT", id, type.apiVersion, type.body(inputs));
    return this.#outputs(type, id, inputs);
  }

  /** The outputs; nothing where the resource was not found. */
  async read(urn: string, id: string, inputs: Properties): Promise<Properties | undefined> {
    const type = typeOf(urn);
    const { status } = await this.#arm.send("GET", id, type.apiVersion);
    return status === 404 ? undefined : this.#outputs(type, id, inputs);
  }

  async delete(urn: string, id: string): Promise<void> {
    await this.#arm.request("DELETE", id, typeOf(urn).apiVersion);
  }

  async invoke(token: string): Promise<Properties> {
    if (token === "azure-native:authorization:getClientConfig") return this.#arm.clientConfig();
    throw new Error(`the stand-in for azure-native has no function ${token}`);
  }

  /** Where a resource is created by default: as the stack says, else where its group is. */
  async #location({ resourceGroupName }: Properties): Promise<unknown> {
    const configured = this.#config.get("location");
    if (configured !== undefined || resourceGroupName === UNKNOWN) return configured ?? UNKNOWN;
    if (resourceGroupName === undefined) throw new Error("missing required property 'location'");
    const group = `/subscriptions/${this.#arm.subscriptionId}/resourceGroups/${resourceGroupName}`;
    return (await this.#arm.request("GET", group, "2022-09-01")).location;
  }

  async #outputs({ apiVersion, outputs }: ResourceType, id: string, inputs: Properties): Promise<Properties> {
    const resource = await this.#arm.request("GET", id, apiVersion);
    return pick({ ...inputs, ...Object(resource.properties), ...resource }, outputs);
  }
}

function typeOf(urn: string): ResourceType {
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const type = resourceTypes[token];
  if (type === undefined) throw new Error(`the stand-in for azure-native has no resource type ${token}`);
  return type;
}

function withUnknownOutputs({ outputs }: ResourceType, inputs: Properties): Properties {
  return Object.fromEntries(outputs.map((name) => [name, inputs[name] ?? UNKNOWN]));
}
