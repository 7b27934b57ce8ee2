/**
 * The three ways to name an Azure Container Registry.
 *
 * ```
 * registry     := resource ID | login server | name
 * resource ID  := "/subscriptions/" id "/resourceGroups/" group "/providers/Microsoft.ContainerRegistry/registries/" name
 * login server := label ".azurecr." domain | label "." region ".geo.azurecr." domain
 * label        := name [ "-" hash ]
 * name         := 5..50 × alphanum
 * ```
 *
 * The login server cannot be made from the name: a registry with a domain name label has a hash in it. A regional
 * endpoint is another door to the same registry and is read as its login server.
 */
import { InvalidReference } from "./invalid-reference";

/** An Azure registry as the user named it. */
export type RegistryName =
  | {
      readonly kind: "id";
      readonly id: string;
      readonly subscriptionId: string;
      readonly resourceGroup: string;
      readonly name: string;
    }
  | { readonly kind: "loginServer"; readonly loginServer: string }
  | { readonly kind: "name"; readonly name: string };

/** A container registry as Resource Manager and clients name it. */
export interface RegistryResource {
  /** ARM resource ID. */
  readonly id: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
  readonly loginServer: string;
}

const ID =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.ContainerRegistry\/registries\/([^/]+)$/i;
const LOGIN_SERVER = /^([a-z0-9]{5,50}(?:-[a-z0-9]+)?)(?:\.[a-z0-9]+\.geo)?(\.azurecr(?:\.[a-z0-9-]+)+)$/;
const NAME = /^[a-z0-9]{5,50}$/i;

/** Reads the name of an Azure registry. */
export function parseRegistryName(text: string): RegistryName {
  if (text === "") throw new InvalidReference("is empty: pass the registry's resource ID, login server or name");
  if (text.includes("[Output<T>]")) {
    throw new InvalidReference("is text with an Output in it; use pulumi.interpolate`…` instead of a template string");
  }
  if (/\s/.test(text)) throw new InvalidReference("contains white space");
  if (text.startsWith("/")) return parseId(text);
  const scheme = /^([a-z]+):\/\//i.exec(text)?.[0];
  if (scheme) throw new InvalidReference(`is a URL; leave out ${scheme.toLowerCase()} at the beginning`);
  if (/^subscriptions\//i.test(text)) throw new InvalidReference("a resource ID begins with a slash: /subscriptions/…");
  if (text.includes("/")) throw new InvalidReference("names a repository too; only the registry belongs here");
  return text.includes(".") ? parseLoginServer(text) : parseName(text);
}

function parseId(text: string): Extract<RegistryName, { kind: "id" }> {
  const [, subscriptionId, resourceGroup, name] = ID.exec(text) ?? [];
  if (!subscriptionId || !resourceGroup || !name) {
    throw new InvalidReference(
      "is not the resource ID of a container registry: /subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerRegistry/registries/…",
    );
  }
  if (!NAME.test(name)) throw new InvalidReference("ends in a registry name that is not 5 to 50 letters and digits");
  return { kind: "id", id: text, subscriptionId, resourceGroup, name };
}

function parseLoginServer(text: string): RegistryName {
  const [, label, domain] = LOGIN_SERVER.exec(text.toLowerCase()) ?? [];
  if (!label || !domain) {
    throw new InvalidReference("is not the login server of an Azure Container Registry, such as myregistry.azurecr.io");
  }
  return { kind: "loginServer", loginServer: label + domain };
}

function parseName(text: string): RegistryName {
  if (!NAME.test(text))
    throw new InvalidReference("the name of a registry has 5 to 50 letters and digits, nothing else");
  return { kind: "name", name: text };
}

/** Completes what an ID says about a registry with its login server. */
export function toRegistryResource(id: string, loginServer: string): RegistryResource {
  const { subscriptionId, resourceGroup, name } = parseId(id);
  return { id, subscriptionId, resourceGroup, name, loginServer };
}

/** `name` as the user wrote it, for messages. */
export function printRegistryName(name: RegistryName): string {
  return name.kind === "id" ? name.id : name.kind === "loginServer" ? name.loginServer : name.name;
}

/** Whether a name, in whichever spelling, is that of the registry with this ID and login server. */
export function namesRegistry(
  name: RegistryName,
  { id, loginServer }: Pick<RegistryResource, "id" | "loginServer">,
): boolean {
  switch (name.kind) {
    case "id":
      return name.id.toLowerCase() === id.toLowerCase();
    case "loginServer":
      return name.loginServer === loginServer;
    case "name":
      return name.name.toLowerCase() === id.slice(id.lastIndexOf("/") + 1).toLowerCase();
  }
}
